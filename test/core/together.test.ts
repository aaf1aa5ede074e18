import { expect, it } from 'vitest';
import { together } from '../../lib/core/together.ts';

it('answers what each answers, in their order', async () => {
  expect(await together([Promise.resolve(1), 'two', Promise.resolve(3)])).toEqual([1, 'two', 3]);
  expect(await together([])).toEqual([]);
});

it('fails with the first of those that fail, and not before the last has ended', async () => {
  const slow = Promise.withResolvers<void>();
  let failed = false;
  const all = together([
    slow.promise,
    Promise.reject(new Error('one')),
    Promise.reject(new Error('two')),
  ]).catch((error: Error) => {
    failed = true;
    return error.message;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(failed).toBe(false);
  slow.resolve();
  expect(await all).toBe('one');
});
