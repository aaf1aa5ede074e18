import { describe, expect, it } from 'vitest';
import { createInbox } from '../../lib/contract/inbox.ts';
import { updateLabels } from '../../lib/contract/label.ts';

describe('metadata', () => {
  it.each([0, -1, 1.5, 9007199254740991, 1e-100])('holds %s', (n) => {
    expect(createInbox.parse({ metadata: { n } }).metadata).toEqual({ n });
  });
  it.each([2 ** 53, 1e300, 1e-200])('refuses %s, which would not come back as it was given', (n) => {
    expect(createInbox.safeParse({ metadata: { n } }).success).toBe(false);
  });
});

it('a label too many says how many are allowed', () => {
  const read = updateLabels.safeParse({ add_labels: Array.from({ length: 16 }, (_, n) => `l${n}`) });
  expect(read.error?.issues[0]?.message).toBe('give at most 15 labels');
});
