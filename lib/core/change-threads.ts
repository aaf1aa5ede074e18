import { deedRows, type Deed, type UseCase } from '../contract/call.ts';
import type { InboxRef, KeyPrincipal } from '../contract/principal.ts';
import { Problem } from '../contract/problem.ts';
import {
  changeThread,
  checkLabels,
  labeled,
  relabel,
  type ChangeDeps,
  type LabelChange,
} from './change-messages.ts';
import { writesOf } from './change-size.ts';
import type { DueWork } from './due-ports.ts';
import { maxWrites, type MailboxStore, type StoredMessage, type ThreadChange } from './mail-ports.ts';
import { hiddenBy, ulidOf } from './message-lists.ts';
import { permittedLabels } from './read-messages.ts';
import { inboxOfThread, visibleThread } from './read-threads.ts';
import { shownHalf, type ThreadState } from './thread-state.ts';
import { isIncluded } from './walk-lists.ts';

/** A thread up to this long is changed at once if its rows fit one transaction. */
const atOnce = 20;
/** Somebody else may change the thread in between; then it is tried again, this often at most. */
const attempts = 8;

/** The newest messages of a thread, from new to old, and whether there are others. */
async function newestOf(
  { mailbox }: { mailbox: MailboxStore },
  inbox: InboxRef,
  thread: ThreadState,
): Promise<{ messages: StoredMessage[]; more: boolean }> {
  const { entries } = await mailbox.entries(
    inbox,
    { of: 'thread', thread_id: thread.thread_id },
    { ascending: false, limit: atOnce },
  );
  const rows = await mailbox.messages(
    inbox,
    entries.map(({ message_id }) => message_id!),
  );
  const messages = rows.filter((row) => row !== undefined);
  return { messages, more: messages.length < thread.visible.count + thread.hidden.count };
}

/** What the thread's labels will be once every message has changed. */
const labelsAfter = (thread: ThreadState, { add, remove }: LabelChange): string[] =>
  [...new Set([...Object.keys(shownHalf(thread).labels), ...add])]
    .filter((label) => !remove.includes(label))
    .sort();

/**
 * Adds and removes labels of every message of a thread that the caller may see; a long thread follows in the
 * background, its newest message at once, and the answer says so.
 */
async function labelThread(
  deps: ChangeDeps,
  principal: KeyPrincipal,
  inbox: InboxRef,
  thread: ThreadState,
  change: LabelChange,
  deed: Deed,
) {
  const { thread_id } = thread;
  const permitted = permittedLabels(principal);
  const now = new Date(deps.now()).toISOString();
  const plan = async (current: ThreadState) => {
    const { messages, more } = await newestOf(deps, inbox, current);
    const seen = messages.filter(({ labels }) => isIncluded(hiddenBy(labels), permitted));
    const changes = relabeled(seen, change, now);
    if (change.add.length > 0) checkLabels(changes, current);
    const event = labeled(deps.ulid, now, current, change, labelsAfter(current, change));
    // With nothing to change among the newest, the first of them carries the due row all the same.
    const head =
      changes.length > 0
        ? changes.slice(0, 1)
        : messages.slice(0, 1).map((message) => ({ before: message, after: message }));
    const due: DueWork = {
      kind: 'label-thread',
      inbox,
      thread_id,
      ...change,
      permitted,
      upTo: ulidOf(messages[0]?.message_id ?? thread_id),
    };
    const later = { changes: head, event, due };
    return more ? later : { changes, event, orElse: later };
  };
  const done = await changeThread(deps, inbox, thread_id, plan, deed);
  const labels =
    done?.due === undefined
      ? Object.keys(shownHalf(done?.after ?? thread).labels).sort()
      : labelsAfter(done.after!, change);
  return { thread_id, labels, ...(done?.due !== undefined && { pending: true as const }) };
}

const relabeled = (messages: StoredMessage[], change: LabelChange, now: string) =>
  messages.flatMap((before) => {
    const after = relabel(before, change, now);
    return after === undefined ? [] : [{ before, after }];
  });

/** Deletes a thread for good; a long one is taken out of every list at once and deleted in the background. */
async function removeThread(
  deps: ChangeDeps,
  inbox: InboxRef,
  { thread_id, organization_id, pod_id, inbox_id }: ThreadState,
  deed: Deed,
) {
  const timestamp = new Date(deps.now()).toISOString();
  const event = {
    event_id: `evt_${deps.ulid()}`,
    event_type: 'thread.deleted' as const,
    organization_id,
    pod_id,
    inbox_id,
    thread_id,
    timestamp,
  };
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const before = await deps.mailbox.thread(inbox, thread_id);
    if (before === undefined || before.deleting === true) return undefined;
    const { messages, more } = await newestOf(deps, inbox, before);
    const folders = messages.map(({ uid, message_id }) => ({ organization_id, uid, message_id }));
    const whole: ThreadChange = {
      before,
      messages: messages.map((message) => ({ before: message })),
      event,
      due: { kind: 'erase-objects', folders },
    };
    const pending = more || writesOf(whole) + deedRows(deed) > maxWrites;
    const after = { ...before, version: before.version + 1, deleting: true as const };
    const marked: ThreadChange = {
      before,
      after,
      messages: [],
      event,
      due: { kind: 'delete-thread', inbox, thread_id },
    };
    const outcome = await deps.mailbox.change(pending ? marked : whole, deed);
    if (outcome === 'changed') return pending ? { thread_id, pending: true as const } : undefined;
  }
  throw new Problem('race_condition', 'the thread is being changed by others', { fix: 'Repeat the call.' });
}

export const updateThread =
  (deps: ChangeDeps): UseCase<'threads.update' | 'pods.threads.update' | 'inboxes.threads.update'> =>
  async (call) => {
    const { principal, path, body, deed } = call;
    const inbox = await inboxOfThread(deps, call);
    const thread = await visibleThread(deps, principal, inbox, path.thread_id);
    return labelThread(deps, principal, inbox, thread, body, deed);
  };

export const deleteThread =
  (deps: ChangeDeps): UseCase<'threads.delete' | 'pods.threads.delete' | 'inboxes.threads.delete'> =>
  async (call) => {
    const inbox = await inboxOfThread(deps, call);
    const thread = await visibleThread(deps, call.principal, inbox, call.path.thread_id);
    return removeThread(deps, inbox, thread, call.deed);
  };
