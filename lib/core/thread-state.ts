import type { Attachment } from '../contract/message.ts';
import type { ThreadItem } from '../contract/thread.ts';
import type { StoredMessage } from './mail-ports.ts';
import { hiddenBy, ulidOf, type ListEntry } from './message-lists.ts';

/** What a thread knows of one half of its messages: those everybody sees, or the hidden ones. */
export interface ThreadHalf {
  count: number;
  /** Bytes of raw mail. */
  size: number;
  /** How many of the messages carry each label. */
  labels: Record<string, number>;
  senders: string[];
  recipients: string[];
  attachments: Attachment[];
  last?: { message_id: string; timestamp: string; preview?: string };
  last_received?: { message_id: string; timestamp: string };
  last_sent?: { message_id: string; timestamp: string };
}

/** A thread as it is stored: a fold over its messages, changed one message at a time. */
export interface ThreadState {
  organization_id: string;
  pod_id: string;
  inbox_id: string;
  uid: string;
  thread_id: string;
  /** Counts the changes; every write names the one it saw. */
  version: number;
  subject?: string;
  visible: ThreadHalf;
  hidden: ThreadHalf;
  created_at: string;
  updated_at: string;
  /** Its messages are being deleted in the background. */
  deleting?: true;
}

/** Names and attachments of a long thread are kept up to this many, so that its row stays small. */
const maxListed = 100;

const emptyHalf = (): ThreadHalf => ({ count: 0, size: 0, labels: {}, senders: [], recipients: [], attachments: [] });

/** The thread a message begins. */
export const newThread = (message: StoredMessage): ThreadState => ({
  organization_id: message.organization_id,
  pod_id: message.pod_id,
  inbox_id: message.inbox_id,
  uid: message.uid,
  thread_id: message.thread_id,
  version: 0,
  ...(message.subject !== undefined && { subject: message.subject }),
  visible: emptyHalf(),
  hidden: emptyHalf(),
  created_at: message.created_at,
  updated_at: message.updated_at,
});

const halfOf = (message: { labels: string[] }): 'visible' | 'hidden' => (hiddenBy(message.labels).length === 0 ? 'visible' : 'hidden');
const union = <Item>(old: Item[], more: Item[]): Item[] => [...new Set([...old, ...more])].slice(0, maxListed);

/** The thread with one message more, whenever that message was sent. */
export function withMessage(thread: ThreadState, message: StoredMessage, updated_at: string): ThreadState {
  const name = halfOf(message);
  const half = thread[name];
  const here = { message_id: message.message_id, timestamp: message.timestamp };
  const newer = <Last extends { message_id: string }>(last: Last | undefined, next: Last): Last =>
    last === undefined || last.message_id < next.message_id ? next : last;
  return {
    ...thread,
    version: thread.version + 1,
    [name]: {
      ...half,
      count: half.count + 1,
      size: half.size + message.size,
      labels: count(half.labels, message.labels, 1),
      senders: union(half.senders, [message.from]),
      recipients: union(half.recipients, [...message.to, ...(message.cc ?? [])]),
      attachments: [...half.attachments, ...(message.attachments ?? [])].slice(0, maxListed),
      last: newer(half.last, { ...here, ...(message.preview !== undefined && { preview: message.preview }) }),
      ...(message.labels.includes('received') && { last_received: newer(half.last_received, here) }),
      ...(message.labels.includes('sent') && { last_sent: newer(half.last_sent, here) }),
    },
    updated_at,
  };
}

/** The thread with one message less. What it saw of names and attachments stays, unless `rest` is all there is. */
function withoutMessage(thread: ThreadState, message: StoredMessage): ThreadState {
  const name = halfOf(message);
  const half = thread[name];
  return { ...thread, [name]: { ...half, count: half.count - 1, size: half.size - message.size, labels: count(half.labels, message.labels, -1) } };
}

/**
 * The thread after some of its messages changed or went. `newest` are its newest messages after the change: when
 * they are all of them, the thread is folded anew from them; of a longer one, counts are kept up and the last
 * messages are taken from them.
 */
