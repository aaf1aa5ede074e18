import { createHash } from 'node:crypto';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import type { DueStore, DueWork, Waiting } from '../../core/due-ports.ts';
import type { Now } from '../../core/ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { dueKey, dueMinute, dueShards, shardOf, type Key } from './keys.ts';
import { getRow, queryRange } from './rows.ts';
import { transact, type Write } from './transaction.ts';

const minuteMs = 60_000;
/** Work that keeps failing is tried again once an hour. */
const maxPutOffMinutes = 60;
/** Rows of a shard that are read at a time. */
const page = 100;

/** JSON with the members in order of their names: what comes back from the table has them in any. */
const canonical = (work: DueWork): string =>
  JSON.stringify(work, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

const causeOf = (work: DueWork): string =>
  `${work.kind}#${createHash('sha256').update(canonical(work)).digest('base64url')}`;

/** Where work that is due at this time lies: the same work of the same minute is one row. */
function placeOf({ work, at }: Waiting): Key {
  const cause = causeOf(work);
  return dueKey(shardOf(cause, dueShards), at, cause);
}

/** The due row of some work, as one more write of the transaction that causes it. */
export const dueWrite = (work: DueWork, at: number): Write<never> => ({
  put: { ...placeOf({ work, at }), v: rowVersion, work },
});

/** What waits, in order of time: what is not done stays in front, so that no outage and no slow clock loses it. */
export const dueStore = (database: Database, now: Now): DueStore => ({
  lanes() {
    // The minute that is running is due: its work is at most a minute early.
    const to = `${dueMinute(now())}#\uffff`;
    return Array.from({ length: dueShards }, (_, shard) => dueIn(database, shard, to));
  },

  async done(id) {
    await database.client.send(new DeleteCommand({ TableName: database.tableName, Key: keyOf(id) }));
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

  async putOff(id) {
    const key = keyOf(id);
    const row = await getRow(database, key);
    if (row === undefined) return;
    const tries = (row['tries'] ?? 0) + 1;
    const at = now() + Math.min(2 ** tries, maxPutOffMinutes) * minuteMs;
    const later = dueKey(shardOf(causeOf(row['work']), dueShards), at, causeOf(row['work']));
    await transact<'done'>(database, [
      { delete: key, condition: 'attribute_exists(pk)', otherwise: 'done' },
      { put: { ...row, ...later, tries } },
    ]);
  },
});

async function* dueIn(database: Database, shard: number, to: string) {
  for (let after: Row | undefined; ;) {
    const range = { partition: dueKey(shard, 0, '').pk, to, ascending: true, limit: page };
    const { rows, last } = await queryRange(database, { ...range, ...(after && { after }) });
    for (const row of rows) yield { id: idOf(row as Row & Key), work: row['work'] as DueWork };
    if (last === undefined) return;
    after = last;
  }
}

const idOf = ({ pk, sk }: Key): string => `${pk} ${sk}`;
function keyOf(id: string): Key {
  const [pk = '', sk = ''] = id.split(' ');
  return { pk, sk };
}
