import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import type { Caller } from '../cloud.ts';
import { batch } from './batch.ts';
import type { Counter } from './counter.ts';
import { senderId } from './counter.ts';
import { chosenAttributes, messageAttribute } from './message-attributes.ts';
import { listMoves, startMove } from './move-messages.ts';
import { queueAttributes } from './queue-attributes.ts';
import type { Queue } from './queue.ts';
import type { ReceivedMessage } from './receive.ts';
import { maxBatch, messageSize } from './send.ts';
import type { Outgoing, Sent } from './send.ts';

/** One operation of the JSON protocol: parses its input, asks IAM, answers its output. */
export type Operation = (counter: Counter, caller: Caller, input: unknown) => Promise<object> | object;

/** The queue of an address; only its account and name count, so that any origin will do. */
export function byUrl(counter: Counter, url: string): Queue {
  const [account, name] = url.split('/').slice(-2);
  const queue = account === counter.cloud.account ? counter.queues.get(name ?? '') : undefined;
  if (queue === undefined) throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
  return queue;
}

const message = z.object({
  MessageBody: z.string(),
  MessageAttributes: z.record(z.string(), messageAttribute).nullish(),
  MessageSystemAttributes: z.record(z.string(), messageAttribute).nullish(),
  DelaySeconds: z.number().nullish(),
  MessageGroupId: z.string().nullish(),
  MessageDeduplicationId: z.string().nullish(),
});
const onQueue = z.object({ QueueUrl: z.string() });
const entryId = z.object({ Id: z.string() });

function outgoing(input: z.infer<typeof message>, caller: Caller): Outgoing {
  return {
    body: input.MessageBody,
    attributes: input.MessageAttributes ?? {},
    group: input.MessageGroupId ?? undefined,
    deduplication: input.MessageDeduplicationId ?? undefined,
    delaySeconds: input.DelaySeconds ?? undefined,
    trace: input.MessageSystemAttributes?.['AWSTraceHeader']?.StringValue ?? undefined,
    sender: senderId(caller),
  };
}

const sentAnswer = (sent: Sent) => ({
  MessageId: sent.messageId,
  MD5OfMessageBody: sent.md5OfBody,
  MD5OfMessageAttributes: sent.md5OfAttributes,
  SequenceNumber: sent.sequenceNumber,
});

const sendMessage: Operation = (counter, caller, input) => {
  const request = onQueue.extend(message.shape).parse(input);
  const queue = byUrl(counter, request.QueueUrl);
  counter.authorize(caller, 'SendMessage', queue);
  return sentAnswer(counter.put(queue, outgoing(request, caller)));
};

const sendMessageBatch: Operation = (counter, caller, input) => {
  const request = onQueue.extend({ Entries: z.array(message.extend(entryId.shape)) }).parse(input);
  const queue = byUrl(counter, request.QueueUrl);
  counter.authorize(caller, 'SendMessage', queue);
  const size = request.Entries.reduce((sum, entry) => sum + messageSize(outgoing(entry, caller)), 0);
  if (size > maxBatch) {
    throw new AwsError('BatchRequestTooLong', `Batch requests cannot be longer than ${maxBatch} bytes.`);
  }
  return batch(counter.cloud.weather, request.Entries, (entry) =>
    sentAnswer(counter.put(queue, outgoing(entry, caller))),
  );
};

const receiveMessage: Operation = async (counter, caller, input) => {
  const names = z.array(z.string()).nullish();
  const request = onQueue
    .extend({
      MaxNumberOfMessages: z.number().int().min(1).max(10).nullish(),
      WaitTimeSeconds: z.number().int().min(0).max(20).nullish(),
      VisibilityTimeout: z.number().int().min(0).max(43_200).nullish(),
      AttributeNames: names,
      MessageSystemAttributeNames: names,
      MessageAttributeNames: names,
    })
    .parse(input);
  const { settings } = byUrl(counter, request.QueueUrl);
  const visibility = request.VisibilityTimeout ?? undefined;
  const messages = await counter.receive({
    caller,
    queueArn: settings.arn,
    max: request.MaxNumberOfMessages ?? 1,
    waitMs: request.WaitTimeSeconds == null ? settings.wait : request.WaitTimeSeconds * 1000,
    visibilityMs: visibility === undefined ? undefined : visibility * 1000,
  });
  const system = [...(request.AttributeNames ?? []), ...(request.MessageSystemAttributeNames ?? [])];
  const chosen = messages.map((each) => receivedAnswer(each, system, request.MessageAttributeNames ?? []));
  return chosen.length === 0 ? {} : { Messages: chosen };
};

function receivedAnswer(received: ReceivedMessage, system: string[], wanted: string[]): object {
  const told = Object.entries(received.attributes).filter(
    ([name]) => system.includes('All') || system.includes(name),
  );
  const attributes = chosenAttributes(received.messageAttributes, wanted);
  const any = Object.keys(attributes).length > 0;
  return {
    MessageId: received.messageId,
    ReceiptHandle: received.receiptHandle,
    MD5OfBody: received.md5OfBody,
    Body: received.body,
    ...(told.length > 0 && { Attributes: Object.fromEntries(told) }),
    ...(any && { MessageAttributes: attributes, MD5OfMessageAttributes: received.md5OfMessageAttributes }),
  };
}

