import { encodeTime } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventStore } from '../../../lib/adapters/dynamo/event-store.ts';
import { eventRow } from '../../../lib/adapters/dynamo/event-rows.ts';
import { logHeadKey } from '../../../lib/adapters/dynamo/keys.ts';
import { inboxRef } from '../../support/mail-samples.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

const now = Date.parse('2026-01-31T12:00:00.000Z');
const minute = 60_000;
const day = 24 * 60 * minute;
const owner = inboxRef();
const total = 600;
let house: TableHouse;

/** Row `n` of a log whose positions go up with time but for neighbours up to four minutes apart. */
const row = (n: number) => {
  // Every tenth was written by a clock that is four minutes behind.
  const time = now - 20 * day + n * 45 * minute - (n % 10 === 0 ? 4 * minute : 0);
  const event = {
    event_id: `evt_${encodeTime(time, 10).toLowerCase()}${String(n).padStart(16, '0')}`,
    event_type: 'inbox.updated' as const,
    organization_id: owner.organization_id,
    timestamp: new Date(time).toISOString(),
  };
  const { org_pk: _, org_sk: __, ...rest } = eventRow(owner, event, Math.floor(time / 1000));
  return { ...rest, position: n };
};
/** Three at the same minute, in another order than their positions. */
const crowd = (n: number, at: number) => {
  const event = {
    event_id: `evt_${encodeTime(at, 10).toLowerCase()}${String(n).padStart(16, '0')}`,
    event_type: 'inbox.updated' as const,
    organization_id: owner.organization_id,
    timestamp: new Date(at).toISOString(),
  };
  return { ...eventRow(owner, event, Math.floor(at / 1000)), position: n };
};

beforeAll(async () => {
  house = await tableHouse();
  const rows: Record<string, any>[] = Array.from({ length: total }, (_, n) => row(n + 1));
  const { position: _, ...unnumbered } = crowd(700, now - 1000);
  await house.fill([
    ...rows,
    crowd(602, now - 6 * minute),
    crowd(601, now - 3 * minute),
    crowd(603, now - 2 * minute),
    unnumbered,
    { ...logHeadKey(owner), v: 1, position: 603 },
  ]);
});
afterAll(() => house.close());

const store = (time = now) => eventStore(house.database, () => time);
const after = async (position: number, limit: number) => {
  const { events, more } = await store().after(owner, position, limit);
  return { positions: events.map((event) => event.position), more };
};
const range = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n);

describe('replay', () => {
  it.each([
    [0, 10],
    [1, 1],
    [9, 3],
    [99, 25],
    [301, 50],
    [560, 40],
    [599, 3],
  ])('from position %d is the next %d in their order', async (position, limit) => {
    expect(await after(position, limit)).toEqual({ positions: range(position + 1, limit), more: true });
  });

  it('ends with the last that has a position', async () => {
    expect(await after(598, 50)).toEqual({ positions: range(599, 5), more: false });
    expect(await after(603, 50)).toEqual({ positions: [], more: false });
    expect(await after(9000, 50)).toEqual({ positions: [], more: false });
  });

  it('is whole, page after page', async () => {
    const seen: (number | undefined)[] = [];
    for (;;) {
      const { positions, more } = await after(Number(seen.at(-1) ?? 0), 97);
      seen.push(...positions);
      if (!more) break;
    }
    expect(seen).toEqual(range(1, 603));
  });

  it('costs one read when there is nothing, and a few dozen small ones otherwise', async () => {
    house.forget();
    await after(603, 50);
    expect(house.counted().map(({ action }) => action)).toEqual(['GetItem']);
    house.forget();
    await after(300, 50);
    expect(house.counted().length).toBeLessThan(30);
  });
});

describe('the list', () => {
  it('is of the events alone, in either direction, from where it is told', async () => {
    const newest = await store().list(owner, { ascending: false, limit: 2 });
    expect([newest.events.map(({ position }) => position), newest.more]).toEqual([[undefined, 603], true]);
    expect(newest.events[0]).not.toHaveProperty('org_pk');
    expect(newest.events[0]).not.toHaveProperty('pk');
    const start = newest.events[1]!.event_id.slice(4);
    const before = await store().list(owner, { start, ascending: false, limit: 2 });
    expect(before.events.map(({ position }) => position)).toEqual([603, 601]);
    const behind = await store().list(owner, { start, ascending: true, limit: 50 });
    expect([behind.events.map(({ position }) => position), behind.more]).toEqual([[603, undefined], false]);
  });

  it('shows nothing that is past its time', async () => {
    expect((await store(now + 40 * day).list(owner, { ascending: true, limit: 50 })).events).toEqual([]);
  });
});
