import type { Announced, PublishedEvent } from '../contract/event.ts';
import type { Message } from '../contract/message.ts';
import { contentTypes, largestPart, webhookPayloads } from '../contract/webhook-payload.ts';
import type { Bodies, MailboxStore, MailObjects } from './mail-ports.ts';
import type { InboxStore } from './ports.ts';
import { toInbox } from './read-inboxes.ts';
import { toMessageItem } from './read-messages.ts';
import { toThreadItem } from './thread-state.ts';

/** An event as the bus has it. */
export type HeardEvent = PublishedEvent & { event_type: Announced };

export interface BodyDeps {
  mailbox: Pick<MailboxStore, 'whole' | 'thread'>;
  objects: Pick<MailObjects, 'getBodies'>;
  inboxes: Pick<InboxStore, 'get'>;
}

/** Bytes of a whole body: what it is compressed to fits a row of 400 KB, however little that is. */
const largestBody = 256 * 1024;
/** What is left out of a body that is too large, one after the other. */
const leftOut = ['headers', 'extracted_html', 'html', 'extracted_text', 'text'] as const;

/** Whether the body of an event holds content of its inbox, and so lies in it. */
export const holdsContent = ({ event_type }: HeardEvent): boolean => contentTypes.includes(event_type);

/** What webhooks are told of an event, as JSON; `undefined`: what it is of has been deleted, and nothing is told. */
export async function eventBody(deps: BodyDeps, event: HeardEvent): Promise<string | undefined> {
  const content = holdsContent(event) ? await contentOf(deps, event) : {};
  if (content === undefined) return undefined;
  const said = { type: 'event', ...event, ...content };
  return JSON.stringify(webhookPayloads[event.event_type].parse(said));
}

async function contentOf(deps: BodyDeps, event: HeardEvent): Promise<object | undefined> {
  const { organization_id, pod_id, inbox_id, inbox_uid: uid, message_id } = event;
  if (uid === undefined || pod_id === undefined || inbox_id === undefined) return undefined;
  // It was not stored; the event says all there is.
  if (event.event_type === 'message.refused') return {};
  if (event.event_type.startsWith('message.'))
    return mailOf(deps, { organization_id, pod_id, inbox_id, uid }, message_id ?? '');
  const inbox = await deps.inboxes.get({ organization_id, uid });
  return inbox && { inbox: toInbox(inbox) };
}

async function mailOf(
  { mailbox, objects }: BodyDeps,
  ref: Parameters<MailboxStore['whole']>[0],
  messageId: string,
): Promise<object | undefined> {
  const found = await mailbox.whole(ref, messageId);
  if (found === undefined) return undefined;
  const { message } = found;
  const thread = await mailbox.thread(ref, message.thread_id);
  if (thread === undefined || thread.deleting === true) return undefined;
  const bodies = message.body === 'object' ? await objects.getBodies(message) : found.bodies;
  const { reply_to, rfc822_message_id, large = [] } = message;
  const told = fitting({
    ...toMessageItem(message),
    ...(reply_to !== undefined && { reply_to }),
    ...(rfc822_message_id !== undefined && { rfc822_message_id }),
    ...(large.length > 0 && { text_truncated: true }),
    ...bodies,
  });
  return { message: { ...told, from_: told.from }, thread: toThreadItem(thread) };
}

const bytes = (value: unknown): number =>
  Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value));

/** Without the bodies that are too large, each by itself and all together. */
function fitting(message: Message): Message {
  const told = { ...message };
  const leaveOut = (part: keyof Bodies): void => {
    delete told[part];
    if (part !== 'headers') told.text_truncated = true;
  };
  for (const part of leftOut) {
    if (told[part] !== undefined && bytes(told[part]) > largestPart) leaveOut(part);
  }
  for (const part of leftOut) {
    if (told[part] !== undefined && bytes(told) > largestBody) leaveOut(part);
  }
  return told;
}
