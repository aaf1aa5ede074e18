import { createHash } from 'node:crypto';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DueStore, DueWork } from '../../core/mail-ports.ts';
import type { Now } from '../../core/ports.ts';
import { rowVersion, type Database } from './client.ts';
import { dueCursorKey, dueKey, dueShards, shardOf } from './keys.ts';
import { getRow, queryRange } from './rows.ts';
import type { Write } from './transaction.ts';

const minuteMs = 60_000;
/** The first run ever, and one after a long outage, looks back this far at most at a time. */
const maxMinutes = 24 * 60;

const minuteOf = (time: number): string => new Date(time).toISOString().slice(0, 16);
const timeOf = (minute: string): number => Date.parse(`${minute}:00Z`);

/** The due row of some work, as one more write of the transaction that causes it. The same work twice is one row. */
export function dueWrite(work: DueWork, at: number): Write<never> {
  const cause = `${work.kind}#${createHash('sha256').update(JSON.stringify(work)).digest('base64url')}`;
  return { put: { ...dueKey(minuteOf(at), shardOf(cause, dueShards), cause), v: rowVersion, work } };
}

/** What waits, by minute. A cursor row says up to which minute everything is done, so that an outage loses nothing. */
export const dueStore = (database: Database, now: Now): DueStore => ({
  async openMinutes() {
    const cursor = await getRow(database, dueCursorKey);
    const current = now();
    // The minute that is running may still get rows; it stays open until it is over and was looked at once more.
    const first = cursor === undefined ? current - 10 * minuteMs : timeOf(cursor['minute']) + minuteMs;
    const count = Math.min(Math.max(0, Math.floor((current - first) / minuteMs) + 1), maxMinutes);
    return Array.from({ length: count }, (_, n) => minuteOf(first + n * minuteMs));
  },

  async workOf(minute) {
    const work: { id: string; work: DueWork }[] = [];
    for (let shard = 0; shard < dueShards; shard++) {
      let after: Record<string, unknown> | undefined;
      do {
        const { rows, last } = await queryRange(database, { partition: dueKey(minute, shard, '').pk, ascending: true, limit: 100, ...(after && { after }) });
        work.push(...rows.map((row) => ({ id: `${shard}/${row['sk']}`, work: row['work'] as DueWork })));
        after = last;
      } while (after !== undefined);
    }
    return work;
  },

  async done(minute, id) {
    const slash = id.indexOf('/');
    await database.client.send(new DeleteCommand({ TableName: database.tableName, Key: dueKey(minute, Number(id.slice(0, slash)), id.slice(slash + 1)) }));
  },

  async close(minute) {
    // The clocks of the functions that write due rows may be a little behind; two minutes stay open.
    if (timeOf(minute) > now() - 2 * minuteMs) return;
    await database.client.send(new PutCommand({ TableName: database.tableName, Item: { ...dueCursorKey, v: rowVersion, minute } }));
  },
});
