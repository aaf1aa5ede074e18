import { hiddenLabels } from '../contract/label.ts';
import { defined } from './defined.ts';
import { eventBody, holdsContent, type BodyDeps, type HeardEvent } from './event-body.ts';
import type { Now } from './ports.ts';
import type { StoredWebhook, WebhookDelivery, WebhookDeliveryStore, WebhookStore } from './webhook-ports.ts';

export interface FanOutDeps extends BodyDeps {
  webhooks: Pick<WebhookStore, 'hearing'>;
  deliveries: Pick<WebhookDeliveryStore, 'add'>;
  now: Now;
}

/**
 * An event and the webhooks that hear it become deliveries; its body is built once, and is the same at every try. A
 * repeat changes nothing.
 */
export const fanOut =
  (deps: FanOutDeps) =>
  async (event: HeardEvent): Promise<void> => {
    const { organization_id, pod_id, inbox_uid: uid } = event;
    const webhooks = await deps.webhooks.hearing({
      organization_id,
      ...(uid !== undefined && pod_id !== undefined && { inbox: { uid, pod_id } }),
    });
    const hearing = webhooks.filter((webhook) => hears(webhook, event));
    if (hearing.length === 0) return;
    const body = await eventBody(deps, event);
    if (body === undefined) return;
    const content = holdsContent(event);
    const created_at = new Date(deps.now()).toISOString();
    const deliveries = hearing.map((webhook): WebhookDelivery => ({
      organization_id,
      webhook_id: webhook.webhook_id,
      event_id: event.event_id,
      event_type: event.event_type,
      ...defined({ webhook_uid: webhook.inbox?.uid, inbox_id: event.inbox_id }),
      ...(content ? defined({ uid }) : { body }),
      state: 'pending',
      attempt_count: 0,
      attempts: [],
      next_attempt_at: created_at,
      created_at,
    }));
    await deps.deliveries.add(event, deliveries, content ? body : undefined);
  };

/** Whether a webhook wants to be told of an event. */
const hears = ({ enabled, event_types }: StoredWebhook, event: HeardEvent): boolean =>
  enabled && typesOf(event).every((type) => event_types.includes(type));

/**
 * The types a webhook must have asked for to be told: the event's own, and for a mail that arrived hidden, or would have, that of
 * each label, as a list shows it only to who asks for each. So spam that is unauthenticated too is for who hears both.
 */
function typesOf({ event_type, labels = [] }: HeardEvent): StoredWebhook['event_types'] {
  if (!/^message\.(received|refused)/.test(event_type)) return [event_type];
  const hidden = hiddenLabels.filter((label) => label !== 'trash' && labels.includes(label));
  return [
    event_type,
    ...hidden.map((label) => `message.received.${label}` as StoredWebhook['event_types'][number]),
  ];
}
