import type { Webhook } from '../contract/webhook.ts';
import type { WebhookDelivery, StoredWebhook } from './webhook-ports.ts';
import { defined } from './defined.ts';

/** A webhook as callers see it: what it hears by the names they know, and of its headers nothing. */
export function toWebhook(stored: StoredWebhook): Webhook {
  const { inbox, inboxes, previous, client_id, disabled_reason, failing_since, pod_id, pod_ids } = stored;
  const { organization_id, webhook_id, url, event_types, secret, enabled, updated_at, created_at } = stored;
  const inbox_ids = inbox === undefined ? inboxes?.map((each) => each.inbox_id) : [inbox.inbox_id];
  // A webhook of a pod hears all of it, unless it is narrowed to inboxes.
  const heard = inbox_ids === undefined && pod_ids === undefined && pod_id !== undefined ? [pod_id] : pod_ids;
  return {
    ...{ webhook_id, organization_id },
    ...defined({ pod_id, inbox_id: inbox?.inbox_id }),
    ...{ url, event_types },
    ...defined({ pod_ids: heard, inbox_ids }),
    ...{ secret, enabled },
    ...defined({ previous_secret_until: previous?.until, disabled_reason, failing_since, client_id }),
    ...{ updated_at, created_at },
  };
}

/** A delivery as callers see it: without what was sent. */
export const toDelivery = (delivery: WebhookDelivery) => {
  const { event_id, event_type, webhook_id, inbox_id, state, created_at } = delivery;
  const { attempt_count, attempts, next_attempt_at } = delivery;
  return {
    ...{ delivery_id: event_id, webhook_id, event_id, event_type },
    ...defined({ inbox_id }),
    ...{ state, attempt_count, attempts },
    ...defined({ next_attempt_at }),
    created_at,
  };
};
