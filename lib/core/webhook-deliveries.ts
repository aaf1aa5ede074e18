import { about } from '../contract/call.ts';
import type { PageQuery } from '../contract/page.ts';
import type { Scope } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
import type { NamingWebhook } from './change-webhook.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { PageTokens } from './ports.ts';
import { toDelivery } from './show-webhook.ts';
import type { WebhookDeliveryStore, WebhookStore } from './webhook-ports.ts';
import { findWebhook, scopeOfWebhook } from './webhook-scope.ts';

/** Port: what went to a webhook, for its owners. */
export type DeliveryLog = Pick<WebhookDeliveryStore, 'list' | 'again'>;

interface Deps {
  webhooks: Pick<WebhookStore, 'get'>;
  deliveries: DeliveryLog;
}

/** The deliveries to one webhook of the last 30 days, newest event first. */
export const listDeliveries =
  ({ webhooks, deliveries, tokens }: Deps & { tokens: PageTokens }) =>
  async ({ scope, path, query }: { scope: Scope; path: { webhook_id: string }; query: PageQuery }) => {
    const { organization_id, webhook_id } = await findWebhook(webhooks, scope, path.webhook_id);
    const purpose = purposeOf('deliveries', organization_id, webhook_id);
    const page = await pageRequest(tokens, query, purpose);
    const found = await deliveries.list(organization_id, webhook_id, page);
    return { ...(await pageAnswer(tokens, page, found, purpose)), deliveries: found.items.map(toDelivery) };
  };

const deliveryId = /^evt_([0-9a-z]{26})$/;

/** Delivers one event to a webhook again, whatever came of it before. */
export const redeliver =
  ({ webhooks, deliveries }: Deps) =>
  async ({
    scope,
    path,
    deed,
  }: Omit<NamingWebhook, 'path'> & { path: { webhook_id: string; delivery_id: string } }) => {
    const webhook = await findWebhook(webhooks, scope, path.webhook_id);
    const { organization_id, webhook_id, enabled } = webhook;
    const event = deliveryId.exec(path.delivery_id)?.[1];
    if (event === undefined) throw notFound('Delivery');
    if (!enabled)
      throw new Problem('unprocessable', 'the webhook is disabled', {
        fix: 'Enable it first: PATCH it with {"enabled": true}.',
      });
    about(deed, [webhook_id, path.delivery_id], scopeOfWebhook(webhook).inbox);
    const outcome = await deliveries.again(organization_id, webhook_id, event, deed);
    if (outcome === 'gone') throw notFound('Delivery');
    return { delivery_id: path.delivery_id, pending: true as const };
  };
