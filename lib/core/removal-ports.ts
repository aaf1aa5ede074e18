import type { InboxRef } from '../contract/principal.ts';
import type { RemovalJob } from './nudge.ts';

/** What is being removed: an inbox that was taken down, or an organization with all it has. */
export interface Removal extends RemovalJob {
  /** Absent: `what` is the organization. */
  inbox?: InboxRef;
  /** Its mail goes into this archive before anything is removed. */
  archive_id?: string;
  /** When it was taken down; ISO 8601, as all times here. */
  taken_down_at: string;
  /** Not before: a call that was under way may still be writing. */
  begins_at: string;
  /** Not done before: a mail that was under way may still leave objects. */
  settles_at: string;
  /** When it last got somewhere. */
  moved_at: string;
  /** Nudges so far. */
  count: number;
}

/** Port: removals, each a row of work until it is done. */
export interface RemovalStore {
  load(job: RemovalJob): Promise<Removal | undefined>;
  /** Notes that it got somewhere. */
  move(removal: Removal, at: string): Promise<void>;
  /** Asks for the next step, once however many ask at this `count`; `not_before` may be any time ahead. */
  again(removal: Removal, at: string, not_before?: string): Promise<void>;
  /** Leaves a look at it for this time. */
  watch(removal: Removal, at: number): Promise<void>;
  /** Whether the organization has other removals than its own. */
  hasOthers(organizationId: string): Promise<boolean>;
  /** Nothing is left: the removal's row goes, and of an organization the organization too. */
  finish(removal: Removal, at: string): Promise<void>;
}

/** Pieces of a removal, each small and none lost by stopping after it; each says how many rows or objects went. */
export type Pieces = AsyncIterable<number>;

/** Port: the rows that what was taken down leaves behind. */
export interface RemainingRows {
  ofInbox(inbox: { organization_id: string; uid: string }): Pieces;
  /** Of an organization whose inboxes are gone. What belongs to its ledger stays. */
  ofOrganization(organizationId: string): Pieces;
}

/** Port: objects of the mail bucket by the beginning of their keys. */
export interface RemainingObjects {
  under(prefix: string): Pieces;
}
