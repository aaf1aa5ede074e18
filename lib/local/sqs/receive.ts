import { randomBytes } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import type { Cloud } from '../cloud.ts';
import { transaction } from '../open-database.ts';
import { attributesMd5, md5 } from './message-attributes.ts';
import type { MessageAttributes } from './message-attributes.ts';
import type { MessageStore, StoredMessage } from './message-store.ts';
import type { Queue } from './queue.ts';
import { sequenceNumber } from './send.ts';

/** A message in a receiver's hands. */
export interface ReceivedMessage {
  messageId: string;
  receiptHandle: string;
  body: string;
  md5OfBody: string;
  /** System attributes by their names, such as ApproximateReceiveCount; every one that applies. */
  attributes: Record<string, string>;
  messageAttributes: MessageAttributes;
  md5OfMessageAttributes: string | undefined;
}

/** Where dead letters go: the other queues by their ARNs. */
export type FindQueue = (arn: string) => Queue | undefined;

/**
 * Hands out up to `max` messages and hides them for `visibility` ms. A message that was received too often goes to the
 * dead-letter queue instead.
 */
export function take(
  cloud: Cloud,
  store: MessageStore,
  queue: Queue,
  findQueue: FindQueue,
  max: number,
  visibility: number,
): ReceivedMessage[] {
  const now = cloud.clock.now();
  const since = now - queue.settings.retention;
  const deadLetters = new Set<Queue>();
  const taken = transaction(store.database, () => {
    const received: ReceivedMessage[] = [];
    for (;;) {
      const wanted = max - received.length;
      const found = queue.settings.fifo
        ? inOrder(store, queue, now, since, wanted)
        : fairly(cloud, store, queue, now, since, wanted);
      const dead = found.filter((message) => isDead(queue, message));
      for (const message of dead) deadLetters.add(bury(store, queue, findQueue, message, now));
      for (const message of found) {
        if (!dead.includes(message)) received.push(hand(store, queue, message, now, visibility));
      }
      // Room that dead letters took is offered again.
      if (dead.length === 0 || received.length >= max) return received;
    }
  });
  for (const each of deadLetters) each.wake();
  return taken;
}

/** Standard queues: the group with the fewest messages in flight comes first, so that a busy one starves nobody. */
function fairly(
  cloud: Cloud,
  store: MessageStore,
  { settings }: Queue,
  now: number,
  since: number,
  max: number,
): StoredMessage[] {
  const groups = store.groups(settings.name);
  const lanes = groups.map((group) => ({
    waiting: store.visible(settings.name, group, now, since, max),
    busy: groups.length > 1 ? store.inFlight(settings.name, group, now) : 0,
  }));
  const chosen: StoredMessage[] = [];
  while (chosen.length < max) {
    const lane = lanes
      .filter(({ waiting }) => waiting.length > 0)
      .sort((a, b) => a.busy - b.busy || a.waiting[0]!.visible - b.waiting[0]!.visible)[0];
    if (lane === undefined) break;
    chosen.push(lane.waiting.shift()!);
    lane.busy++;
  }
  return cloud.weather.strikes('reorder') ? shuffled(chosen, () => cloud.weather.random()) : chosen;
}

/** FIFO: each group in its order, and nothing of a group that has messages in flight. */
function inOrder(
  store: MessageStore,
  { settings }: Queue,
  now: number,
  since: number,
  max: number,
): StoredMessage[] {
  const chosen: StoredMessage[] = [];
  for (const group of store.groups(settings.name)) {
    if (chosen.length >= max) break;
    if (store.inFlight(settings.name, group, now) > 0) continue;
    for (const message of store.ordered(settings.name, group, since, max - chosen.length)) {
      if (message.visible > now) break;
      chosen.push(message);
    }
  }
  return chosen;
}

function isDead({ settings }: Queue, message: StoredMessage): boolean {
  return settings.redrive !== undefined && message.receives >= settings.redrive.maxReceives;
}

function bury(
  store: MessageStore,
  queue: Queue,
  findQueue: FindQueue,
  message: StoredMessage,
  now: number,
): Queue {
  const target = findQueue(queue.settings.redrive!.arn);
  if (target === undefined) throw new Error(`the dead-letter queue of ${queue.settings.name} is gone`);
  // A standard queue keeps counting the retention from the first sending, a FIFO queue starts anew.
  const sent = queue.settings.fifo ? now : message.sent;
  store.move(message.sequence, target.settings.name, queue.settings.arn, sent, now);
  return target;
}

function hand(
  store: MessageStore,
  { settings }: Queue,
  message: StoredMessage,
  now: number,
  visibility: number,
): ReceivedMessage {
  const receipt = randomBytes(16).toString('base64url');
  store.hand(message.sequence, now + visibility, now, receipt);
  const { deduplication, trace, source } = message;
  const attributes: Record<string, string | undefined> = {
    SenderId: message.sender,
    SentTimestamp: String(Math.floor(message.sent)),
    ApproximateReceiveCount: String(message.receives + 1),
    ApproximateFirstReceiveTimestamp: String(Math.floor(message.firstReceived ?? now)),
    SequenceNumber: settings.fifo ? sequenceNumber(message.sequence) : undefined,
    MessageDeduplicationId: deduplication,
    MessageGroupId: message.group === '' ? undefined : message.group,
    AWSTraceHeader: trace,
    DeadLetterQueueSourceArn: source,
  };
  return {
    messageId: message.id,
    receiptHandle: Buffer.from(`${message.sequence}.${receipt}`).toString('base64'),
    body: message.body,
    md5OfBody: md5(message.body),
    attributes: Object.fromEntries(
      Object.entries(attributes).filter(([, value]) => value !== undefined),
    ) as Record<string, string>,
    messageAttributes: message.attributes,
    md5OfMessageAttributes: attributesMd5(message.attributes),
  };
}

/**
 * The message a receipt handle is the newest receipt of; `undefined` when it was received again or is gone.
 * ReceiptHandleIsInvalid for what never was a handle.
 */
export function receiptOf(
  store: MessageStore,
  { settings }: Queue,
  handle: string,
): StoredMessage | undefined {
  const match = /^(\d+)\.([\w-]+)$/.exec(Buffer.from(handle, 'base64').toString('latin1'));
  if (match === null) {
    throw new AwsError(
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${handle}" is not a valid receipt handle.`,
    );
  }
  const message = store.get(settings.name, Number(match[1]));
  return message?.receipt === match[2] ? message : undefined;
}

function shuffled<T>(list: T[], random: () => number): T[] {
  const result = [...list];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
