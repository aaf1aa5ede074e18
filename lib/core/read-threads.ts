import { about, type Deed, type UseCase } from '../contract/call.ts';
import type { Message } from '../contract/message.ts';
import type { InboxRef, KeyPrincipal, Scope } from '../contract/principal.ts';
import { notFound } from '../contract/problem.ts';
import { covers } from '../contract/scope.ts';
import { answerBytes } from './compose-message.ts';
import { isThreadId, messageOfAttachment } from './message-id.ts';
import { hiddenBy } from './message-lists.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import {
  attachmentOf,
  bodiesOf,
  permittedLabels,
  toMessage,
  visibleMessage,
  type ReadDeps,
} from './read-messages.ts';
import { isVisible, toThreadItem, type ThreadState } from './thread-state.ts';
import { isIncluded } from './walk-lists.ts';

/** Where a thread lies: in the inbox of the scope, or looked up where none is named. Out of scope is 404. */
export async function inboxOfThread(
  { mailbox }: Pick<ReadDeps, 'mailbox'>,
  { scope, path: { thread_id }, deed }: { scope: Scope; path: { thread_id: string }; deed: Deed },
): Promise<InboxRef> {
  if (scope.inbox !== undefined) return scope.inbox;
  const inbox = isThreadId(thread_id)
    ? await mailbox.inboxOfThread(scope.organization_id, thread_id)
    : undefined;
  if (inbox === undefined || !covers(scope, inbox)) throw notFound('Thread');
  about(deed, [], inbox);
  return inbox;
}

/** One thread that exists and may be seen; a hidden one only with the permission for each label that hides it. */
export async function visibleThread(
  { mailbox }: Pick<ReadDeps, 'mailbox'>,
  principal: KeyPrincipal,
  inbox: InboxRef,
  threadId: string,
): Promise<ThreadState> {
  const thread = isThreadId(threadId) ? await mailbox.thread(inbox, threadId) : undefined;
  const seen =
    thread !== undefined &&
    thread.deleting !== true &&
    (isVisible(thread) ||
      isIncluded(hiddenBy(Object.keys(thread.hidden.labels)), permittedLabels(principal)));
  if (!seen) throw notFound('Thread');
  return thread;
}

/** Bytes of bodies in one page of a thread; a function may answer 6 MB. */
const maxPageBytes = 4_000_000;

async function readThread(
  deps: ReadDeps,
  principal: KeyPrincipal,
  inbox: InboxRef,
  threadId: string,
  query: { limit?: number | undefined; page_token?: string | undefined },
) {
  const thread = await visibleThread(deps, principal, inbox, threadId);
  const purpose = purposeOf('thread', inbox.uid, threadId);
  const page = await pageRequest(deps.tokens, query, purpose);
  const after = page.after?.['after'] as string | undefined;
  const { entries, more } = await deps.mailbox.entries(
    inbox,
    { of: 'thread', thread_id: threadId },
    { ascending: false, limit: page.limit, ...(after !== undefined && { after }) },
  );
  const shown = entries.filter(({ hidden }) =>
    isVisible(thread) ? hidden.length === 0 : isIncluded(hidden, permittedLabels(principal)),
  );
  const stored = (
    await deps.mailbox.messages(
      inbox,
      shown.map(({ message_id }) => message_id!),
    )
  ).filter((message) => message !== undefined);
  const bodies = await bodiesOf(deps, inbox, stored);
  const messages: Message[] = [];
  let bytes = 0;
  for (const message of stored) {
    const answer = await toMessage(deps, message, bodies.get(message.message_id) ?? {});
    bytes += answerBytes(JSON.stringify(answer));
    if (bytes > maxPageBytes && messages.length > 0) break;
    messages.unshift(answer);
  }
  const full = messages.length === stored.length;
  const reached = full ? entries.at(-1)?.ulid : messages[0]!.message_id.slice(4);
  const next = (more || !full) && reached !== undefined ? { next: { after: reached } } : {};
  return {
    ...toThreadItem(thread),
    ...(await pageAnswer(deps.tokens, page, { items: messages, ...next }, purpose)),
    messages,
  };
}

/** A thread with a page of its messages: the newest page first, old to new within it. */
export const getThread =
  (deps: ReadDeps): UseCase<'threads.get' | 'pods.threads.get' | 'inboxes.threads.get'> =>
  async (call) =>
    readThread(deps, call.principal, await inboxOfThread(deps, call), call.path.thread_id, call.query);

async function threadAttachment(
  deps: ReadDeps,
  principal: KeyPrincipal,
  inbox: InboxRef,
  threadId: string,
  attachmentId: string,
) {
  const ulid = messageOfAttachment(attachmentId);
  if (ulid === undefined) throw notFound('Attachment');
  const message = await visibleMessage(deps, principal, inbox, `msg_${ulid}`);
  if (message.thread_id !== threadId) throw notFound('Attachment');
  return attachmentOf(deps, message, attachmentId);
}

export const getThreadAttachment =
  (
    deps: ReadDeps,
  ): UseCase<'threads.getAttachment' | 'pods.threads.getAttachment' | 'inboxes.threads.getAttachment'> =>
  async (call) => {
    const { thread_id, attachment_id } = call.path;
    return threadAttachment(deps, call.principal, await inboxOfThread(deps, call), thread_id, attachment_id);
  };
