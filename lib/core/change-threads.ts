import type { UseCase } from '../contract/call.ts';
import type { InboxRef } from '../contract/principal.ts';
import { changeThread, checkLabels, fits, labeled, relabel, type ChangeDeps, type LabelChange } from './change-messages.ts';
import type { DueWork, MailboxStore, StoredMessage } from './mail-ports.ts';
import { inboxOfThread, visibleThread } from './read-threads.ts';
import { ulidOf } from './message-lists.ts';
import { shownHalf, type ThreadState } from './thread-state.ts';

/** A thread up to this long is changed at once if its rows fit one transaction. */
const atOnce = 20;

/** Messages of a thread from new to old, those up to a given one if so asked. */
async function messagesOf({ mailbox }: { mailbox: MailboxStore }, inbox: InboxRef, threadId: string, limit: number, upTo?: string): Promise<{ messages: StoredMessage[]; more: boolean }> {
  const { entries, more } = await mailbox.entries(inbox, { of: 'thread', thread_id: threadId }, { ascending: false, limit, ...(upTo !== undefined && { to: upTo }) });
  const rows = await mailbox.messages(inbox, entries.map(({ message_id }) => message_id!));
  return { messages: rows.filter((row) => row !== undefined), more };
}

const total = (thread: ThreadState): number => thread.visible.count + thread.hidden.count;

/** What the thread's labels will be once every message has changed. */
const labelsAfter = (thread: ThreadState, { add, remove }: LabelChange): string[] =>
  [...new Set([...Object.keys(shownHalf(thread).labels), ...add])].filter((label) => !remove.includes(label)).sort();

/** Adds and removes labels of every message of a thread; a long thread follows in the background, and the answer says so. */
async function labelThread(deps: ChangeDeps, inbox: InboxRef, thread: ThreadState, change: LabelChange) {
  const { thread_id } = thread;
  const now = new Date(deps.now()).toISOString();
  const progress = { pending: false };
  const done = await changeThread(deps, inbox, thread_id, async (current) => {
    const { messages, more } = await messagesOf(deps, inbox, thread_id, atOnce);
    const changes = relabeled(messages, change, now);
    for (const { after } of changes) if (change.add.length > 0) checkLabels(after, current);
    const pending = more || !fits(current, changes);
    progress.pending = pending;
    const head = pending ? changes.slice(0, 1) : changes;
    const event = labeled(deps.ulid, now, current, change, labelsAfter(current, change));
    const upTo = ulidOf(shownHalf(current).last?.message_id ?? thread_id);
    // With nothing to change at the head of a long thread, its newest message carries the due row all the same.
    const carried = head.length > 0 || !pending ? head : messages.slice(0, 1).map((message) => ({ before: message, after: message }));
    return { changes: carried, event, ...(pending && { due: { kind: 'label-thread', inbox, thread_id, ...change, upTo } as DueWork }) };
  });
  return { thread_id, labels: labelsAfter(done?.thread ?? thread, change), ...(progress.pending && { pending: true as const }) };
}

const relabeled = (messages: StoredMessage[], change: LabelChange, now: string) =>
  messages.flatMap((before) => {
    const after = relabel(before, change, now);
    return after === undefined ? [] : [{ before, after }];
  });

/** Deletes a thread for good; a long one is taken out of every list at once and deleted in the background. */
async function removeThread(deps: ChangeDeps, inbox: InboxRef, thread: ThreadState) {
  const { thread_id, organization_id, pod_id, inbox_id } = thread;
  const timestamp = new Date(deps.now()).toISOString();
  const event = { event_id: `evt_${deps.ulid()}`, event_type: 'thread.deleted' as const, organization_id, pod_id, inbox_id, thread_id, timestamp };
  for (;;) {
    const current = await deps.mailbox.thread(inbox, thread_id);
    if (current === undefined || current.deleting === true) return undefined;
    const { messages } = await messagesOf(deps, inbox, thread_id, atOnce);
    const changes = messages.map((before) => ({ before }));
    const pending = messages.length < total(current) || !fits(current, changes);
    const due: DueWork = pending ? { kind: 'delete-thread', inbox, thread_id } : { kind: 'erase-objects', folders: messages.map(({ uid, message_id }) => ({ organization_id, uid, message_id })) };
    const after = { after: { ...current, version: current.version + 1, deleting: true as const } };
    const outcome = await deps.mailbox.change({ before: current, ...(pending && after), messages: pending ? [] : changes, event, due });
    if (outcome === 'changed') return pending ? { thread_id, pending: true as const } : undefined;
  }
}

export const updateThread =
  (deps: ChangeDeps): UseCase<'inboxes.threads.update'> =>
  async ({ principal, inbox, path, body }) =>
    labelThread(deps, inbox, await visibleThread(deps, principal, inbox, path.thread_id), body);

export const updateOrganizationThread =
  (deps: ChangeDeps): UseCase<'threads.update'> =>
  async ({ principal, path, body }) => {
    const inbox = await inboxOfThread(deps, principal, path.thread_id);
    return labelThread(deps, inbox, await visibleThread(deps, principal, inbox, path.thread_id), body);
  };

export const deleteThread =
  (deps: ChangeDeps): UseCase<'inboxes.threads.delete'> =>
  async ({ principal, inbox, path }) =>
    removeThread(deps, inbox, await visibleThread(deps, principal, inbox, path.thread_id));

export const deleteOrganizationThread =
  (deps: ChangeDeps): UseCase<'threads.delete'> =>
  async ({ principal, path }) => {
    const inbox = await inboxOfThread(deps, principal, path.thread_id);
    return removeThread(deps, inbox, await visibleThread(deps, principal, inbox, path.thread_id));
  };

/** Messages that one transaction of the background takes at a time. */
const chunk = 5;

/** Goes on labelling a long thread until every message that was there has changed. Safe to repeat. */
export async function continueLabels(deps: ChangeDeps, work: Extract<DueWork, { kind: 'label-thread' }>): Promise<void> {
  let upTo: string | undefined = work.upTo;
  while (upTo !== undefined) {
    const { messages, more } = await messagesOf(deps, work.inbox, work.thread_id, chunk, upTo);
    const now = new Date(deps.now()).toISOString();
    for (const { before, after } of relabeled(messages, work, now)) {
      await changeThread(deps, work.inbox, work.thread_id, async () => ({ changes: [{ before, after }] }));
    }
    const oldest = messages.at(-1);
    upTo = more && oldest !== undefined ? justBefore(ulidOf(oldest.message_id)) : undefined;
  }
}

/** The greatest ULID below the given one that matters: the same with its last character lowered, or padded low. */
function justBefore(ulid: string): string {
  const last = ulid.charCodeAt(ulid.length - 1);
  return ulid.slice(0, -1) + String.fromCharCode(last - 1) + '~';
}

/** Deletes a thread that was marked, some messages at a time. Answers the folders whose objects can go. Safe to repeat. */
export async function continueDelete(deps: ChangeDeps, work: Extract<DueWork, { kind: 'delete-thread' }>, erase: (folders: StoredMessage[]) => Promise<void>): Promise<void> {
  for (;;) {
    const { messages } = await messagesOf(deps, work.inbox, work.thread_id, chunk);
    if (messages.length === 0) {
      const left = await deps.mailbox.thread(work.inbox, work.thread_id);
      if (left !== undefined) await deps.mailbox.change({ before: left, messages: [] });
      return;
    }
    // Objects first: when this stops in between, the rows still say where to go on.
    await erase(messages);
    await changeThread(deps, work.inbox, work.thread_id, async () => ({ changes: messages.map((before) => ({ before })) }));
  }
}