const receipt = z.object({ ReceiptHandle: z.string() });
const visibility = receipt.extend({ VisibilityTimeout: z.number().int().min(0).max(43_200) });

const deleteMessage: Operation = (counter, caller, input) => {
  const request = onQueue.extend(receipt.shape).parse(input);
  const queue = byUrl(counter, request.QueueUrl);
  counter.authorize(caller, 'DeleteMessage', queue);
  counter.remove(queue, request.ReceiptHandle);
  return {};
};

const deleteMessageBatch: Operation = (counter, caller, input) => {
  const request = onQueue.extend({ Entries: z.array(receipt.extend(entryId.shape)) }).parse(input);
  const queue = byUrl(counter, request.QueueUrl);
  counter.authorize(caller, 'DeleteMessage', queue);
  return batch(counter.cloud.weather, request.Entries, (entry) => counter.remove(queue, entry.ReceiptHandle));
};

const changeMessageVisibility: Operation = (counter, caller, input) => {
  const request = onQueue.extend(visibility.shape).parse(input);
  const queue = byUrl(counter, request.QueueUrl);
  counter.authorize(caller, 'ChangeMessageVisibility', queue);
  counter.hide(queue, request.ReceiptHandle, request.VisibilityTimeout * 1000);
  return {};
};

const changeMessageVisibilityBatch: Operation = (counter, caller, input) => {
  const request = onQueue.extend({ Entries: z.array(visibility.extend(entryId.shape)) }).parse(input);
  const queue = byUrl(counter, request.QueueUrl);
  counter.authorize(caller, 'ChangeMessageVisibility', queue);
  return batch(counter.cloud.weather, request.Entries, (entry) =>
    counter.hide(queue, entry.ReceiptHandle, entry.VisibilityTimeout * 1000),
  );
};

const getQueueAttributes: Operation = (counter, caller, input) => {
  const request = onQueue.extend({ AttributeNames: z.array(z.string()).nullish() }).parse(input);
  const queue = byUrl(counter, request.QueueUrl);
  counter.authorize(caller, 'GetQueueAttributes', queue);
  return { Attributes: queueAttributes(counter, queue, request.AttributeNames ?? []) };
};

const getQueueUrl: Operation = (counter, caller, input) => {
  const { QueueName } = z.object({ QueueName: z.string() }).parse(input);
  const queue = byUrl(counter, `/${counter.cloud.account}/${QueueName}`);
  counter.authorize(caller, 'GetQueueUrl', queue);
  return { QueueUrl: queue.settings.url };
};

const purgeQueue: Operation = (counter, caller, input) => {
  const queue = byUrl(counter, onQueue.parse(input).QueueUrl);
  counter.authorize(caller, 'PurgeQueue', queue);
  const now = counter.cloud.clock.now();
  if (now - queue.purged < 60_000) {
    const message = 'Only one PurgeQueue operation on each queue is allowed every 60 seconds.';
    throw new AwsError('PurgeQueueInProgress', message, { status: 403 });
  }
  queue.purged = now;
  counter.store.purge(queue.settings.name);
  return {};
};

const listQueues: Operation = (counter, caller, input) => {
  const { QueueNamePrefix: prefix } = z.object({ QueueNamePrefix: z.string().nullish() }).parse(input);
  const { account, region } = counter.cloud;
  const context = { 'aws:SecureTransport': 'true' };
  counter.cloud.authorize({
    caller,
    action: 'sqs:ListQueues',
    resource: `arn:aws:sqs:${region}:${account}:*`,
    context,
  });
  const found = [...counter.queues.values()].filter(({ settings }) => settings.name.startsWith(prefix ?? ''));
  return { QueueUrls: found.slice(0, 1000).map(({ settings }) => settings.url) };
};

const listQueueTags: Operation = (counter, caller, input) => {
  const queue = byUrl(counter, onQueue.parse(input).QueueUrl);
  counter.authorize(caller, 'ListQueueTags', queue);
  const { tags } = queue.settings;
  return Object.keys(tags).length === 0 ? {} : { Tags: tags };
};

const listDeadLetterSourceQueues: Operation = (counter, caller, input) => {
  const queue = byUrl(counter, onQueue.parse(input).QueueUrl);
  counter.authorize(caller, 'ListDeadLetterSourceQueues', queue);
  const { arn } = queue.settings;
  const sources = [...counter.queues.values()].filter(({ settings }) => settings.redrive?.arn === arn);
  // AWS spells this one member in lower case.
  return { queueUrls: sources.slice(0, 1000).map(({ settings }) => settings.url) };
};

/** By the names that follow `AmazonSQS.` in X-Amz-Target. */
export const operations: Record<string, Operation> = {
  ChangeMessageVisibility: changeMessageVisibility,
  ChangeMessageVisibilityBatch: changeMessageVisibilityBatch,
  DeleteMessage: deleteMessage,
  DeleteMessageBatch: deleteMessageBatch,
  GetQueueAttributes: getQueueAttributes,
  GetQueueUrl: getQueueUrl,
  ListDeadLetterSourceQueues: listDeadLetterSourceQueues,
  ListMessageMoveTasks: listMoves,
  ListQueueTags: listQueueTags,
  ListQueues: listQueues,
  PurgeQueue: purgeQueue,
  ReceiveMessage: receiveMessage,
  SendMessage: sendMessage,
  SendMessageBatch: sendMessageBatch,
  StartMessageMoveTask: startMove,
};
