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
 * Deletes the messages that are in the queue now and say where records stood in a stream; answers what they said. Others
 * stay.
 */
export async function forgetMessages(
  sqs: SQSClient,
  { url: QueueUrl, messages }: Pick<DeadLetterQueue, 'url' | 'messages'>,
): Promise<StreamPlace[]> {
  const places: StreamPlace[] = [];
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
    const { Failed = [] } = await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: read.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle })),
      }),
    );
    const kept = new Set(Failed.map(({ Id }) => Id));
    places.push(...read.flatMap(({ place }, n) => (kept.has(String(n)) ? [] : [place])));
  }
  return places;
}

function placeIn(body = ''): StreamPlace | undefined {
  try {
    return (JSON.parse(body) as { DDBStreamBatchInfo?: StreamPlace }).DDBStreamBatchInfo;
  } catch {
    return undefined;
  }
}
