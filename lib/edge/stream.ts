import middy from '@middy/core';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { createLog, type Log } from './log.ts';

export interface StreamDoor<Change> {
  /** Reads one record; `undefined`: not for us. */
  parse: (record: DynamoDBRecord) => Change | undefined;
  run: (change: Change, record: DynamoDBRecord) => Promise<unknown>;
  log?: Log;
}

/**
 * The Lambda handler of a table's stream: records run in their order, and the first that fails ends the batch
 * by its sequence number, so that the stream comes again from there.
 */
export function streamDoor<Change>({
  parse,
  run,
  log = createLog(),
}: StreamDoor<Change>): (event: DynamoDBStreamEvent, context: Context) => Promise<DynamoDBBatchResponse> {
  const chain = middy<DynamoDBStreamEvent, DynamoDBBatchResponse>({ timeoutEarlyInMillis: 0 }).handler(
    async ({ Records }: DynamoDBStreamEvent) => {
      for (const record of Records) {
        try {
          const change = parse(record);
          if (change !== undefined) await run(change, record);
        } catch (error) {
          const itemIdentifier = record.dynamodb?.SequenceNumber ?? '';
          log.error('record failed', { sequence_number: itemIdentifier, error });
          return { batchItemFailures: [{ itemIdentifier }] };
        }
      }
      return { batchItemFailures: [] };
    },
  );
  return (event, context) => chain(event, context);
}
