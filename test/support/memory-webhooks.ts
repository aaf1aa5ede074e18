import type { Deed } from '../../lib/contract/call.ts';
import type { Scope } from '../../lib/contract/principal.ts';
import { contains } from '../../lib/contract/scope.ts';
import { maxWebhooks } from '../../lib/contract/webhook.ts';
import type { PageRequest } from '../../lib/core/ports.ts';
import type {
  PodWebhooks,
  StoredWebhook,
  WebhookDelivery,
  WebhookStore,
} from '../../lib/core/webhook-ports.ts';
import type { DeliveryLog } from '../../lib/core/webhook-deliveries.ts';
import { scopeOfWebhook } from '../../lib/core/webhook-scope.ts';
import { organizationId, ulidAt } from './mail-samples.ts';

const time = '2026-01-01T00:00:00.000Z';

/** A webhook by number: a greater n is a later one. */
export const sampleWebhook = (n: number, more: Partial<StoredWebhook> = {}): StoredWebhook => ({
  organization_id: organizationId,
  webhook_id: `wh_${ulidAt(n)}`,
  url: `https://hooks.example.com/${n}`,
  event_types: ['message.received'],
  secret: 'whsec_c2VjcmV0',
  enabled: true,
  created_at: time,
  updated_at: time,
  ...more,
});

/** A delivery by number of its event. */
export const sampleDelivery = (n: number, more: Partial<WebhookDelivery> = {}): WebhookDelivery => ({
  organization_id: organizationId,
  webhook_id: `wh_${ulidAt(1)}`,
  event_id: `evt_${ulidAt(n)}`,
  event_type: 'message.received',
  state: 'pending',
  attempt_count: 0,
  attempts: [],
  next_attempt_at: time,
  created_at: time,
  ...more,
});

type Created = Awaited<ReturnType<WebhookStore['create']>>;

/** Webhooks: one a client id, within their limits. */
export class MemoryWebhooks implements WebhookStore, PodWebhooks {
  readonly rows = new Map<string, StoredWebhook>();
  /** Answers instead of what the rows say, once each. */
  next: Created[] = [];
  /** Runs ahead of each update, where a test lets a neighbour in. */
  before: () => void = () => undefined;

  async create(webhook: StoredWebhook, deed: Deed): Promise<Created> {
    const forced = this.next.shift();
    if (forced !== undefined) return forced;
    const { client_id, inbox } = webhook;
    const existing = this.#all().find((one) => client_id !== undefined && one.client_id === client_id);
    if (existing !== undefined) return { existing };
    const beside = this.#all().filter((one) => one.inbox?.uid === inbox?.uid).length;
    if (beside >= maxWebhooks[inbox ? 'inbox' : 'organization']) return 'limit';
    this.rows.set(webhook.webhook_id, webhook);
    deed.written = true;
    return 'created';
  }
  async get(organizationId: string, webhookId: string) {
    return this.#all().find((one) => one.organization_id === organizationId && one.webhook_id === webhookId);
  }
  async list(scope: Scope, { limit, ascending }: PageRequest) {
    const items = this.#all().filter((webhook) => contains(scope, scopeOfWebhook(webhook)));
    return { items: (ascending ? items : items.reverse()).slice(0, limit) };
  }
  async update(webhook: StoredWebhook, expected: string, deed?: Deed) {
    this.before();
    const current = this.rows.get(webhook.webhook_id);
    if (current === undefined) return 'gone' as const;
    if (current.updated_at !== expected) return 'stale' as const;
    this.rows.set(webhook.webhook_id, webhook);
    if (deed !== undefined) deed.written = true;
    return 'updated' as const;
  }
  async delete({ webhook_id }: StoredWebhook, deed?: Deed) {
    if (!this.rows.delete(webhook_id)) return 'gone' as const;
    if (deed !== undefined) deed.written = true;
    return 'deleted' as const;
  }
  async hearing() {
    return this.#all();
  }
  async ofPod(_: string, podId: string) {
    return this.#all().filter(({ pod_id, inbox }) => pod_id === podId && inbox === undefined);
  }
  #all = () => [...this.rows.values()].sort((a, b) => (a.webhook_id < b.webhook_id ? -1 : 1));
}

/** Deliveries, and which of them were asked for again. */
export class MemoryDeliveryLog implements DeliveryLog {
  readonly rows: WebhookDelivery[] = [];
  readonly asked: string[] = [];

  async list(_: string, webhookId: string) {
    return { items: this.rows.filter(({ webhook_id }) => webhook_id === webhookId).toReversed() };
  }
  async again(_: string, webhookId: string, event: string, deed?: Deed) {
    const found = this.rows.some((one) => one.webhook_id === webhookId && one.event_id === `evt_${event}`);
    if (!found) return 'gone' as const;
    this.asked.push(event);
    if (deed !== undefined) deed.written = true;
    return 'asked' as const;
  }
}
