import type { Deed } from '../contract/call.ts';
import type { MailEvent } from '../contract/event.ts';
import type { Attachment, MessageItem } from '../contract/message.ts';
import type { Line } from '../contract/ledger.ts';
import type { HiddenLabel } from '../contract/label.ts';
import type { Notice } from '../contract/notice.ts';
import type { InboxRef } from '../contract/principal.ts';
import type { Undeliverable } from '../contract/undeliverable.ts';
import type { DueWork } from './due-ports.ts';
import type { ListEntry } from './message-lists.ts';
import type { Page, PageRequest } from './ports.ts';
import type { Intake, Room } from './room.ts';
import type { ThreadState } from './thread-state.ts';

/** What a mail says. */
export interface Bodies {
  text?: string;
  html?: string;
  extracted_text?: string;
  extracted_html?: string;
  headers?: Record<string, string>;
}

/** A message as it is stored, without its bodies. */
export interface StoredMessage extends MessageItem {
  uid: string;
  reply_to?: string[];
  rfc822_message_id?: string;
  /** Where the bodies are: a row of their own, an object, or nowhere (quarantined, or the mail has none). */
  body: 'row' | 'object' | 'none';
  /** Whether text or html is over 1 MB and stands in an object of its own. */
  large?: ('text' | 'html')[];
  /** SHA-256 of the mail, by which a further copy of it is known. */
  digest?: string;
  /** A virus was found: the raw mail is kept for the operator, and nothing of it is given to the agent. */
  quarantined?: true;
}

/** Where the objects of a message lie: `<organization>/<inbox>/<message>/`. */
export interface ObjectFolder {
  organization_id: string;
  uid: string;
  message_id: string;
}

