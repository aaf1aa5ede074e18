import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { permissionNames } from '../../lib/contract/permission.ts';
import { problems } from '../../lib/contract/problem.ts';
import { routes } from '../../lib/contract/routes.ts';
import { settingNames } from '../../lib/infra/config.ts';

/** Without the padding that makes the columns of a table line up. */
const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8').replace(/ {2,}/g, ' ');

it.each(Object.entries(routes))('docs/api.md tells of %s with its permission', (name, route) => {
  const line = read('docs/api.md')
    .split('\n')
    .find((one) => one.startsWith(`| \`${name}\` |`));
  expect(line).toContain(`\`${route.method} ${route.path}\``);
  const names: readonly string[] = permissionNames;
  expect(line).toContain(
    names.includes(route.permission)
      ? `\`${route.permission}\``
      : route.permission === 'any'
        ? 'any key'
        : 'IAM',
  );
});

it('docs/api.md lists every problem under its status', () => {
  const lines = read('docs/api.md').split('\n');
  for (const [code, { status }] of Object.entries(problems)) {
    expect(
      lines.find((line) => line.startsWith(`| ${status} |`)),
      code,
    ).toContain(`\`${code}\``);
  }
});

it('the README names every setting', () => {
  for (const name of settingNames) expect(read('README.md')).toContain(`\`${name}\``);
});
