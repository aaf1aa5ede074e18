import { encodeTime } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventLog } from '../../../lib/adapters/dynamo/event-log.ts';
import { eventStore } from '../../../lib/adapters/dynamo/event-store.ts';
import { eventRow } from '../../../lib/adapters/dynamo/event-rows.ts';
import { logHeadKey, type LogOwner } from '../../../lib/adapters/dynamo/keys.ts';
import type { MailEvent } from '../../../lib/contract/event.ts';
import { inboxRef } from '../../support/mail-samples.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

const now = Date.parse('2026-01-31T12:00:00.000Z');
const minute = 60_000;
const day = 24 * 60 * minute;
const owner = inboxRef();
const total = 600;
let house: TableHouse;

const named = (of: LogOwner, n: number, time: number): MailEvent => ({
  event_id: `evt_${encodeTime(time, 10).toLowerCase()}${String(n).padStart(16, '0')}`,
  event_type: 'inbox.updated',
  organization_id: of.organization_id,
  timestamp: new Date(time).toISOString(),
});
/** As it stands in the log once it is announced. */
const numbered = (of: LogOwner, position: number, time: number) => {
  const { org_pk: _, org_sk: __, ...row } = eventRow(of, named(of, position, time), Math.floor(time / 1000));
  return { ...row, position };
};
const timeOf = ({ timestamp }: MailEvent): number => Date.parse(timestamp);

/** Row `n` of a log whose positions go up with time but for neighbours up to four minutes apart. */
const row = (n: number) => {
  // Every tenth was written by a clock that is four minutes behind.
  const time = now - 20 * day + n * 45 * minute - (n % 10 === 0 ? 4 * minute : 0);
  return numbered(owner, n, time);
};
/** Three at the same minute, in another order than their positions. */
const crowd = (n: number, at: number) => ({
  ...eventRow(owner, named(owner, n, at), Math.floor(at / 1000)),
  position: n,
});

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

  it('finds what waited for its number for hours, from wherever it is read', async () => {
    const own = inboxRef('late');
    const minutes = 60;
    const events = Array.from({ length: minutes }, (_, n) => named(own, n, now - (minutes - n) * minute));
    await house.fill(events.map((event) => eventRow(own, event, now / 1000)));
    const log = eventLog(house.database, () => now);
    // Three were lost on their way, and are brought back when the others have their numbers.
    const lost = [5, 17, 18].map((n) => events[n]!);
    const at = (one: MailEvent) => eventLog(house.database, () => timeOf(one) + 1000);
    for (const one of events) if (!lost.includes(one)) await at(one).places([{ ...one, uid: own.uid }]);
    const found = async (position: number, limit: number) =>
      (await store().after(own, position, limit)).events.map((event) => [event.position, event.event_id]);
    const counted = events.filter((one) => !lost.includes(one)).map((one, n) => [n + 1, one.event_id]);
    expect(await found(0, 100)).toEqual(counted);
    await log.places(lost.map((one) => ({ ...one, uid: own.uid })));
    const whole = [...counted, ...lost.map((one, n) => [minutes - 2 + n, one.event_id])];
    for (const [position, limit] of [
      [minutes - 3, 5],
      [minutes - 2, 5],
      [0, 100],
      [20, 3],
      [50, 4],
      [54, 4],
    ] as const)
      expect(await found(position, limit)).toEqual(whole.slice(position, position + limit));
  });

  it('ends with a page that DynamoDB thought full', async () => {
    const own = inboxRef('full');
    // As many as one query reads.
    const rows = Array.from({ length: 200 }, (_, n) => {
      return numbered(own, n + 1, now - 20_000 + n * 100);
    });
    await house.fill([...rows, { ...logHeadKey(own), v: 1, position: 200 }]);
    const { events, more } = await store().after(own, 0, 20);
    expect([events.map(({ position }) => position), more]).toEqual([range(1, 20), true]);
  });

  it('begins behind what is past its time and not taken away yet', async () => {
    const own = inboxRef('old');
    const rows = Array.from({ length: 120 }, (_, n) => {
      const time = n < 60 ? now - 31 * day + n * minute : now - (120 - n) * minute;
      return numbered(own, n + 1, time);
    });
    await house.fill([...rows, { ...logHeadKey(own), v: 1, position: 120 }]);
    const replayed = await store().after(own, 0, 20);
    expect([replayed.events.map(({ position }) => position), replayed.more]).toEqual([range(61, 20), true]);
    const listed = await store().list(own, { ascending: true, limit: 20 });
    expect([listed.events.map(({ position }) => position), listed.more]).toEqual([range(61, 20), true]);
    const newest = await store().list(own, { ascending: false, limit: 61 });
    expect([newest.events.length, newest.more]).toEqual([60, false]);
    const start = named(own, 30, now - 31 * day).event_id.slice(4);
    expect((await store().list(own, { start, ascending: false, limit: 5 })).events).toEqual([]);
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
