import { expect, it } from 'vitest';
import { errorDocs, problems } from '../../lib/contract/problem.ts';
import { errorsPage } from './errors-page.ts';

it('docs/errors.md is what the catalogue says', async () => {
  await expect(await errorsPage()).toMatchFileSnapshot(`../../${errorDocs}`);
});

it('docs/errors.md has an anchor for every code', async () => {
  const headings = (await errorsPage()).split('\n').filter((line) => line.startsWith('## '));
  expect(headings).toEqual(Object.keys(problems).map((code) => `## ${code}`));
});
