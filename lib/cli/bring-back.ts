import type { SQSClient } from '@aws-sdk/client-sqs';
import { deadLetterQueues, type DeadLetterQueue } from './dead-letter-queues.ts';
import { forgetMessages } from './forget-messages.ts';
import { moveMessages } from './move-messages.ts';
import { UsageError } from './usage-error.ts';

export interface RedriveOptions {
  stack?: string;
  list?: true;
  maxPerSecond?: number;
  forget?: true;
}

const toldAgain =
  'Nothing had to be moved: events stand in the outbox and rows of work under their watches, and run-due has the stream tell of them again.';

/** Brings back what is in one dead-letter queue, or lists them all. Answers what there is to print, one after the other. */
export async function* bringBack(
  sqs: SQSClient,
  name: string | undefined,
  { stack, list, maxPerSecond, forget }: RedriveOptions,
): AsyncGenerator<unknown> {
  const queues = await deadLetterQueues(sqs, stack);
  const chosen = name === undefined ? queues : queues.filter(({ queue }) => queue === name);
  const [queue] = chosen;
  if (queue === undefined)
    throw new UsageError(
      `${name} has no dead-letter queue; these have: ${queues.map((one) => one.queue).join(', ')}`,
    );
  if (list || name === undefined) return yield { dead_letters: chosen.map(summary) };
  if (forget && queue.wayBack !== 'never')
    throw new UsageError(`What ${name} failed at can be brought back: leave --forget out`);
  switch (queue.wayBack) {
    case 'move':
      return yield { queue: name, ...(await moveMessages(sqs, queue, { perSecond: maxPerSecond })) };
    case 'rows':
      return yield {
        queue: name,
        deleted: (await Array.fromAsync(forgetMessages(sqs, queue))).flat(),
        note: toldAgain,
      };
    case 'never':
      if (!forget) throw new Error(neverBack(queue));
      for await (const deleted of forgetMessages(sqs, queue)) yield { queue: name, deleted };
      return;
    case undefined:
      throw new Error(`This version of posthorn knows no way back for ${name}: take that of the deployment`);
  }
}

const summary = ({ stack, queue, messages, wayBack }: DeadLetterQueue) => ({
  ...{ stack, queue, messages },
  way_back: wayBack ?? 'unknown',
});

const neverBack = ({ queue, messages }: DeadLetterQueue): string =>
  `About ${messages} batches of ${queue} cannot be brought back: the stream has forgotten their lines, and a seal that ` +
  'is made late would not prove that nobody changed them before. Verify the ledgers (posthorn operator audit verify ' +
  '<organization>) and keep what that prints; then --forget deletes the messages and prints what they said.';
