import middy from '@middy/core';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { createLog, type Log } from './log.ts';

export interface StreamDoor<Change> {
  /** Reads one record; `undefined`: not for us. */
  parse: (record: DynamoDBRecord) => Change | undefined;
  /** Takes the changes of a batch in their order and answers which of them, by their place, have to come again. */
  run: (changes: Change[]) => Promise<{ at: number; error: unknown }[]>;
  log?: Log;
}

/**
 * The Lambda handler of a table's stream: a batch runs as a whole, and the first record that failed is answered by its
 * sequence number, so that the stream comes again from there, also with what did not fail behind it. What cannot be
 * read fails the same, and nothing behind it is taken.
 */
export function streamDoor<Change>({
  parse,
  run,
  log = createLog(),
}: StreamDoor<Change>): (event: DynamoDBStreamEvent, context: Context) => Promise<DynamoDBBatchResponse> {
  const chain = middy<DynamoDBStreamEvent, DynamoDBBatchResponse>({ timeoutEarlyInMillis: 0 }).handler(
    async ({ Records }: DynamoDBStreamEvent) => {
      const failed: { record: DynamoDBRecord; error: unknown }[] = [];
      const read: { change: Change; record: DynamoDBRecord }[] = [];
      for (const record of Records) {
        try {
          const change = parse(record);
          if (change !== undefined) read.push({ change, record });
        } catch (error) {
          failed.push({ record, error });
          break;
        }
      }
      const failures = read.length === 0 ? [] : await run(read.map(({ change }) => change));
      failed.push(...failures.map(({ at, error }) => ({ record: read[at]!.record, error })));
      for (const { record, error } of failed)
        log.error('record failed', { sequence_number: record.dynamodb?.SequenceNumber, error });
      const first = Records.find((record) => failed.some((one) => one.record === record));
      return {
        batchItemFailures:
          first === undefined ? [] : [{ itemIdentifier: first.dynamodb?.SequenceNumber ?? '' }],
      };
    },
  );
  return (event, context) => chain(event, context);
}
