import type { Call, UseCase } from '../contract/call.ts';
import { hiddenLabels, type HiddenLabel } from '../contract/label.ts';
import type { Message, MessageItem, MessagesQuery } from '../contract/message.ts';
import { may, type InboxRef, type KeyPrincipal } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
import { answerBytes, largeBody } from './compose-message.ts';
import { encodeTime } from 'ulid';
import { listedPage } from './listed-page.ts';
import type { Bodies, MailObjects, MailboxStore, StoredMessage } from './mail-ports.ts';
import { isMessageId, messageOfAttachment } from './message-id.ts';
import { hiddenBy } from './message-lists.ts';
import type { PageTokens } from './ports.ts';
import { together } from './together.ts';
import { isIncluded, walkLists } from './walk-lists.ts';
import { matchesWords } from './words.ts';

export interface ReadDeps {
  mailbox: MailboxStore;
  objects: MailObjects;
  tokens: PageTokens;
}

/** The hidden labels a key may see at all. */
export const permittedLabels = (principal: KeyPrincipal): HiddenLabel[] =>
  hiddenLabels.filter((label) => may(principal, `label_${label}_read`));

/** Those that it also asked for. */
export const includedLabels = (
  principal: KeyPrincipal,
  query: { [Name in `include_${HiddenLabel}`]?: boolean | undefined },
): HiddenLabel[] => permittedLabels(principal).filter((label) => query[`include_${label}`] === true);

/** The stretch of ULIDs strictly between two times. */
export function between({ before, after }: { before?: string | undefined; after?: string | undefined }): {
  from?: string;
  to?: string;
} {
  const time = (iso: string, by: number): number => Math.min(Math.max(Date.parse(iso) + by, 0), 2 ** 48 - 1);
  return {
    ...(after !== undefined && { from: `${encodeTime(time(after, 1), 10).toLowerCase()}` }),
    ...(before !== undefined && { to: `${encodeTime(time(before, -1), 10).toLowerCase()}${'z'.repeat(16)}` }),
  };
}

/** The message as lists show it. */
export function toMessageItem(message: StoredMessage): MessageItem {
  const {
    uid: _uid,
    body: _body,
    large: _large,
    quarantined: _quarantined,
    digest: _digest,
    rfc822_message_id: _id,
    reply_to: _replyTo,
    ...item
  } = message;
  return { ...item, labels: message.labels.toSorted() };
}

/** Messages of an inbox, newest first unless ascending, hidden ones only if asked for and permitted. */
export const listMessages =
  ({ mailbox, tokens }: Pick<ReadDeps, 'mailbox' | 'tokens'>): UseCase<'inboxes.messages.list'> =>
  async ({ principal, inbox, query }) => {
    const walk = {
      of: 'messages' as const,
      labels: normalized(query.labels),
      included: includedLabels(principal, query),
      ...between(query),
    };
    const page = await listedPage(
      tokens,
      { ...query, purpose: ['messages', inbox.uid, walk, query.from, query.to, query.subject] },
      {
        entries: (start, ascending, limit) =>
          walkLists(mailbox, inbox, { ...walk, ascending, ...(start && { start }) }, limit),
        rows: (entries) =>
          mailbox.messages(
            inbox,
            entries.map(({ message_id }) => message_id!),
          ),
        matches: (message) => matchesQuery(message, query),
        filtered: [query.from, query.to, query.subject].some((filter) => filter !== undefined),
      },
    );
    const { items, ...answer } = page;
    return { ...answer, messages: items.map(toMessageItem) };
  };

export const normalized = (labels: string[] | undefined): string[] => [
  ...new Set((labels ?? []).map((label) => label.trim().toLowerCase())),
];

const matchesQuery = (message: StoredMessage, { from, to, subject }: MessagesQuery): boolean =>
  matchesWords(from, [message.from]) &&
  matchesWords(to, [...message.to, ...(message.cc ?? []), ...(message.bcc ?? [])]) &&
  matchesWords(subject, [message.subject ?? '']);

/** One message that exists and may be seen; everything else is 404. */
export async function visibleMessage(
  { mailbox }: Pick<ReadDeps, 'mailbox'>,
  principal: KeyPrincipal,
  inbox: InboxRef,
  messageId: string,
): Promise<StoredMessage> {
  const found = isMessageId(messageId) ? await mailbox.message(inbox, messageId) : undefined;
  return seen(principal, found);
}

function seen(principal: KeyPrincipal, found: StoredMessage | undefined): StoredMessage {
  if (found === undefined || !isIncluded(hiddenBy(found.labels), permittedLabels(principal)))
    throw notFound('Message');
  return found;
}

