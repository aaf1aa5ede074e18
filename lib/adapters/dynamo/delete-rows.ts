import { setTimeout as wait } from 'node:timers/promises';
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { together } from '../../core/together.ts';
import type { Database } from './client.ts';
import type { Key } from './keys.ts';

/** DynamoDB's limit on one BatchWriteItem. */
const batch = 25;
/** Calls side by side. One partition takes 1,000 write units a second, which is five such calls at 25 ms each. */
const callsAtOnce = 8;
/** What stays unprocessed is tried again within about ten seconds. */
const attempts = 10;

/** Deletes rows by their keys, there or not, 25 a call, several calls side by side. */
export async function deleteRows(database: Database, keys: Key[]): Promise<number> {
  const distinct = [...new Map(keys.map((key) => [`${key.pk}\n${key.sk}`, key])).values()];
  const chunks = Array.from({ length: Math.ceil(distinct.length / batch) }, (_, n) =>
    distinct.slice(n * batch, (n + 1) * batch),
  );
  const worker = async (): Promise<void> => {
    for (let chunk = chunks.pop(); chunk !== undefined; chunk = chunks.pop())
      await deleteBatch(database, chunk);
  };
  await together(Array.from({ length: callsAtOnce }, worker));
  return distinct.length;
}

async function deleteBatch({ client, tableName }: Database, keys: Key[]): Promise<void> {
  let left: object[] = keys.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } }));
  for (let attempt = 1; left.length > 0; attempt++) {
    const { UnprocessedItems } = await client.send(
      new BatchWriteCommand({ RequestItems: { [tableName]: left } }),
    );
    left = UnprocessedItems?.[tableName] ?? [];
    if (left.length > 0 && attempt === attempts)
      throw new Error(`DynamoDB left rows of a batch undeleted ${attempts} times`);
    if (left.length > 0) await wait(Math.random() * Math.min(2000, 20 * 2 ** attempt));
  }
}
