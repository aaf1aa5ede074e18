import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dueStore, dueWrite } from '../../../lib/adapters/dynamo/due-store.ts';
import { dueShards } from '../../../lib/adapters/dynamo/keys.ts';
import { transact } from '../../../lib/adapters/dynamo/transaction.ts';
import type { DueStore, DueWork } from '../../../lib/core/due-ports.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

const minuteMs = 60_000;
let house: TableHouse;
let due: DueStore;
let time: number;
beforeEach(async () => {
  house = await tableHouse();
  time = Date.parse('2026-01-31T12:00:30.000Z');
  due = dueStore(house.database, () => time);
});
afterEach(() => house.close());

const work = (n: number): DueWork => ({
  kind: 'erase-objects',
  folders: [{ organization_id: 'org_1', uid: 'inb_1', message_id: `msg_${n}` }],
});
const file = (n: number, at = time) => transact(house.database, [dueWrite(work(n), at)]);
const number = (one: DueWork) =>
  one.kind === 'erase-objects' ? Number(one.folders[0]?.message_id.slice(4)) : -1;
/** What a run finds, and does. */
async function run(doing: (id: string) => Promise<void> = due.done): Promise<number[]> {
  const found: number[] = [];
  for (const lane of due.lanes())
    for await (const { id, work: one } of lane) {
      found.push(number(one));
      await doing(id);
    }
  return found.sort((a, b) => a - b);
}

describe('work that waits', () => {
  it('is found once it is due, and is gone when it is done', async () => {
    for (let n = 0; n < 12; n++) await file(n);
    await file(99, time + 5 * minuteMs);
    expect(await run()).toEqual(Array.from({ length: 12 }, (_, n) => n));
    expect(await run()).toEqual([]);
    time += 5 * minuteMs;
    expect(await run()).toEqual([99]);
    const shards = new Set(
      Array.from({ length: 40 }, (_, n) => (dueWrite(work(n), time) as { put: { pk: string } }).put.pk),
    );
    expect(shards.size).toBe(dueShards);
  });

  it('is the same work when it is filed twice', async () => {
    await file(1);
    await file(1);
    expect(await run()).toEqual([1]);
  });

  it('is found however much of it there is', async () => {
    for (let at = 0; at < 500; at += 100)
      await transact(
        house.database,
        Array.from({ length: 100 }, (_, n) => dueWrite(work(at + n), time)),
      );
    expect(await run()).toHaveLength(500);
  });

  it('filed by a clock far behind is found all the same', async () => {
    await run();
    await file(1, time - minuteMs);
    await file(2, time - 26 * 60 * minuteMs);
    expect(await run()).toEqual([1, 2]);
  });

  it('is caught up with after an outage of any length', async () => {
    await run();
    const start = time;
    for (let hour = 1; hour <= 9; hour++) await file(hour, start + hour * 60 * minuteMs);
    await file(99, start + 400 * 24 * 60 * minuteMs);
    time = start + 300 * 24 * 60 * minuteMs;
    expect(await run()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('is found in order of time in its shard, though a run ends before all is done', async () => {
    for (let hour = 40; hour > 0; hour--) await file(hour, time - hour * 60 * minuteMs);
    const idsOf = async (lane: ReturnType<DueStore['lanes']>[number]) =>
      (await Array.fromAsync(lane)).map(({ id }) => id);
    const lanes = await Promise.all(due.lanes().map(idsOf));
    expect(lanes).toHaveLength(dueShards);
    for (const ids of lanes) {
      expect(ids.length).toBeGreaterThan(2);
      expect(ids).toEqual(ids.toSorted());
    }
    for (const lane of due.lanes())
      for await (const { id } of lane) {
        await due.done(id);
        break;
      }
    const left = await Promise.all(due.lanes().map(idsOf));
    expect(left).toEqual(lanes.map((ids) => ids.slice(1)));
  });

  it('that fails is tried later and later', async () => {
    await file(1);
    const tried: number[] = [];
    for (let minute = 0; minute < 70; minute++) {
      const found = await run(due.putOff);
      if (found.length > 0) tried.push(minute);
      time += minuteMs;
    }
    expect(tried).toEqual([0, 2, 6, 14, 30, 62]);
    expect((await house.rows()).filter(({ pk }) => String(pk).startsWith('DUE#'))).toHaveLength(1);
  });

  it('put off by two at once is there once; what was done meanwhile is not brought back', async () => {
    await file(1);
    const ids: string[] = [];
    for (const lane of due.lanes()) for await (const { id } of lane) ids.push(id);
    const filed = async () => (await house.rows()).filter(({ pk }) => String(pk).startsWith('DUE#'));
    await Promise.all([due.putOff(ids[0]!), due.putOff(ids[0]!)]);
    expect(await filed()).toHaveLength(1);
    await due.putOff(ids[0]!);
    expect(await filed()).toHaveLength(1);
  });

  it('costs one small query a shard when there is none', async () => {
    await file(1, time + 5 * minuteMs);
    house.forget();
    await run();
    expect(house.counted().map(({ action }) => action)).toEqual(Array(dueShards).fill('Query'));
  });
});
