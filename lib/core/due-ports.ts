import type { HiddenLabel } from '../contract/label.ts';
import type { InboxRef } from '../contract/principal.ts';
import type { ObjectFolder } from './mail-ports.ts';
import type { Position } from './ports.ts';

/** Work that waits for `run-due`. The cause names it: the same cause at the same time is the same work. */
export type DueWork =
  /** The next try of a webhook, where it is more than 15 minutes away. */
  | { kind: 'retry-delivery'; organization_id: string; webhook_id: string; event: string; attempt: number }
  /** Deliveries of one event that must not be forgotten. */
  | { kind: 'watch-deliveries'; organization_id: string; event: string; webhook_ids: string[] }
  | { kind: 'erase-objects'; folders: ObjectFolder[] }
  | { kind: 'delete-thread'; inbox: InboxRef; thread_id: string }
  /** Looks whether a removal still moves; `what` as in its job. */
  | { kind: 'watch-removal'; organization_id: string; what: string }
  /** The time of an archive is over, or it was deleted and its object is to go; `upload_id`: it was being written. */
  | { kind: 'delete-archive'; organization_id: string; archive_id: string; upload_id?: string }
  /** The end of an inbox, set at `set_at`; nothing is done where it ends at another time by now, or no more. */
  | { kind: 'announce-expiry'; organization_id: string; uid: string; expires_at: string; set_at: string }
  | { kind: 'expire-inbox'; organization_id: string; uid: string; expires_at: string; set_at: string }
  /** Deletes mail that is older than its inbox keeps it; without `uid` in all inboxes that say nothing themselves, behind `after`. */
  | { kind: 'retain-mail'; organization_id: string; uid?: string; after?: Position }
  | { kind: 'measure-storage'; organization_id: string }
  /** Work that nobody waits for any more. A tenant's own credentials may file work, and touch none that is filed. */
  | { kind: 'withdraw'; waiting: Waiting[] }
  | {
      kind: 'label-thread';
      inbox: InboxRef;
      thread_id: string;
      add: string[];
      remove: string[];
      /** The labels the caller may see messages hidden by; it changes no others. */
      permitted: HiddenLabel[];
      /** ULID of the newest message that was there. */
      upTo: string;
    };

/** Work and when it is due, in milliseconds since the epoch; the minute counts. */
export interface Waiting {
  work: DueWork;
  at: number;
}

/** Port: what waits. */
export interface DueStore {
  /** What is due, in lanes that do not wait for each other, each in order of time; read on while it is done. */
  lanes(): AsyncIterable<{ id: string; work: DueWork }>[];
  done(id: string): Promise<void>;
  /** Files work; the same work in the same minute is one row. */
  file(waiting: Waiting): Promise<void>;
  /** Takes filed work back, there or not. */
  withdraw(waiting: Waiting[]): Promise<void>;
  /** Puts off work that failed, longer each time, so that it holds up nothing. */
  putOff(id: string): Promise<void>;
}
