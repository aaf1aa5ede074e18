import { createHash, randomUUID } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import type { Cloud } from '../cloud.ts';
import { transaction } from '../open-database.ts';
import { attributesMd5, checkedAttributesSize, md5 } from './message-attributes.ts';
import type { MessageAttributes } from './message-attributes.ts';
import type { MessageStore } from './message-store.ts';
import type { Queue } from './queue.ts';

/** 1 MiB: the largest message, and the largest batch. */
export const maxBatch = 1024 * 1024;
const deduplicationInterval = 5 * 60 * 1000;

/** A message on its way in. */
export interface Outgoing {
  body: string;
  attributes?: MessageAttributes | undefined;
  group?: string | undefined;
  deduplication?: string | undefined;
  delaySeconds?: number | undefined;
  trace?: string | undefined;
  /** Who sends, as SenderId tells. */
  sender: string;
}
export interface Sent {
  messageId: string;
  md5OfBody: string;
  md5OfAttributes: string | undefined;
  /** FIFO queues only. */
  sequenceNumber: string | undefined;
}

/** Puts a message in a queue for good, after the checks of SQS, and wakes who waits there. */
export function sendTo(cloud: Cloud, store: MessageStore, queue: Queue, message: Outgoing): Sent {
  const checked = checkedMessage(queue, message);
  const answer = (messageId: string, sequence: number): Sent => ({
    messageId,
    md5OfBody: md5(message.body),
    md5OfAttributes: attributesMd5(message.attributes ?? {}),
    sequenceNumber: queue.settings.fifo ? sequenceNumber(sequence) : undefined,
  });
  const sent = transaction(store.database, () => {
    const now = cloud.clock.now();
    const { name, deduplicatesByGroup } = queue.settings;
    const scope = deduplicatesByGroup ? checked.group : '';
    const deduplication = checked.deduplication;
    const earlier = deduplication && store.earlier(name, scope, deduplication, now - deduplicationInterval);
    if (earlier) return answer(earlier.id, earlier.sequence);
    const id = randomUUID();
    const sequence = add(cloud, store, queue, { ...checked, id, sent: now, visible: now + checked.delay });
    if (deduplication !== undefined) {
      store.forgetBefore(now - deduplicationInterval);
      store.remember(name, scope, deduplication, id, sequence, now);
    }
    return answer(id, sequence);
  });
  queue.wake();
  return sent;
}

/** As SequenceNumber has it: 20 digits. */
export const sequenceNumber = (sequence: number) => String(sequence).padStart(20, '0');

function add(
  cloud: Cloud,
  store: MessageStore,
  queue: Queue,
  message: Parameters<MessageStore['add']>[1],
): number {
  const { weather } = cloud;
  if (queue.settings.fifo) return store.add(queue.settings.name, message);
  const late = () => (weather.strikes('delay') ? Math.round(weather.random() * 1000) : 0);
  const sequence = store.add(queue.settings.name, { ...message, visible: message.visible + late() });
  if (weather.strikes('duplicate'))
    store.add(queue.settings.name, { ...message, visible: message.visible + late() });
  return sequence;
}

/** Defaults filled in; throws what SQS would refuse the message with. */
function checkedMessage({ settings }: Queue, message: Outgoing) {
  const { body, attributes = {}, sender, trace, group = '' } = message;
  if (body === '') throw invalid('The request must contain a non-empty message body.');
  if (messageSize(message) > settings.maxMessage) {
    throw invalid(
      `One or more parameters are invalid. Reason: Message must be shorter than ${settings.maxMessage} bytes.`,
    );
  }
  // The characters XML 1.0 allows, as SQS's first protocol had to carry them.
  if (!/^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(body)) {
    throw new AwsError('InvalidMessageContents', 'Invalid characters found in the message body.');
  }
  for (const [name, id] of Object.entries({
    MessageGroupId: group,
    MessageDeduplicationId: message.deduplication,
  })) {
    if (id !== undefined && !/^[\x21-\x7e]{0,128}$/.test(id)) throw invalid(`The ${name} is not valid.`);
  }
  const deduplication = deduplicationId(settings, message);
  const delay = delayOf(settings, message.delaySeconds);
  return { body, attributes, sender, trace, group, deduplication, delay };
}

function deduplicationId(
  settings: Queue['settings'],
  { body, group, deduplication }: Outgoing,
): string | undefined {
  if (!settings.fifo) {
    if (deduplication === undefined) return undefined;
    throw invalid(
      'The request includes a parameter that is not valid for this queue type: MessageDeduplicationId',
    );
  }
  if (group === undefined || group === '') {
    throw new AwsError('MissingParameter', 'The request must contain the parameter MessageGroupId.');
  }
  if (deduplication !== undefined && deduplication !== '') return deduplication;
  if (settings.contentBasedDeduplication) return createHash('sha256').update(body).digest('hex');
  throw invalid(
    'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided',
  );
}

function delayOf(settings: Queue['settings'], seconds: number | undefined): number {
  if (seconds === undefined) return settings.delay;
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > 900) {
    throw invalid(
      `Value ${seconds} for parameter DelaySeconds is invalid. Reason: Must be between 0 and 900.`,
    );
  }
  if (settings.fifo && seconds !== settings.delay / 1000) {
    throw invalid('The request includes a parameter that is not valid for this queue type: DelaySeconds');
  }
  return seconds * 1000;
}

/** Bytes of body and attributes. */
export const messageSize = ({ body, attributes = {} }: Outgoing) =>
  Buffer.byteLength(body) + checkedAttributesSize(attributes);

const invalid = (message: string) => new AwsError('InvalidParameterValue', message);
