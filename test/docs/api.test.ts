import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { permissionNames } from '../../lib/contract/permission.ts';
import type { Route } from '../../lib/contract/route.ts';
import { routes } from '../../lib/contract/routes.ts';
import { settingNames } from '../../lib/infra/config.ts';

/** Without the padding that makes the columns of a table line up. */
const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8').replace(/ {2,}/g, ' ');

function leastKey({ auth, permission, least }: Route): string {
  if (auth === 'iam') return '–';
  return permission === 'unrestricted' ? 'organization' : (least ?? 'inbox');
}

it.each(Object.entries(routes))('docs/api.md tells of %s with its permission', (name, route) => {
  const line = read('docs/api.md')
    .split('\n')
    .find((one) => one.startsWith(`| \`${name}\` |`));
  expect(line).toContain(`\`${route.method} ${route.path}\``);
  const names: readonly string[] = permissionNames;
  const [, , , permission, least] = line!.split('|').map((cell) => cell.trim());
  const keyless = { any: 'any key', unrestricted: 'unrestricted key', operator: 'operator (IAM)' };
  expect(permission).toBe(
    names.includes(route.permission)
      ? `\`${route.permission}\``
      : keyless[route.permission as keyof typeof keyless],
  );
  expect(least).toBe(leastKey(route));
});

it('docs/api.md leads to the errors', () => {
  expect(read('docs/api.md')).toContain('](errors.md)');
});

it('the README names every setting', () => {
  for (const name of settingNames) expect(read('README.md')).toContain(`\`${name}\``);
});
