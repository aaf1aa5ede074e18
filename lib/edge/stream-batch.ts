import middy from '@middy/core';
import type { Context, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { createLog, type Log } from './log.ts';

export interface StreamBatchDoor<Change> {
  /** Reads one record; `undefined`: not for us. */
  parse: (record: DynamoDBRecord) => Change | undefined;
  run: (changes: Change[]) => Promise<unknown>;
  log?: Log;
}

/**
 * The Lambda handler of a table's stream for work that takes a batch at once, in the order of the stream. A record
 * that cannot be read is logged and passed over: it would be as unreadable each time, and hold up all behind it.
 */
export function streamBatchDoor<Change>({
  parse,
  run,
  log = createLog(),
}: StreamBatchDoor<Change>): (event: DynamoDBStreamEvent, context: Context) => Promise<void> {
  const read = (record: DynamoDBRecord): Change | undefined => {
    try {
      return parse(record);
    } catch (error) {
      log.error('record cannot be read', { sequence_number: record.dynamodb?.SequenceNumber, error });
      return undefined;
    }
  };
  const chain = middy<DynamoDBStreamEvent, void>({ timeoutEarlyInMillis: 0 }).handler(
    async ({ Records }: DynamoDBStreamEvent) => {
      const changes = Records.map(read).filter((change) => change !== undefined);
      try {
        if (changes.length > 0) await run(changes);
      } catch (error) {
        log.error('batch failed', { records: Records.length, error });
        throw error;
      }
    },
  );
  return (event, context) => chain(event, context);
}
