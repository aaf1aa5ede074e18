import { deedRows, type Deed } from '../contract/call.ts';
import type { MailEvent } from '../contract/event.ts';
import { hiddenLabels, maxLabels, systemLabels } from '../contract/label.ts';
import type { InboxRef } from '../contract/principal.ts';
import { Problem } from '../contract/problem.ts';
import { writesOf } from './change-size.ts';
import type { DueWork } from './due-ports.ts';
import {
  maxWrites,
  type MailboxStore,
  type MessageChange,
  type StoredMessage,
  type ThreadChange,
} from './mail-ports.ts';
import type { NewUlid, Now } from './ports.ts';
import { afterChanges, leavesHalf, type Newest } from './thread-changes.ts';
import type { ThreadState } from './thread-state.ts';

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

/** A message that stays, before and after. */
type Relabeling = Required<MessageChange>;

/** Somebody else may change the thread in between; then the change is made again upon theirs, this often at most. */
const attempts = 8;
/** Messages that one step back in a thread reads. */
const step = 100;

interface Plan {
  changes: MessageChange[];
  event?: MailEvent;
  due?: DueWork;
  /** What to do where this does not fit one transaction. */
  orElse?: Omit<Plan, 'orElse'>;
}

/**
 * Changes messages of one thread, and the thread with them, in one transaction: `plan` says how, from the thread
 * as it is. Answers what was changed; `undefined` when there was nothing to change or the thread is not there. A
 * change of more rows than a transaction holds is refused, unless the plan knows another way; that takes a message
 * with all the labels it may carry that also moves a thread with as many others, and fewer labels help.
 */
export async function changeThread(
  { mailbox, now }: ChangeDeps,
  inbox: InboxRef,
  threadId: string,
  plan: (thread: ThreadState) => Promise<Plan | undefined>,
  deed?: Deed,
): Promise<ThreadChange | undefined> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const before = await mailbox.thread(inbox, threadId);
    const planned = before && (await plan(before));
    if (before === undefined || planned === undefined || planned.changes.length === 0) return undefined;
    const time = new Date(now()).toISOString();
    let change = await changeOf(mailbox, inbox, before, planned, time);
    const room = maxWrites - deedRows(deed);
    if (writesOf(change) > room && planned.orElse !== undefined)
      change = await changeOf(mailbox, inbox, before, planned.orElse, time);
    if (writesOf(change) > room) throw tooManyRows();
    if ((await mailbox.change(change, deed)) === 'changed') return change;
  }
  throw new Problem('race_condition', 'the thread is being changed by others', { fix: 'Repeat the call.' });
}

const tooManyRows = (): Problem =>
  new Problem(
    'limit_exceeded',
    `the message and its thread carry too many labels to change at once: more than ${maxWrites} rows`,
    { fix: 'Remove some labels first, a few at a time.' },
  );

async function changeOf(
  mailbox: MailboxStore,
  inbox: InboxRef,
  before: ThreadState,
  { changes, event, due }: Plan,
  now: string,
): Promise<ThreadChange> {
  const after = await threadAfter(mailbox, inbox, before, changes, now);
  return { before, ...(after && { after }), messages: changes, ...(event && { event }), ...(due && { due }) };
}

/** The thread after the changes. Its messages are read only where one leaves it or its half of it, and as far back as needed. */
async function threadAfter(
  mailbox: MailboxStore,
  inbox: InboxRef,
  thread: ThreadState,
  changes: MessageChange[],
  now: string,
): Promise<ThreadState | undefined> {
  const left =
    thread.visible.count + thread.hidden.count - changes.filter(({ after }) => after === undefined).length;
  if (left === 0) return undefined;
  const changed = new Map(changes.map(({ before, after }) => [before.message_id, after]));
  const newest: Newest = { messages: [], all: false };
  const list = { of: 'thread', thread_id: thread.thread_id } as const;
  let position: { after?: string } = {};
  if (thread.deleting !== true && changes.some(leavesHalf))
    do {
      const { entries, more } = await mailbox.entries(inbox, list, {
        ascending: false,
        limit: step,
        ...position,
      });
      const rows = await mailbox.messages(
        inbox,
        entries.map(({ message_id }) => message_id!).filter((id) => !changed.has(id)),
      );
      const untouched = new Map(
        rows.flatMap((row) => (row === undefined ? [] : [[row.message_id, row] as const])),
      );
      newest.messages.push(
        ...entries.flatMap(({ message_id }) => changed.get(message_id!) ?? untouched.get(message_id!) ?? []),
      );
      newest.all = newest.messages.length >= left || !more;
      position = { after: entries.at(-1)?.ulid ?? '' };
    } while (!newest.all && afterChanges(thread, changes, newest, now) === undefined);
  return afterChanges(thread, changes, newest, now);
}

/** The message with other labels; `undefined` when it has them already. */
export function relabel(
  message: StoredMessage,
  { add, remove }: LabelChange,
  now: string,
): StoredMessage | undefined {
  const labels = [...new Set([...message.labels, ...add])].filter((label) => !remove.includes(label));
  if (labels.length === message.labels.length && labels.every((label) => message.labels.includes(label)))
    return undefined;
  const updated_at =
    now > message.updated_at ? now : new Date(Date.parse(message.updated_at) + 1).toISOString();
  return { ...message, labels, updated_at };
}

const ordinary: readonly string[] = ['unread', ...systemLabels, ...hiddenLabels];
const own = (labels: string[]): string[] => labels.filter((label) => !ordinary.includes(label));

/** Labels of one's own that the thread carries once the messages have changed. */
function ownLabels(changes: Relabeling[], thread: ThreadState): Set<string> {
  const carriers = new Map<string, number>();
  const count = (label: string, by: number) => carriers.set(label, (carriers.get(label) ?? 0) + by);
  for (const { labels } of [thread.visible, thread.hidden])
    for (const [label, n] of Object.entries(labels)) count(label, n);
  for (const { before } of changes) for (const label of before.labels) count(label, -1);
  for (const { after } of changes) for (const label of after.labels) count(label, 1);
  return new Set(own([...carriers].flatMap(([label, n]) => (n > 0 ? [label] : []))));
}

/** Refuses labels that are one too many for a message or its thread. */
export function checkLabels(changes: Relabeling[], thread: ThreadState): void {
  if (ownLabels(changes, thread).size <= maxLabels) return;
  const text = `a message, and a thread as a whole, may carry ${maxLabels} labels of your own`;
  throw new Problem('validation_error', text, {
    fix: 'Remove labels first.',
    errors: [{ code: 'too_big', path: ['add_labels'], message: text }],
  });
}

/** The change without the labels that are too many for the thread. */
export function fittingLabels(
  message: StoredMessage,
  thread: ThreadState,
  { add, remove }: LabelChange,
): LabelChange {
  const there = new Set([...ownLabels([], thread), ...own(message.labels)]);
  const fitting = add.filter((label) =>
    own([label]).length === 0 || there.size < maxLabels || there.has(label) ? there.add(label) : false,
  );
  return { add: fitting, remove };
}

/** The event of a change of labels. */
export const labeled = (
  ulid: NewUlid,
  now: string,
  of: StoredMessage | ThreadState,
  change: LabelChange,
  labels?: string[],
): MailEvent => ({
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
