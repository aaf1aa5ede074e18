import { setTimeout as wait } from 'node:timers/promises';
import {
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  StartMessageMoveTaskCommand,
  type ListMessageMoveTasksResultEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { DeadLetterQueue } from './dead-letter-queues.ts';

interface MoveOptions {
  /** Messages a second, 1 to 500; as fast as SQS likes when absent. */
  perSecond?: number | undefined;
  /** Milliseconds between two looks at how far it is. */
  pause?: number;
}

/** Looks until SQS shows a move it has begun: its listing may be behind. */
const patience = 30;

/**
 * Moves all messages back into the queue they came from and returns when that is done; a move that is under way already
 * is waited for. Answers how many were moved and where to. Throws when SQS gives up.
 */
export async function moveMessages(
  sqs: SQSClient,
  { queue, url, arn: SourceArn }: DeadLetterQueue,
  { perSecond, pause = 1000 }: MoveOptions = {},
): Promise<{ moved: number; to: string }> {
  const DestinationArn = await sourceOf(sqs, queue, url);
  const before = await newest(sqs, SourceArn);
  const running = isRunning(before);
  if (!running) {
    // Named, since a message that EventBridge put here itself has no queue it came from.
    await sqs.send(
      new StartMessageMoveTaskCommand({
        ...{ SourceArn, DestinationArn },
        ...(perSecond !== undefined && { MaxNumberOfMessagesPerSecond: perSecond }),
      }),
    );
  }
  for (let looks = 1; ; looks++) {
    const task = await newest(sqs, SourceArn);
    const shown = running || task?.StartedTimestamp !== before?.StartedTimestamp;
    if (shown && !isRunning(task)) return ended(queue, task, DestinationArn);
    if (!shown && looks >= patience)
      throw new Error(`SQS does not show the move it began: look at ${queue} again with --list`);
    await wait(pause);
  }
}

async function sourceOf(sqs: SQSClient, queue: string, QueueUrl: string): Promise<string> {
  const { queueUrls = [] } = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl }));
  const [source, ...others] = queueUrls;
  if (source === undefined || others.length > 0)
    throw new Error(`${queueUrls.length} queues leave their dead letters in that of ${queue}; it takes one`);
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: source, AttributeNames: ['QueueArn'] }),
  );
  return Attributes!['QueueArn']!;
}

async function newest(
  sqs: SQSClient,
  SourceArn: string,
): Promise<ListMessageMoveTasksResultEntry | undefined> {
  const { Results = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn }));
  return Results[0];
}

const isRunning = (task: ListMessageMoveTasksResultEntry | undefined): boolean =>
  task?.Status === 'RUNNING' || task?.Status === 'CANCELLING';

function ended(
  queue: string,
  task: ListMessageMoveTasksResultEntry | undefined,
  destination: string,
): { moved: number; to: string } {
  const moved = task?.ApproximateNumberOfMessagesMoved ?? 0;
  if (task?.Status !== 'COMPLETED')
    throw new Error(
      `The messages of ${queue} were not all moved: ${task?.Status ?? 'unknown'} after ${moved}, ${task?.FailureReason ?? 'SQS gives no reason'}`,
    );
  return { moved, to: destination.split(':').at(-1)! };
}
