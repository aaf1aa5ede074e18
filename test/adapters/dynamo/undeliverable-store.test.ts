import { afterEach, beforeEach, expect, it } from 'vitest';
import { undeliverableStore } from '../../../lib/adapters/dynamo/undeliverable-store.ts';
import type { Position } from '../../../lib/core/ports.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

const dayMs = 24 * 3600_000;
const start = Date.parse('2026-03-01T10:00:00.000Z');
let house: TableHouse;
let store: ReturnType<typeof undeliverableStore>;
let time: number;
beforeEach(async () => {
  house = await tableHouse();
  time = start;
  store = undeliverableStore(house.database, () => time);
});
afterEach(() => house.close());

const entry = (n: number, at = start - n * dayMs) => ({
  recipient: `r${n}@mail.test`,
  sender: '',
  ses_message_id: `ses${n}`,
  spf: 'PASS' as const,
  dkim: 'GRAY' as const,
  dmarc: 'FAIL' as const,
  reason: 'no_such_address' as const,
  received_at: new Date(at).toISOString(),
});
async function all(
  limit: number,
  ascending: boolean,
  between: () => void = () => undefined,
): Promise<number[]> {
  const found: number[] = [];
  let after: Position | undefined;
  let pages = 0;
  do {
    const page = await store.list({
      limit,
      ascending,
      ...(after && { after: JSON.parse(JSON.stringify(after)) as Position }),
    });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    found.push(...page.items.map(({ recipient }) => Number(/\d+/.exec(recipient)![0])));
    after = page.next;
    between();
    if (++pages > 200) throw new Error('the list does not end');
  } while (after !== undefined);
  return found;
}

it('mail nobody has an address for is noted once for each recipient', async () => {
  await store.note([entry(0), entry(0), { ...entry(0), recipient: 'r1@mail.test' }]);
  await store.note([entry(0)]);
  const { items } = await store.list({ limit: 10, ascending: false });
  expect(items).toHaveLength(2);
  expect(items.find(({ recipient }) => recipient === 'r0@mail.test')).toEqual({
    ...entry(0),
    undeliverable_id: expect.stringMatching(/^und_/) as string,
  });
});

it.each([1, 2, 3, 5, 50])('it is listed over the days in pages of %i, in both directions', async (limit) => {
  const days = [0, 0, 0, 1, 1, 5, 5, 5, 5, 29];
  await store.note(days.map((day, n) => entry(n, start - day * dayMs - n * 1000)));
  const newestFirst = days.map((_, n) => n);
  expect(await all(limit, false)).toEqual(newestFirst);
  expect(await all(limit, true)).toEqual(newestFirst.toReversed());
});

it('after 30 days it is gone, taken away or not', async () => {
  await store.note([entry(0), entry(1)]);
  time = start + 29.5 * dayMs;
  expect(await all(10, false)).toEqual([0]);
  time = start + 31 * dayMs;
  expect(await all(10, false)).toEqual([]);
});

it('a page goes on where it was when the days move on, and gives nothing twice', async () => {
  await store.note([0, 1, 2, 3, 28, 29].map((n) => entry(n)));
  const move = () => void (time += dayMs);
  const down = await all(1, false, move);
  expect(down).toEqual([...new Set(down)].toSorted((a, b) => a - b));
  time = start;
  const up = await all(1, true, move);
  expect(up).toEqual([...new Set(up)].toSorted((a, b) => b - a));
});
