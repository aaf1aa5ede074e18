import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DueStore, DueWork, Waiting } from '../../core/mail-ports.ts';
import type { Now } from '../../core/ports.ts';
import { rowVersion, type Database } from './client.ts';
import { dueCursorKey, dueKey, dueShards, shardOf, type Key } from './keys.ts';
import { getRow, queryRange } from './rows.ts';
import { transact, type Write } from './transaction.ts';

const minuteMs = 60_000;
/** After a long outage one run takes this many minutes; the next, a minute later, goes on. */
const maxMinutes = 4 * 60;

/** After this time a closed minute is looked at once more. */
const lateMs = 60 * minuteMs;
/** Work that keeps failing is tried again once an hour. */
const maxPutOffMinutes = 60;

const minuteOf = (time: number): string => new Date(time).toISOString().slice(0, 16);
/** The clocks of the functions that write due rows may be a little behind; two minutes stay open. */
const closes = (minute: number, current: number): boolean => minute <= current - 2 * minuteMs;
const timeOf = (minute: string): number => Date.parse(`${minute}:00Z`);

/** JSON with the members in order of their names: what comes back from the table has them in any. */
const canonical = (work: DueWork): string =>
  JSON.stringify(work, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

/** Where work that is due at this time lies: the same work of the same minute is one row. */
function placeOf({ work, at }: Waiting): Key {
  const cause = `${work.kind}#${createHash('sha256').update(canonical(work)).digest('base64url')}`;
  return dueKey(minuteOf(at), shardOf(cause, dueShards), cause);
}

/** The due row of some work, as one more write of the transaction that causes it. */
export const dueWrite = (work: DueWork, at: number): Write<never> => ({
  put: { ...placeOf({ work, at }), v: rowVersion, work },
});

/** Work is named within its minute by its shard and its cause. */
const idOf = (shard: number, cause: string): string => `${shard}/${cause}`;
const partsOf = (id: string): { shard: number; cause: string } => ({
  shard: Number(id.slice(0, id.indexOf('/'))),
  cause: id.slice(id.indexOf('/') + 1),
});
const keyOf = (minute: string, id: string): Key => dueKey(minute, partsOf(id).shard, partsOf(id).cause);

/** What waits, by minute. A cursor row says up to which minute everything is done, so that an outage loses nothing. */
export const dueStore = (database: Database, now: Now): DueStore => ({
  async openMinutes() {
    const cursor = await getRow(database, dueCursorKey);
    const current = now();
    // The minute that is running may still get rows; it stays open until it is over and was looked at once more.
    const first = cursor === undefined ? current - 10 * minuteMs : timeOf(cursor['minute']) + minuteMs;
    const count = Math.min(Math.max(0, Math.floor((current - first) / minuteMs) + 1), maxMinutes);
    const open = Array.from({ length: count }, (_, n) => first + n * minuteMs);
    // A writer whose clock is far behind files work in minutes that are closed: each is looked at once more, with the
    // minute that is closed an hour later.
    const late = open
      .filter((minute) => closes(minute, current))
      .map((minute) => minute - lateMs)
      .filter((minute) => minute < first);
    return [...late, ...open].map(minuteOf);
  },

  async workOf(minute) {
    const ofShard = async (_: unknown, shard: number) => {
      const work: { id: string; work: DueWork }[] = [];
      let after: Record<string, unknown> | undefined;
      do {
        const { rows, last } = await queryRange(database, {
          partition: dueKey(minute, shard, '').pk,
          ascending: true,
          limit: 100,
          ...(after && { after }),
        });
        work.push(...rows.map((row) => ({ id: idOf(shard, row['sk']), work: row['work'] as DueWork })));
        after = last;
      } while (after !== undefined);
      return work;
    };
    return (await Promise.all(Array.from({ length: dueShards }, ofShard))).flat();
  },

  async done(minute, id) {
    await database.client.send(new DeleteCommand({ TableName: database.tableName, Key: keyOf(minute, id) }));
  },

  async file({ work, at }) {
    await transact(database, [dueWrite(work, at)]);
  },

  async withdraw(waiting) {
    await transact(
      database,
      waiting.map((one) => ({ delete: placeOf(one) })),
    );
  },

  async putOff(minute, id) {
    const key = keyOf(minute, id);
    const row = await getRow(database, key);
    if (row === undefined) return;
    const tries = (row['tries'] ?? 0) + 1;
    const at = now() + Math.min(2 ** tries, maxPutOffMinutes) * minuteMs;
    const { shard, cause } = partsOf(id);
    await transact<'done'>(database, [
      { delete: key, condition: 'attribute_exists(pk)', otherwise: 'done' },
      { put: { ...row, ...dueKey(minuteOf(at), shard, cause), tries } },
    ]);
  },

  async close(minute) {
    if (!closes(timeOf(minute), now())) return;
    try {
      await database.client.send(
        new PutCommand({
          TableName: database.tableName,
          Item: { ...dueCursorKey, v: rowVersion, minute },
          // A minute that is looked at once more is closed already.
          ConditionExpression: 'attribute_not_exists(pk) OR #minute < :minute',
          ExpressionAttributeNames: { '#minute': 'minute' },
          ExpressionAttributeValues: { ':minute': minute },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  },
});
