import { setTimeout as wait } from 'node:timers/promises';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { maxWrites } from '../../core/mail-ports.ts';
import type { Database, Row } from './client.ts';
import type { Key } from './keys.ts';

type Expression = { condition?: string; names?: Record<string, string>; values?: Record<string, unknown> };

/** One action of a transaction; `otherwise` is the word for its failed condition. */
export type Write<Word extends string> = Expression & { otherwise?: Word } & (
    { put: Row } | { update: Key; set: string } | { delete: Key } | { check: Key }
  );

/** The transaction was kept out by its neighbours for as long as it tried. */
export class TransactionConflict extends Error {
  override name = 'TransactionConflict';
}

const attempts = 8;

/**
 * All writes or none. Answers the word of the first failed condition in the order of `writes`, with the row
 * as it stands. A conflict with another transaction is tried again, up to 8 times within about 2 seconds; after
 * that `TransactionConflict` is thrown.
 */
export async function transact<Word extends string>(
  database: Database,
  writes: Write<Word>[],
): Promise<'done' | { refused: Word; row: Row | undefined }> {
  if (writes.length > maxWrites)
    throw new Error(`a transaction holds ${maxWrites} writes, not ${writes.length}`);
  const items = writes.map((write) => toItem(database.tableName, write));
  for (let attempt = 1; ; attempt++) {
    try {
      await database.client.send(new TransactWriteCommand({ TransactItems: items }));
      return 'done';
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const refused = refusal(writes, error);
      if (refused !== undefined) return refused;
      if (!isConflict(error)) throw error;
      if (attempt === attempts)
        throw new TransactionConflict('too many transactions at once', { cause: error });
      await wait(Math.random() * Math.min(500, 10 * 2 ** attempt));
    }
  }
}

function refusal<Word extends string>(writes: Write<Word>[], error: TransactionCanceledException) {
  const reasons = error.CancellationReasons ?? [];
  const at = reasons.findIndex((reason) => reason.Code === 'ConditionalCheckFailed');
  if (at < 0) return undefined;
  const word = writes[at]!.otherwise;
  if (word === undefined) throw new Error('a condition without a word failed', { cause: error });
  const item = reasons[at]!.Item;
  return { refused: word, row: item === undefined ? undefined : unmarshall(item) };
}

/** Reasons that a repeat may not meet again. */
const passing = ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'];
const isConflict = (error: TransactionCanceledException): boolean =>
  (error.CancellationReasons ?? []).some(({ Code }) => Code !== undefined && passing.includes(Code));

type Item = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

function toItem<Word extends string>(TableName: string, write: Write<Word>): Item {
  const expression = {
    TableName,
    ConditionExpression: write.condition,
    ExpressionAttributeNames: write.names,
    ExpressionAttributeValues: write.values,
    ...(write.condition !== undefined && { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }),
  };
  if ('put' in write) return { Put: { ...expression, Item: write.put } };
  if ('update' in write) return { Update: { ...expression, Key: write.update, UpdateExpression: write.set } };
  if ('delete' in write) return { Delete: { ...expression, Key: write.delete } };
  return { ConditionCheck: { ...expression, Key: write.check, ConditionExpression: write.condition! } };
}
