import { maxWebhooks } from '../../contract/webhook.ts';
import type { StoredWebhook } from '../../core/webhook-ports.ts';
import { rowVersion } from './client.ts';
import { clientIdKey, inboxKey, organizationKey, podKey, webhookKey, type Key } from './keys.ts';
import type { Write } from './transaction.ts';
import { webhookPlace, webhookPointers, webhookRow } from './webhook-rows.ts';

const there = 'attribute_exists(pk)';
const active = '#state = :active';
const names = { '#state': 'state' };

/** Counts one webhook more, where there is room. */
const oneMore = <Word extends string>(
  key: Key,
  most: number,
  condition: string,
  otherwise: Word,
): Write<Word> => ({
  update: key,
  set: 'SET webhook_count = if_not_exists(webhook_count, :none) + :one',
  condition: `${condition} AND (attribute_not_exists(webhook_count) OR webhook_count < :most)`,
  values: { ':none': 0, ':one': 1, ':most': most },
  otherwise,
});

/**
 * The rows of a new webhook, in the order their refusals count. A failed condition says:
 *
 * | row          | condition                                                   | means                                     |
 * |--------------|-------------------------------------------------------------|-------------------------------------------|
 * | client id    | not there                                                   | no error: the webhook of the first call   |
 * | organization | there, active; has room (+1), unless the inbox counts it    | 404, `account_suspended`, `limit_exceeded`|
 * | pod or inbox | there; the inbox has room (+1)                              | 404, `limit_exceeded`                     |
 */
export function createWrites(
  webhook: StoredWebhook,
): Write<'existing' | 'organization' | 'no_place' | 'inbox'>[] {
  const { organization_id, webhook_id, pod_id, inbox, client_id } = webhook;
  const client = client_id === undefined ? [] : [clientIdKey(organization_id, 'webhook', client_id)];
  const organization = organizationKey(organization_id);
  const counting = oneMore(organization, maxWebhooks.organization, active, 'organization' as const);
  return [
    ...client.map((key) => ({
      put: { ...key, v: rowVersion, webhook_id },
      condition: 'attribute_not_exists(pk)',
      otherwise: 'existing' as const,
    })),
    ...(inbox === undefined
      ? [{ ...counting, names, values: { ...counting.values, ':active': 'active' } }]
      : [
          {
            check: organization,
            condition: active,
            names,
            values: { ':active': 'active' },
            otherwise: 'organization' as const,
          },
          oneMore(inboxKey({ organization_id, uid: inbox.uid }), maxWebhooks.inbox, there, 'inbox' as const),
        ]),
    ...(inbox === undefined && pod_id !== undefined
      ? [{ check: podKey(organization_id, pod_id), condition: there, otherwise: 'no_place' as const }]
      : []),
    { put: webhookRow(webhook) },
    ...webhookPlace(webhook).map((put) => ({ put })),
  ];
}

/** The rows that go with a webhook. `uncounted`: what counted it is gone. */
export function deleteWrites(webhook: StoredWebhook): Write<'gone' | 'uncounted'>[] {
  const { organization_id, webhook_id, inbox } = webhook;
  return [
    { delete: webhookKey(organization_id, webhook_id, inbox?.uid), condition: there, otherwise: 'gone' },
    ...webhookPointers(webhook).map((key) => ({ delete: key })),
    {
      update:
        inbox === undefined
          ? organizationKey(organization_id)
          : inboxKey({ organization_id, uid: inbox.uid }),
      set: 'SET webhook_count = webhook_count - :one',
      condition: `${there} AND webhook_count > :none`,
      values: { ':none': 0, ':one': 1 },
      otherwise: 'uncounted',
    },
  ];
}
