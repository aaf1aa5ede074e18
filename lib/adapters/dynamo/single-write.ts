import { setTimeout as wait } from 'node:timers/promises';
import { ConditionalCheckFailedException, TransactionConflictException } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Row } from './client.ts';

const attempts = 8;

/**
 * A write of one row under a condition: its answer, or the row that did not meet it (asked for with
 * `ReturnValuesOnConditionCheckFailure`). DynamoDB refuses it while a transaction holds the row, and the SDK
 * does not repeat that: it is tried 8 times within about 2 seconds.
 */
export async function singleWrite<Answer>(
  send: () => Promise<Answer>,
): Promise<{ answer: Answer } | { refused: Row | undefined }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return { answer: await send() };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException)
        return { refused: error.Item === undefined ? undefined : unmarshall(error.Item) };
      if (!(error instanceof TransactionConflictException) || attempt === attempts) throw error;
      await wait(Math.random() * Math.min(500, 10 * 2 ** attempt));
    }
  }
}
