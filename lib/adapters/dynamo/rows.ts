import { setTimeout as wait } from 'node:timers/promises';
import { BatchGetCommand, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { together } from '../../core/together.ts';
import type { Database, Row } from './client.ts';
import type { Key } from './keys.ts';

/** A row that is past its time is gone, whether or not DynamoDB has taken it away yet. */
export const alive = (row: Row, now: number): boolean =>
  row['expires'] === undefined || row['expires'] * 1000 > now;

/** One row, read consistently; `undefined` when there is none. */
export async function getRow(database: Database, key: Key): Promise<Row | undefined> {
  const { client, tableName: TableName } = database;
  return (await client.send(new GetCommand({ TableName, Key: key, ConsistentRead: true }))).Item;
}

/** DynamoDB's limit on one BatchGetItem. */
const batch = 100;

/** Rows by their keys, in the order asked, `undefined` where there is none; 100 a call, calls side by side. */
export async function getRows(database: Database, keys: Key[]): Promise<(Row | undefined)[]> {
  const distinct = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
  const chunks = Array.from({ length: Math.ceil(distinct.length / batch) }, (_, n) =>
    distinct.slice(n * batch, (n + 1) * batch),
  );
  const found = new Map<string, Row>();
  await together(
    chunks.map(async (chunk) => {
      for (const row of await getBatch(database, chunk)) found.set(nameOf(row as Key), row);
    }),
  );
  return keys.map((key) => found.get(nameOf(key)));
}

async function getBatch({ client, tableName }: Database, keys: Key[]): Promise<Row[]> {
  const rows: Row[] = [];
  let left: Record<string, any>[] = keys.map(({ pk, sk }) => ({ pk, sk }));
  for (let attempt = 1; left.length > 0; attempt++) {
    const answer = await client.send(
      new BatchGetCommand({ RequestItems: { [tableName]: { Keys: left, ConsistentRead: true } } }),
    );
    rows.push(...(answer.Responses?.[tableName] ?? []));
    left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
    if (left.length > 0 && attempt === 8) throw new Error('DynamoDB left keys of a batch unread 8 times');
    if (left.length > 0) await wait(Math.random() * 10 * 2 ** attempt);
  }
  return rows;
}

const nameOf = ({ pk, sk }: Key): string => `${pk}\n${sk}`;

/** One page of a partition or of an index of it. */
export interface RangeQuery {
  index?: { name: string; partitionKey: string; sortKey: string };
  partition: string;
  /** Bounds of the sort key, both inclusive. */
  from?: string;
  to?: string;
  /** Continue behind this position: the key of the last row seen, with an index its index key too. */
  after?: Row;
  ascending?: boolean;
  limit: number;
}

/** Rows of one query in order, and where to go on; an index is eventually consistent, the table is not. */
export async function queryRange(
  database: Database,
  query: RangeQuery,
): Promise<{ rows: Row[]; last: Row | undefined }> {
  const answer = await database.client.send(
    new QueryCommand({
      TableName: database.tableName,
      IndexName: query.index?.name,
      KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :to',
      ExpressionAttributeNames: {
        '#pk': query.index?.partitionKey ?? 'pk',
        '#sk': query.index?.sortKey ?? 'sk',
      },
      ExpressionAttributeValues: {
        ':pk': query.partition,
        ':from': query.from ?? '\u0000',
        ':to': query.to ?? '\u{10ffff}',
      },
      ExclusiveStartKey: query.after,
      ScanIndexForward: query.ascending ?? false,
      ConsistentRead: query.index === undefined,
      Limit: query.limit,
    }),
  );
  return { rows: answer.Items ?? [], last: answer.LastEvaluatedKey };
}
