import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { decodeTime } from 'ulid';
import { line, seal, type Line } from '../../contract/ledger.ts';
import type { Exported, ExportStore } from '../../core/ledger-ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { exportedKey, lineKey, organizationEntryKey, sealKey, sealPk, type Key } from './keys.ts';
import { toLine } from './line-rows.ts';
import { getRow, getRows, queryRange } from './rows.ts';
import { singleWrite } from './single-write.ts';

const dayMs = 24 * 3600_000;

/** What the export of the ledger reads in the table, and its own row there. */
export const exportStore = (database: Database): ExportStore => ({
  async *organizations() {
    let after: Row | undefined;
    do {
      const page = await queryRange(database, {
        partition: organizationEntryKey('').pk,
        limit: 1000,
        ascending: true,
        ...(after && { after }),
      });
      yield* page.rows.map((row) => row['sk'] as string);
      after = page.last;
    } while (after !== undefined);
  },

  async seals(organizationId, from, limit) {
    const { rows, last } = await queryRange(database, {
      partition: sealPk(organizationId),
      from: sealKey(organizationId, from).sk,
      // Digits only: the head sorts behind them.
      to: '9'.repeat(12),
      limit,
      ascending: true,
    });
    // A row somebody bent until it is no seal any more leaves a gap in the chain, which shows.
    return { seals: rows.flatMap((row) => parsed(seal, row) ?? []), more: last !== undefined };
  },

  async lines(organizationId, lineIds) {
    const found = await linesAt(database, organizationId, lineIds, 0);
    const missing = lineIds.filter((_, n) => found[n] === undefined);
    if (missing.length === 0) return found;
    // An id never goes back within a process, so at midnight it may be a little later than its line.
    const earlier = await linesAt(database, organizationId, missing, dayMs);
    return found.map((one) => one ?? earlier.shift());
  },

  async exported(organizationId) {
    const row = await getRow(database, exportedKey(organizationId));
    return row === undefined ? undefined : { number: row['number'], hash: row['hash'] };
  },

  async advance(organizationId, { number, hash }, before) {
    const row: Key & Exported & { v: number } = {
      ...exportedKey(organizationId),
      v: rowVersion,
      number,
      hash,
    };
    const outcome = await singleWrite(() =>
      database.client.send(
        new PutCommand({
          TableName: database.tableName,
          Item: row,
          ...(before === undefined
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: '#number = :number AND #hash = :hash',
                ExpressionAttributeNames: { '#number': 'number', '#hash': 'hash' },
                ExpressionAttributeValues: { ':number': before.number, ':hash': before.hash },
              }),
        }),
      ),
    );
    return 'answer' in outcome ? 'done' : 'moved';
  },
});

const parsed = <T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
  { pk: _pk, sk: _sk, v: _v, ...row }: Row,
): T | undefined => {
  const read = schema.safeParse(row);
  return read.success ? read.data : undefined;
};

/** Lines by their ids, in the partition of the day `back` milliseconds before that of the id. */
async function linesAt(
  database: Database,
  organizationId: string,
  lineIds: string[],
  back: number,
): Promise<(Line | undefined)[]> {
  const keys = lineIds.map((id) => {
    const ulid = id.slice(4);
    const time = timeOf(ulid);
    return time === undefined
      ? undefined
      : lineKey(organizationId, new Date(time - back).toISOString().slice(0, 10), ulid);
  });
  const rows = await getRows(
    database,
    keys.filter((key) => key !== undefined),
  );
  return keys.map((key) => {
    const row = key === undefined ? undefined : rows.shift();
    return row === undefined ? undefined : parsed(line, toLine(row) as Row);
  });
}

/** `undefined` for what is no ULID: an id as only somebody who wrote the row by hand gives it. */
function timeOf(ulid: string): number | undefined {
  try {
    return decodeTime(ulid.toUpperCase());
  } catch {
    return undefined;
  }
}
