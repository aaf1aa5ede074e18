import { about } from '../contract/call.ts';
import type { PageQuery } from '../contract/page.ts';
import type { Scope } from '../contract/principal.ts';
import { notFound } from '../contract/problem.ts';
import type { Webhook } from '../contract/webhook.ts';
import type { NamingWebhook } from './change-webhook.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { PageTokens } from './ports.ts';
import { toWebhook } from './show-webhook.ts';
import type { WebhookStore } from './webhook-ports.ts';
import { findWebhook, scopeOfWebhook } from './webhook-scope.ts';

type Reading = Pick<NamingWebhook, 'scope' | 'path'>;

/** The webhooks of the scope and of all that lies in it, newest first, without their secrets. */
export const listWebhooks =
  ({ webhooks, tokens }: { webhooks: WebhookStore; tokens: PageTokens }) =>
  async ({ scope, query }: { scope: Scope; query: PageQuery }) => {
    const { organization_id, pod_id, inbox } = scope;
    const purpose = purposeOf('webhooks', organization_id, pod_id, inbox?.uid);
    const page = await pageRequest(tokens, query, purpose);
    const found = await webhooks.list(scope, page);
    return { ...(await pageAnswer(tokens, page, found, purpose)), webhooks: found.items.map(toWebhook) };
  };

/** One webhook, with its secret. */
export const getWebhook =
  ({ webhooks }: { webhooks: WebhookStore }) =>
  async ({ scope, path }: Reading): Promise<Webhook> =>
    toWebhook(await findWebhook(webhooks, scope, path.webhook_id));

/** The names of the headers that go with each delivery; their values are shown to nobody. */
export const getWebhookHeaders =
  ({ webhooks }: { webhooks: WebhookStore }) =>
  async ({ scope, path }: Reading) => {
    const { headers = {} } = await findWebhook(webhooks, scope, path.webhook_id);
    return { header_names: Object.keys(headers).toSorted() };
  };

/** From now on nothing is delivered to it, also nothing that was on its way. */
export const deleteWebhook =
  ({ webhooks }: { webhooks: WebhookStore }) =>
  async ({ scope, path, deed }: NamingWebhook): Promise<void> => {
    const webhook = await findWebhook(webhooks, scope, path.webhook_id);
    about(deed, [webhook.webhook_id], scopeOfWebhook(webhook).inbox);
    if ((await webhooks.delete(webhook, deed)) === 'gone') throw notFound('Webhook');
  };
