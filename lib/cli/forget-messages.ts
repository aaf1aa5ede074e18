import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { DeadLetterQueue } from './dead-letter-queues.ts';

/** Where records stood in the table's stream. */
interface StreamPlace {
  shardId: string;
  startSequenceNumber: string;
  endSequenceNumber: string;
  approximateArrivalOfFirstRecord: string;
  approximateArrivalOfLastRecord: string;
  batchSize: number;
}

/**
 * Deletes the messages that are in the queue now and say where records stood in a stream. What they say is handed out
 * before they are deleted, a few at a time, so that it is never lost. Others stay.
 */
export async function* forgetMessages(
  sqs: SQSClient,
  { url: QueueUrl, messages }: Pick<DeadLetterQueue, 'url' | 'messages'>,
): AsyncGenerator<StreamPlace[]> {
  for (let seen = 0; seen < messages;) {
    const { Messages = [] } = await sqs.send(
      // It asks all of SQS's servers only when it may wait.
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    if (Messages.length === 0) break;
    seen += Messages.length;
    const read = Messages.flatMap(({ Body, ReceiptHandle }) => {
      const place = placeIn(Body);
      return place === undefined ? [] : [{ place, ReceiptHandle }];
    });
    if (read.length === 0) continue;
    yield read.map(({ place }) => place);
    const { Failed = [] } = await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: read.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle })),
      }),
    );
    if (Failed.length > 0) throw new Error(`SQS kept ${Failed.length} of them: ${Failed[0]!.Message}`);
  }
}

function placeIn(body = ''): StreamPlace | undefined {
  try {
    return (JSON.parse(body) as { DDBStreamBatchInfo?: StreamPlace }).DDBStreamBatchInfo;
  } catch {
    return undefined;
  }
}
