import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dueStore, dueWrite } from '../../../lib/adapters/dynamo/due-store.ts';
import { dueShards } from '../../../lib/adapters/dynamo/keys.ts';
import { transact } from '../../../lib/adapters/dynamo/transaction.ts';
import type { DueStore, DueWork } from '../../../lib/core/mail-ports.ts';
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
const closedTo = (minute: string) =>
  house.database.client.send(
    new PutCommand({ TableName: 'mailroom', Item: { pk: 'DUE#', sk: 'CURSOR', v: 1, minute } }),
  );
/** What a run finds, and closes behind it. */
async function run(doing: (minute: string, id: string) => Promise<void> = due.done): Promise<number[]> {
  const found: number[] = [];
  for (const minute of await due.openMinutes()) {
    for (const { id, work: one } of await due.workOf(minute)) {
      found.push(number(one));
      await doing(minute, id);
    }
    await due.close(minute);
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

  it('filed by a clock a little behind is found all the same', async () => {
    await run();
    time += minuteMs;
    await run();
    await file(1, time - minuteMs);
    expect(await run()).toEqual([1]);
  });

  it('filed by a clock far behind, in a minute that is closed, is found an hour later', async () => {
    await closedTo('2026-01-31T12:57');
    await file(1, Date.parse('2026-01-31T11:57:10.000Z'));
    await file(2, Date.parse('2026-01-31T11:58:10.000Z'));
    await file(3, Date.parse('2026-01-31T11:59:10.000Z'));
    time = Date.parse('2026-01-31T13:00:30.000Z');
    expect(await run()).toEqual([2]);
    time += minuteMs;
    expect(await run()).toEqual([3]);
  });

  it('looked at once more opens nothing that is closed', async () => {
    for (let minute = 0; minute < 5; minute++, time += minuteMs) await run();
    const open = await due.openMinutes();
    await due.close(open[0]!);
    expect(await due.openMinutes()).toEqual(open);
  });

  it('is caught up with after an outage, four hours at a time', async () => {
    await run();
    const start = time;
    for (let hour = 1; hour <= 9; hour++) await file(hour, start + hour * 60 * minuteMs);
    time = start + 10 * 60 * minuteMs;
    const found: number[] = [];
    for (let runs = 0; runs < 4; runs++) {
      const open = await due.openMinutes();
      expect(open.length).toBeLessThanOrEqual(24 * 60);
      found.push(...(await run()));
    }
    expect(found.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await due.openMinutes()).length).toBeLessThan(5);
  });

  it('that fails is tried later and later, and the cursor goes on', async () => {
    await file(1);
    const tried: number[] = [];
    for (let minute = 0; minute < 70; minute++) {
      const found = await run((at, id) => due.putOff(at, id));
      if (found.length > 0) tried.push(minute);
      time += minuteMs;
    }
    expect(tried).toEqual([0, 2, 6, 14, 30, 62]);
    expect((await due.openMinutes()).length).toBeLessThan(5);
    expect(
      (await house.rows()).filter(({ pk, sk }) => String(pk).startsWith('DUE#') && sk !== 'CURSOR'),
    ).toHaveLength(1);
  });

  it('put off by two at once is there once; what was done meanwhile is not brought back', async () => {
    await file(1);
    const [minute] = (await due.openMinutes()).slice(-1);
    const [one] = await due.workOf(minute!);
    await Promise.all([due.putOff(minute!, one!.id), due.putOff(minute!, one!.id)]);
    expect((await house.rows()).filter(({ sk }) => String(sk).startsWith('erase'))).toHaveLength(1);
    await due.putOff(minute!, one!.id);
    expect((await house.rows()).filter(({ sk }) => String(sk).startsWith('erase'))).toHaveLength(1);
  });

  it('costs sixteen small queries a minute when there is none', async () => {
    await run();
    time += minuteMs;
    house.forget();
    await run();
    expect(house.counted().filter(({ action }) => action === 'Query').length).toBeLessThanOrEqual(
      4 * dueShards,
    );
    expect(house.counted().length).toBeLessThanOrEqual(4 * dueShards + 3);
  });

  it('needs a cursor that says a minute', async () => {
    await closedTo('2026-01-31T11:58');
    expect(await due.openMinutes()).toEqual(['2026-01-31T11:59', '2026-01-31T12:00']);
  });
});
