/** A delivery that is to be tried. */
export interface DeliveryJob {
  organization_id: string;
  webhook_id: string;
  /** Of the inbox the webhook is of, if it is of one. */
  webhook_uid?: string;
  /** Of the inbox whose content is told, if it is. */
  uid?: string;
  /** ULID of the event. */
  event: string;
  /** From 1. A job for another attempt than the next is an old one. */
  attempt: number;
}

/** Something that is being taken down. */
export interface RemovalJob {
  organization_id: string;
  /** The uid of an inbox, or the organization's id for all of it. */
  what: string;
}

/**
 * What a row of work wants: a message in a queue. The row is the truth and the message only a nudge; whoever gets it
 * reads the row, and a lost one is given again by a change of `count`.
 */
export type Nudge = {
  /** Fairness: while others wait, the work of a group that keeps many busy waits behind theirs. */
  group: string;
  count: number;
  /** ISO 8601, at most 15 minutes ahead; at once when absent. */
  not_before?: string;
} & ({ queue: 'deliveries'; job: DeliveryJob } | { queue: 'removals'; job: RemovalJob });