export function afterChanges(
  thread: ThreadState,
  changes: { before: StoredMessage; after?: StoredMessage }[],
  newest: StoredMessage[],
  updated_at: string,
): ThreadState {
  const version = thread.version + 1;
  const oldestFirst = newest.toSorted((a, b) => (a.message_id < b.message_id ? -1 : 1));
  const left = thread.visible.count + thread.hidden.count - changes.filter(({ after }) => after === undefined).length;
  if (newest.length >= left) {
    const folded = oldestFirst.reduce((state, message) => withMessage(state, message, updated_at), { ...thread, visible: emptyHalf(), hidden: emptyHalf() });
    return { ...folded, version, updated_at };
  }
  let state = thread;
  for (const { before, after } of changes) {
    state = withoutMessage(state, before);
    if (after !== undefined) state = withMessage(state, after, updated_at);
  }
  const recent = oldestFirst.reduce((fold, message) => withMessage(fold, message, updated_at), { ...thread, visible: emptyHalf(), hidden: emptyHalf() });
  return { ...state, visible: withLasts(state.visible, recent.visible), hidden: withLasts(state.hidden, recent.hidden), version, updated_at };
}

/** Of a long thread, `recent` knows which messages are the last ones, as far as it reaches back. */
function withLasts({ last, last_received, last_sent, ...half }: ThreadHalf, recent: ThreadHalf): ThreadHalf {
  const lasts = { last: recent.last ?? last, last_received: recent.last_received ?? last_received, last_sent: recent.last_sent ?? last_sent };
  return { ...half, ...(Object.fromEntries(Object.entries(lasts).filter(([, value]) => value !== undefined)) as Partial<ThreadHalf>) };
}

/** Label counts after some labels came (`by` 1) or went (`by` -1); a label nobody carries is gone. */
export function count(labels: Record<string, number>, changed: string[], by: 1 | -1): Record<string, number> {
  const counts = new Map(Object.entries(labels));
  for (const label of changed) counts.set(label, (counts.get(label) ?? 0) + by);
  return Object.fromEntries([...counts].filter(([, n]) => n > 0));
}

/** Whether anything of the thread is seen without asking for hidden mail. */
export const isVisible = (thread: ThreadState): boolean => thread.visible.count > 0;

/** The half a reader sees: the visible one, and the hidden one only where there is no other. */
export const shownHalf = (thread: ThreadState): ThreadHalf => (isVisible(thread) ? thread.visible : thread.hidden);

/** Every list the thread stands in: by its newest received message, and for each label by its newest message. */
export function threadEntries(thread: ThreadState): ListEntry[] {
  const half = shownHalf(thread);
  if (half.last === undefined) return [];
  const labels = Object.keys(half.labels);
  const hidden = isVisible(thread) ? [] : hiddenBy(labels);
  const of = isVisible(thread) ? 'threads' : 'hidden-threads';
  const ulid = ulidOf(half.last.message_id);
  return [
    ...(half.last_received === undefined ? [] : [{ list: { of } as const, ulid: ulidOf(half.last_received.message_id), hidden }]),
    ...labels.map((label): ListEntry => ({ list: { of, label }, ulid, hidden })),
  ];
}

/** The thread as callers see it. */
export function toThreadItem(thread: ThreadState): ThreadItem {
  const half = shownHalf(thread);
  const { uid: _uid, version: _version, visible: _visible, hidden: _hidden, deleting: _deleting, ...shown } = thread;
  const last = half.last!;
  return {
    ...shown,
    labels: Object.keys(half.labels).sort(),
    senders: half.senders,
    recipients: half.recipients,
    ...(half.attachments.length > 0 && { attachments: half.attachments }),
    timestamp: last.timestamp,
    ...(half.last_received && { received_timestamp: half.last_received.timestamp }),
    ...(half.last_sent && { sent_timestamp: half.last_sent.timestamp }),
    ...(last.preview !== undefined && { preview: last.preview }),
    last_message_id: last.message_id,
    message_count: half.count,
    size: half.size,
  };
}
