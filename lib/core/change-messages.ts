import type { MailEvent } from '../contract/event.ts';
import { hiddenLabels, maxLabels, systemLabels } from '../contract/label.ts';
import type { InboxRef } from '../contract/principal.ts';
import { Problem } from '../contract/problem.ts';
import type { DueWork, MailboxStore, StoredMessage } from './mail-ports.ts';
import { difference, messageEntries } from './message-lists.ts';
import type { NewUlid, Now } from './ports.ts';
import { afterChanges, threadEntries, type ThreadState } from './thread-state.ts';

export interface ChangeDeps {
  mailbox: MailboxStore;
  now: Now;
  ulid: NewUlid;
}

/** Labels that come and go with a request. */
export interface LabelChange {
  add: string[];
  remove: string[];
}

/** Somebody else may change the thread in between; then the change is made again upon theirs, this often at most. */
const attempts = 8;
/** As many of a thread's newest messages are read to know its last ones after a change. */
const newestRead = 100;
/** A transaction holds 100 writes; some are left for the thread, its event and its due row. */
const maxRowWrites = 92;

type Changes = { before: StoredMessage; after?: StoredMessage }[];
type Plan = { changes: Changes; event?: MailEvent; due?: DueWork } | undefined;

/**
 * Changes messages of one thread, and the thread with them, in one transaction: `plan` says how, from the thread
 * as it is. Answers the changes made; `undefined` when there was nothing to change or the thread is not there.
 */
export async function changeThread(
  { mailbox, now }: ChangeDeps,
  inbox: InboxRef,
  threadId: string,
  plan: (thread: ThreadState) => Promise<Plan>,
): Promise<{ changes: Changes; thread: ThreadState | undefined } | undefined> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const before = await mailbox.thread(inbox, threadId);
    const planned = before && (await plan(before));
    if (before === undefined || planned === undefined || planned.changes.length === 0) return undefined;
    const after = await threadAfter(mailbox, inbox, before, planned.changes, new Date(now()).toISOString());
    const outcome = await mailbox.change({ before, ...(after && { after }), messages: planned.changes, ...(planned.event && { event: planned.event }), ...(planned.due && { due: planned.due }) });
    if (outcome === 'changed') return { changes: planned.changes, thread: after };
  }
  throw new Problem('race_condition', 'the thread is being changed by others', { fix: 'Repeat the call.' });
}

async function threadAfter(mailbox: MailboxStore, inbox: InboxRef, thread: ThreadState, changes: Changes, now: string): Promise<ThreadState | undefined> {
  const left = thread.visible.count + thread.hidden.count - changes.filter(({ after }) => after === undefined).length;
  if (left === 0) return undefined;
  const changed = new Map(changes.map(({ before, after }) => [before.message_id, after]));
  const gone = changes.length - [...changed.values()].filter((after) => after !== undefined).length;
  const { entries } = await mailbox.entries(inbox, { of: 'thread', thread_id: thread.thread_id }, { ascending: false, limit: newestRead + gone });
  const untouched = entries.map(({ message_id }) => message_id!).filter((id) => !changed.has(id));
  const rows = await mailbox.messages(inbox, untouched);
  const changedNow = [...changed.values()].filter((after) => after !== undefined);
  const newest = [...rows.filter((row) => row !== undefined), ...changedNow];
  return afterChanges(thread, changes, newest, now);
}

/** The writes a change of messages costs, the thread's lists included: whether it fits one transaction. */
export function fits(thread: ThreadState, changes: Changes): boolean {
  const rows = changes.reduce((sum, { before, after }) => {
    const { put, remove } = difference(messageEntries(before), after === undefined ? [] : messageEntries(after));
    // A deleted message takes its body row and its claim along.
    return sum + put.length + remove.length + (after === undefined ? 3 : 1);
  }, 0);
  const labels = new Set(changes.flatMap(({ before, after }) => [...before.labels, ...(after?.labels ?? [])]));
  return rows + 2 * (threadEntries(thread).length + labels.size) <= maxRowWrites;
}

/** The message with other labels; `undefined` when it has them already. */
export function relabel(message: StoredMessage, { add, remove }: LabelChange, now: string): StoredMessage | undefined {
  const labels = [...new Set([...message.labels, ...add])].filter((label) => !remove.includes(label));
  if (labels.length === message.labels.length && labels.every((label) => message.labels.includes(label))) return undefined;
  const updated_at = now > message.updated_at ? now : new Date(Date.parse(message.updated_at) + 1).toISOString();
  return { ...message, labels, updated_at };
}

const ordinary: readonly string[] = ['unread', ...systemLabels, ...hiddenLabels];
const own = (labels: string[]): string[] => labels.filter((label) => !ordinary.includes(label));

/** Refuses labels that are one too many for the message or its thread. */
export function checkLabels(message: StoredMessage, thread: ThreadState): void {
  const inThread = new Set(own([...Object.keys(thread.visible.labels), ...Object.keys(thread.hidden.labels), ...message.labels]));
  if (own(message.labels).length <= maxLabels && inThread.size <= maxLabels) return;
  const text = `a message, and a thread as a whole, may carry ${maxLabels} labels of your own`;
  throw new Problem('validation_error', text, { fix: 'Remove labels first.', errors: [{ code: 'too_big', path: ['add_labels'], message: text }] });
}

/** The event of a change of labels. */
export const labeled = (ulid: NewUlid, now: string, of: StoredMessage | ThreadState, change: LabelChange, labels?: string[]): MailEvent => ({
  event_id: `evt_${ulid()}`,
  event_type: 'message_id' in of ? 'message.labeled' : 'thread.labeled',
  organization_id: of.organization_id,
  pod_id: of.pod_id,
  inbox_id: of.inbox_id,
  thread_id: of.thread_id,
  ...('message_id' in of && { message_id: of.message_id }),
  timestamp: now,
  ...(labels !== undefined && { labels }),
  added: change.add,
  removed: change.remove,
});