/** Port: the mail bucket. */
export interface MailObjects {
  /** A mail as SES stored it; `undefined` when it is gone, which is the end of every ingest. */
  openIncoming(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Server-side: the bytes do not come through here. */
  keepRaw(incomingKey: string, folder: ObjectFolder): Promise<'kept' | 'gone'>;
  putAttachment(folder: ObjectFolder, attachment: Attachment, path: string): Promise<void>;
  /** Bodies too large for a row; those over 1 MB also each as an object to download. */
  putBodies(folder: ObjectFolder, bodies: Bodies, large: ('text' | 'html')[]): Promise<void>;
  getBodies(folder: ObjectFolder): Promise<Bodies>;
  removeIncoming(key: string): Promise<void>;
  /** Mails that SES stored before the given time and nobody has taken in; at most 100, with the first 64 KB of each. */
  leftIncoming(before: number): Promise<{ key: string; stored_at: string; head: string }[]>;
  removeAll(folder: ObjectFolder): Promise<void>;
  /** A URL that needs no header and answers as a download, and when it ends. */
  urlOf(
    folder: ObjectFolder,
    what: 'raw' | 'text' | 'html' | Attachment,
  ): Promise<{ download_url: string; expires_at: string }>;
}

/** What is known of a mail before it is stored. */
export interface Acquaintance {
  /** The message that this very delivery was stored as before, or counted as a copy of. */
  delivered?: string;
  /** The message that has the same bytes, within three days. */
  twin?: string;
  /** The threads that know one of the ids, by id. */
  threads: Map<string, string>;
  /** Its organization is being deleted: nothing is stored in it any more. */
  closed?: true;
  /** This very delivery was refused before, since there was no room. */
  refused?: true;
  room: Room;
}

/** A mail that an inbox has no room for. */
export interface RefusedMail {
  inbox: InboxRef;
  ses_id: string;
  event: MailEvent;
}

/** A message about to be stored, with everything that has to change with it. */
export interface Delivery {
  inbox: InboxRef;
  ses_id: string;
  digest: string;
  message: StoredMessage;
  /** Bodies that go into a row; absent when they are in an object, or there are none. */
  bodies?: Bodies;
  /** The thread as it was read; absent when this message begins one. */
  before?: ThreadState;
  after: ThreadState;
  /**
   * Ids that lead to this thread from now on, the most telling first: as many are kept as the transaction has room
   * for, which is 24 at least. Each must still lead where it led when it was read (`was`), or nowhere.
   */
  leads: { id: string; was?: string }[];
  event: MailEvent;
  /** Absent: the inbox has no limit. */
  intake?: Intake;
  /** The event that four fifths of the room are taken. */
  warning?: MailEvent;
  /** What the ledger says of it. */
  line: Line;
}

/** Port: what the receiver reads and writes in an inbox. */
export interface DeliveryStore {
  /** One read: the claims of this mail, and the threads of the ids it names. */
  acquaint(
    inbox: InboxRef,
    mail: { ses_id: string; rfc822_message_id: string; digest: string; ids: string[] },
  ): Promise<Acquaintance>;
  /** Those of them that are there, in one read. */
  threads(inbox: InboxRef, threadIds: string[]): Promise<ThreadState[]>;
  /** One transaction. `changed`: the thread, an id or the room is not as it was read; read again and repeat. */
  append(delivery: Delivery): Promise<'added' | 'delivered' | 'duplicate' | 'changed' | 'no_inbox'>;
  /** Remembers that a delivery was refused and announces it, once. `delivered`: it was stored, or refused, before. */
  refuse(mail: RefusedMail): Promise<'refused' | 'delivered' | 'no_inbox'>;
  /** Counts a further copy on the message it repeats, once for each SES id. `gone`: that message was deleted. */
  countDuplicate(inbox: InboxRef, copy: { ses_id: string; of: string }): Promise<'counted' | 'gone'>;
  /** Small enough for a row? Measured as it would be stored. */
  fitsRow(bodies: Bodies): Promise<boolean>;
}

/** One row of a list: where it stands and what it means. */
export interface ListedEntry {
  ulid: string;
  thread_id: string;
  message_id?: string;
  hidden: HiddenLabel[];
}

/** A stretch of a list, by ULID; the bounds are inclusive, `after` is not. */
export interface Stretch {
  from?: string;
  to?: string;
  after?: string;
  ascending: boolean;
  limit: number;
}

/** Writes that one transaction of a store holds. */
export const maxWrites = 100;

/** A message before and after a change; without `after` it is deleted. */
export interface MessageChange {
  before: StoredMessage;
  after?: StoredMessage;
}

/** A change of some messages of one thread, and of the thread with them: all of it or nothing, `maxWrites` at most. */
export interface ThreadChange {
  before: ThreadState;
  /** Absent: the thread ends with its last message. */
  after?: ThreadState;
  messages: MessageChange[];
  event?: MailEvent;
  /** What is left to do when the change is made, such as removing objects. */
  due?: DueWork;
}

/** Port: what lies in an inbox, for its readers. */
export interface MailboxStore {
  message(inbox: InboxRef, messageId: string): Promise<StoredMessage | undefined>;
  /** A message and, where they lie in a row, its bodies, in one read. */
  whole(inbox: InboxRef, messageId: string): Promise<{ message: StoredMessage; bodies?: Bodies } | undefined>;
  /** In the order asked; at most 500. */
  messages(inbox: InboxRef, messageIds: string[]): Promise<(StoredMessage | undefined)[]>;
  /** Bodies that lie in rows, by message id. */
  bodies(inbox: InboxRef, messageIds: string[]): Promise<Map<string, Bodies>>;
  thread(inbox: InboxRef, threadId: string): Promise<ThreadState | undefined>;
  threads(inbox: InboxRef, threadIds: string[]): Promise<(ThreadState | undefined)[]>;
  /** One query of one list. */
  entries(
    inbox: InboxRef,
    list: ListEntry['list'],
    stretch: Stretch,
  ): Promise<{ entries: ListedEntry[]; more: boolean }>;
  /** Threads of an organization by last activity; an index, so a second behind, and with places nobody stands at any more. */
  organizationThreads(
    organizationId: string,
    visible: boolean,
    stretch: Stretch,
  ): Promise<{ found: { thread: ThreadState | undefined; ulid: string }[]; more: boolean }>;
  /** In which inbox of the organization a thread lies. */
  inboxOfThread(organizationId: string, threadId: string): Promise<InboxRef | undefined>;
  /** One transaction, with what the call leaves behind. */
  change(change: ThreadChange, deed?: Deed): Promise<'changed' | 'stale'>;
}

/** Port: mail nobody has an address for. Each recipient of each mail is noted once. */
export interface UndeliverableStore {
  note(entries: Omit<Undeliverable, 'undeliverable_id'>[]): Promise<void>;
  /** The last 30 days, newest first unless ascending. */
  list(page: PageRequest): Promise<Page<Undeliverable>>;
}

export type { Notice };
