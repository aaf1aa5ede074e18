import type { Deed } from '../contract/call.ts';
import type { EventType, MailEvent, PublishedEvent } from '../contract/event.ts';
import type { InboxRef, Scope } from '../contract/principal.ts';
import type { DueWork } from './due-ports.ts';
import type { DeliveryJob } from './nudge.ts';
import type { Page, PageRequest } from './ports.ts';

/** A webhook as it is stored: what it hears is named by internal ids, so that a recreated address is not heard. */
export interface StoredWebhook {
  organization_id: string;
  webhook_id: string;
  /** What it is of; neither: the organization. */
  pod_id?: string;
  inbox?: { uid: string; inbox_id: string };
  url: string;
  event_types: EventType[];
  /** Narrow what it hears; without either it hears all of what it is of. */
  pod_ids?: string[];
  inboxes?: { uid: string; inbox_id: string }[];
  secret: string;
  /** Signs too until then (ISO 8601), so that receivers can change over. */
  previous?: { secret: string; until: string };
  /** Sent with each delivery; write-only. */
  headers?: Record<string, string>;
  enabled: boolean;
  disabled_reason?: 'gone' | 'failing';
  /** Since when nothing reached it; absent while it works. */
  failing_since?: string;
  client_id?: string;
  updated_at: string;
  created_at: string;
}

/** One try to deliver. */
export interface Attempt {
  attempted_at: string;
  /** HTTP status of the answer; absent when there was none. */
  status?: number;
  /** Why it failed, in a word or two: `timeout`, `connection refused`, `not a public address` … */
  reason?: string;
  duration_ms: number;
}

/** One event on its way to one webhook. */
export interface WebhookDelivery {
  organization_id: string;
  webhook_id: string;
  webhook_uid?: string;
  event_id: string;
  event_type: EventType;
  /** Uid of the inbox the event is of, where the body holds content of it. */
  uid?: string;
  inbox_id?: string;
  /** The body, where it holds no mail; the others' lies in their inbox. */
  body?: string;
  /** `cancelled`: the webhook, or the inbox the event is of, was gone or disabled. */
  state: 'pending' | 'delivered' | 'failed' | 'cancelled';
  /** Tries so far; the log keeps the last 20 of them. */
  attempt_count: number;
  attempts: Attempt[];
  /** When it is tried next; absent when it is done. */
  next_attempt_at?: string;
  created_at: string;
}

/** Port: webhooks for their owners. */
export interface WebhookStore {
  /** At most 50 of an organization and its pods, and 10 of each inbox. */
  create(
    webhook: StoredWebhook,
    deed: Deed,
  ): Promise<
    | 'created'
    | 'limit'
    | 'no_organization'
    | 'organization_suspended'
    | 'no_place'
    | 'passing'
    | { existing: StoredWebhook }
  >;
  get(organizationId: string, webhookId: string): Promise<StoredWebhook | undefined>;
  /** Those of the scope and of all that lies in it; newest first unless ascending. */
  list(scope: Scope, page: PageRequest): Promise<Page<StoredWebhook>>;
  /** Replaces it. `stale`: somebody changed it since `expected`, its `updated_at`. */
  update(
    webhook: StoredWebhook,
    expected: string,
    deed?: Deed,
    event?: MailEvent,
  ): Promise<'updated' | 'stale' | 'gone'>;
  delete(webhook: StoredWebhook, deed?: Deed): Promise<'deleted' | 'gone'>;
  /**
   * All that may hear events of an inbox (its own, its pod's, the organization's, where they are not narrowed to others),
   * or of the organization alone; whether they are enabled and of which types is not looked at.
   */
  hearing(of: {
    organization_id: string;
    inbox?: Pick<InboxRef, 'uid' | 'pod_id'>;
  }): Promise<StoredWebhook[]>;
}

/** Port: the webhooks that a pod takes along. */
export interface PodWebhooks extends Pick<WebhookStore, 'delete'> {
  /** Those of the pod itself, not of its inboxes. */
  ofPod(organizationId: string, podId: string): Promise<StoredWebhook[]>;
}

export type WatchDeliveries = Extract<DueWork, { kind: 'watch-deliveries' }>;

/** Port: deliveries. */
export interface WebhookDeliveryStore {
  /**
   * The deliveries of one event, what is said in it (compressed, in its inbox) and the watch over them, in one
   * transaction. What is there already stays as it is.
   */
  add(
    event: Pick<PublishedEvent, 'organization_id' | 'event_id' | 'inbox_uid'>,
    deliveries: WebhookDelivery[],
    payload?: string,
  ): Promise<void>;
  /**
   * The delivery, its webhook and its body, in one read. The webhook is absent when the inbox it is of is gone, the body
   * when it is mail of an inbox that is gone.
   */
  load(
    job: Omit<DeliveryJob, 'attempt'>,
  ): Promise<{ delivery: WebhookDelivery; webhook?: StoredWebhook; body?: string } | undefined>;
  /** What came of a try: the delivery moves on if nobody else has moved it, and asks for its next try. */
  record(delivery: WebhookDelivery, attempt: number): Promise<'recorded' | 'moved'>;
  /** The deliveries of one event to these webhooks, those that are there. */
  of(organizationId: string, event: string, webhookIds: string[]): Promise<WebhookDelivery[]>;
  /** Gives the nudge for this attempt again, at once; nothing happens when it has been made meanwhile. */
  nudge(delivery: Pick<DeliveryJob, 'organization_id' | 'webhook_id' | 'event' | 'attempt'>): Promise<void>;
  /** Looks after deliveries of an event once more, at this time (milliseconds) or within the two minutes after it. */
  watch(work: Omit<WatchDeliveries, 'kind'>, at: number): Promise<void>;
  list(organizationId: string, webhookId: string, page: PageRequest): Promise<Page<WebhookDelivery>>;
  /** Asks for a try now, whatever came of the earlier ones. */
  again(organizationId: string, webhookId: string, event: string, deed?: Deed): Promise<'asked' | 'gone'>;
}