/** The bodies of messages, wherever they lie. Each object is one more S3 call, so a caller bounds how many it asks for. */
export async function bodiesOf(
  { mailbox, objects }: Pick<ReadDeps, 'mailbox' | 'objects'>,
  inbox: InboxRef,
  messages: StoredMessage[],
): Promise<Map<string, Bodies>> {
  const inRows = messages.filter(({ body }) => body === 'row').map(({ message_id }) => message_id);
  const bodies = inRows.length === 0 ? new Map<string, Bodies>() : await mailbox.bodies(inbox, inRows);
  const inObjects = messages.filter(({ body }) => body === 'object');
  await together(
    inObjects.map(async (message) => bodies.set(message.message_id, await objects.getBodies(message))),
  );
  return bodies;
}

/** The message with its bodies; one over 1 MB is replaced by a URL. */
export async function toMessage(
  { objects }: Pick<ReadDeps, 'objects'>,
  stored: StoredMessage,
  bodies: Bodies,
): Promise<Message> {
  const { reply_to, rfc822_message_id, large = [] } = stored;
  const urls = await together(
    large.map(async (name) => [`${name}_url`, (await objects.urlOf(stored, name)).download_url]),
  );
  // What was extracted from a large body may be as large; the URL has all of it.
  const small = Object.fromEntries(
    Object.entries(bodies).filter(
      ([name, text]) => name === 'headers' || answerBytes(text as string) <= largeBody,
    ),
  );
  return {
    ...toMessageItem(stored),
    ...(reply_to !== undefined && { reply_to }),
    ...(rfc822_message_id !== undefined && { rfc822_message_id }),
    ...small,
    ...(large.length > 0 && { text_truncated: true }),
    ...Object.fromEntries(urls),
  };
}

export const getMessage =
  (deps: ReadDeps): UseCase<'inboxes.messages.get'> =>
  async ({ principal, inbox, path }) => {
    const { message_id } = path;
    const found = isMessageId(message_id) ? await deps.mailbox.whole(inbox, message_id) : undefined;
    const stored = seen(principal, found?.message);
    const bodies = stored.body === 'object' ? await deps.objects.getBodies(stored) : found?.bodies;
    return toMessage(deps, stored, bodies ?? {});
  };

/** In the order asked, without bodies; what is not there or may not be seen is left out. */
export const batchGetMessages =
  ({ mailbox }: Pick<ReadDeps, 'mailbox'>): UseCase<'inboxes.messages.batchGet'> =>
  async ({ principal, inbox, body: { message_ids } }) => {
    const permitted = permittedLabels(principal);
    const found = await mailbox.messages(inbox, message_ids.filter(isMessageId));
    const messages = found.filter(
      (message) => message !== undefined && isIncluded(hiddenBy(message.labels), permitted),
    ) as StoredMessage[];
    return { limit: message_ids.length, count: messages.length, messages: messages.map(toMessageItem) };
  };

function refuseQuarantined(message: StoredMessage): void {
  if (message.quarantined === true)
    throw new Problem('quarantined', 'a virus was found in this message; nothing of it is handed out', {
      fix: 'Ask the operator, who can read it in the bucket.',
    });
}

export const getRawMessage =
  (deps: ReadDeps): UseCase<'inboxes.messages.getRaw'> =>
  async ({ principal, inbox, path }) => {
    const message = await visibleMessage(deps, principal, inbox, path.message_id);
    refuseQuarantined(message);
    return {
      message_id: message.message_id,
      size: message.size,
      ...(await deps.objects.urlOf(message, 'raw')),
    };
  };

export const getMessageAttachment =
  (deps: ReadDeps): UseCase<'inboxes.messages.getAttachment'> =>
  async ({ principal, inbox, path }: Call<'inboxes.messages.getAttachment'>) =>
    attachmentOf(deps, await visibleMessage(deps, principal, inbox, path.message_id), path.attachment_id);

/** An attachment of a message that may be seen. */
export async function attachmentOf(
  { objects }: Pick<ReadDeps, 'objects'>,
  message: StoredMessage,
  attachmentId: string,
) {
  refuseQuarantined(message);
  const attachment = message.attachments?.find(({ attachment_id }) => attachment_id === attachmentId);
  if (attachment === undefined || messageOfAttachment(attachmentId) === undefined)
    throw notFound('Attachment');
  return { ...attachment, ...(await objects.urlOf(message, attachment)) };
}
