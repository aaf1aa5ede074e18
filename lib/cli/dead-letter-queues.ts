import {
  GetQueueAttributesCommand,
  ListQueueTagsCommand,
  paginateListQueues,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { deadLettersTag, stackPrefix, waysBack, type WayBack } from '../contract/dead-letters.ts';
import { UsageError } from './usage-error.ts';

/** The dead-letter queue of a function. */
export interface DeadLetterQueue {
  stack: string;
  /** Name of the function. */
  queue: string;
  url: string;
  arn: string;
  /** About how many there are; SQS counts no more exactly. */
  messages: number;
  /** `undefined` for a function of another version than this. */
  wayBack: WayBack | undefined;
}

/** Those of one deployment, by name. Throws a `UsageError` when there are several to choose from, or none. */
export async function deadLetterQueues(sqs: SQSClient, stack?: string): Promise<DeadLetterQueue[]> {
  const tagged = (await allTagged(sqs)).filter((one) => stack === undefined || one.stack === stack);
  const stacks = [...new Set(tagged.map((one) => one.stack))].toSorted();
  if (stacks.length > 1)
    throw new UsageError(`There are several deployments here: give --stack, one of ${stacks.join(', ')}`);
  if (stacks.length === 0)
    throw new UsageError(
      stack === undefined
        ? 'There is no deployment in this account and Region'
        : `There is no deployment ${stack} in this account and Region`,
    );
  const found = await Promise.all(tagged.map((one) => counted(sqs, one)));
  return found.toSorted((a, b) => a.queue.localeCompare(b.queue));
}

type Tagged = Pick<DeadLetterQueue, 'stack' | 'queue' | 'url'>;

async function allTagged(sqs: SQSClient): Promise<Tagged[]> {
  const tagged: Tagged[] = [];
  const pages = paginateListQueues({ client: sqs, pageSize: 1000 }, { QueueNamePrefix: stackPrefix });
  for await (const { QueueUrls = [] } of pages) {
    const tags = await Promise.all(
      QueueUrls.map(async (QueueUrl) => (await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags),
    );
    for (const [n, url] of QueueUrls.entries()) {
      const [stack, queue] = tags[n]?.[deadLettersTag]?.split('/') ?? [];
      if (stack !== undefined && queue !== undefined) tagged.push({ stack, queue, url });
    }
  }
  return tagged;
}

async function counted(sqs: SQSClient, tagged: Tagged): Promise<DeadLetterQueue> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: tagged.url,
      AttributeNames: ['QueueArn', 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  const { QueueArn, ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible } = Attributes;
  return {
    ...tagged,
    arn: QueueArn!,
    messages: Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible),
    wayBack: (waysBack as Record<string, WayBack>)[tagged.queue],
  };
}
