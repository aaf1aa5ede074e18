import type { Attachment } from '../contract/message.ts';
import type { ThreadItem } from '../contract/thread.ts';
import type { StoredMessage } from './mail-ports.ts';
import { firstFitting } from './first-fitting.ts';
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

/** Names and attachments of a long thread are kept up to this many and these bytes: its row is written with each mail. */
const maxListed = 100;
const maxNameBytes = 10_000;
const maxAttachmentBytes = 30_000;

export const emptyHalf = (): ThreadHalf => ({
  count: 0,
  size: 0,
  labels: {},
  senders: [],
  recipients: [],
  attachments: [],
});

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

export const halfOf = (message: { labels: string[] }): 'visible' | 'hidden' =>
  hiddenBy(message.labels).length === 0 ? 'visible' : 'hidden';
const union = (old: string[], more: string[]): string[] =>
  firstFitting([...new Set([...old, ...more])], maxListed, maxNameBytes);

/** Of two last messages the later one, by id: a mail may arrive after one that was sent later. */
export const later = <Last extends { message_id: string }>(one: Last | undefined, other: Last): Last =>
  one === undefined || one.message_id < other.message_id ? other : one;

export type LastName = 'last' | 'last_received' | 'last_sent';
export type Lasts = Pick<ThreadHalf, LastName>;

/** What a message would be the last of. */
export function lastsOf(message: StoredMessage): Lasts {
  const here = { message_id: message.message_id, timestamp: message.timestamp };
  return {
    last: { ...here, ...(message.preview !== undefined && { preview: message.preview }) },
    ...(message.labels.includes('received') && { last_received: here }),
    ...(message.labels.includes('sent') && { last_sent: here }),
  };
}

/** The later one of each. */
export function laterLasts(one: Lasts, other: Lasts): Lasts {
  const names = ['last', 'last_received', 'last_sent'] as const;
  return Object.fromEntries(
    names.flatMap((name) => {
      const added = other[name];
      const chosen = added === undefined ? one[name] : later(one[name], added);
      return chosen === undefined ? [] : [[name, chosen]];
    }),
  );
}

/** The thread with one message more, whenever that message was sent. */
export function withMessage(thread: ThreadState, message: StoredMessage, updated_at: string): ThreadState {
  const name = halfOf(message);
  const half = thread[name];
  const added: ThreadHalf = {
    ...half,
    count: half.count + 1,
    size: half.size + message.size,
    labels: count(half.labels, message.labels, 1),
    senders: union(half.senders, [message.from]),
    recipients: union(half.recipients, [...message.to, ...(message.cc ?? [])]),
    attachments: firstFitting(
      [...half.attachments, ...(message.attachments ?? [])],
      maxListed,
      maxAttachmentBytes,
    ),
    ...laterLasts(half, lastsOf(message)),
  };
  return { ...thread, version: thread.version + 1, [name]: added, updated_at };
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
export const shownHalf = (thread: ThreadState): ThreadHalf =>
  isVisible(thread) ? thread.visible : thread.hidden;

/** Every list the thread stands in: by its newest received message, and for each label by its newest message. */
export function threadEntries(thread: ThreadState): ListEntry[] {
  const half = shownHalf(thread);
  if (half.last === undefined) return [];
  const labels = Object.keys(half.labels);
  const hidden = isVisible(thread) ? [] : hiddenBy(labels);
  const of = isVisible(thread) ? 'threads' : 'hidden-threads';
  const ulid = ulidOf(half.last.message_id);
  return [
    ...(half.last_received === undefined
      ? []
      : [{ list: { of } as const, ulid: ulidOf(half.last_received.message_id), hidden }]),
    ...labels.map((label): ListEntry => ({ list: { of, label }, ulid, hidden })),
  ];
}

/** The lists it stands in now: none while it is being deleted. */
export const listedIn = (thread: ThreadState): ListEntry[] =>
  thread.deleting === true ? [] : threadEntries(thread);

/** The thread as callers see it. */
export function toThreadItem(thread: ThreadState): ThreadItem {
  const half = shownHalf(thread);
  const {
    uid: _uid,
    version: _version,
    visible: _visible,
    hidden: _hidden,
    deleting: _deleting,
    ...shown
  } = thread;
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
