import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { createLog, type Log } from './log.ts';

export interface QueueDoor<Job> {
  /** Reads one message; what it throws fails that message alone. */
  parse: (body: string) => Job | Promise<Job>;
  run: (job: Job, context: Context) => Promise<unknown>;
  log?: Log;
}

/**
 * The Lambda handler of a queue: messages of a batch run side by side, and one that fails is reported by its
 * id, so that it alone comes again.
 */
export function queueDoor<Job>({
  parse,
  run,
  log = createLog(),
}: QueueDoor<Job>): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  const attempt = async (record: SQSRecord, context: Context): Promise<string[]> => {
    try {
      await run(await parse(record.body), context);
      return [];
    } catch (error) {
      log.error('message failed', {
        message_id: record.messageId,
        attempt: record.attributes?.ApproximateReceiveCount,
        error,
      });
      return [record.messageId];
    }
  };
  const chain = middy<SQSEvent, SQSBatchResponse>({ timeoutEarlyInMillis: 0 }).handler(
    async ({ Records }: SQSEvent, context) => {
      const failed = await Promise.all(Records.map((record) => attempt(record, context)));
      return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
    },
  );
  return (event, context) => chain(event, context);
}
