import type { StoredWebhook } from '../../core/webhook-ports.ts';
import { rowVersion, type Row } from './client.ts';
import {
  byOrganizationWebhooksPk,
  byPodWebhooksPk,
  clientIdKey,
  webhookKey,
  webhookPlaceKey,
  type Key,
} from './keys.ts';
import { table } from './table.ts';
import type { Write } from './transaction.ts';

const { byPod, byOrganization } = table;

/** A webhook, and its place in the lists of its organization and its pod; the id begins with its time, so newest sorts last. */
export const webhookRow = (webhook: StoredWebhook): Row => {
  const { organization_id, webhook_id, pod_id, inbox } = webhook;
  return {
    ...webhookKey(organization_id, webhook_id, inbox?.uid),
    v: rowVersion,
    ...webhook,
    [byOrganization.partitionKey]: byOrganizationWebhooksPk(organization_id),
    [byOrganization.sortKey]: webhook_id,
    ...(pod_id !== undefined && {
      [byPod.partitionKey]: byPodWebhooksPk(organization_id, pod_id),
      [byPod.sortKey]: webhook_id,
    }),
  };
};

export const toStoredWebhook = ({
  pk: _pk,
  sk: _sk,
  v: _v,
  [byOrganization.partitionKey]: _organization,
  [byOrganization.sortKey]: _inOrganization,
  [byPod.partitionKey]: _pod,
  [byPod.sortKey]: _inPod,
  ...webhook
}: Row): StoredWebhook => webhook as StoredWebhook;

/** The row that finds a webhook by its id alone, where it stands in its inbox. */
export function webhookPlace({ organization_id, webhook_id, inbox }: Placed): (Key & Row)[] {
  if (inbox === undefined) return [];
  return [{ ...webhookPlaceKey(organization_id, webhook_id), v: rowVersion, uid: inbox.uid }];
}
type Placed = Pick<StoredWebhook, 'organization_id' | 'webhook_id' | 'inbox'>;

/** Rows elsewhere that lead to a webhook and go with it. */
export const webhookPointers = (webhook: Placed & Pick<StoredWebhook, 'client_id'>): Key[] => [
  ...webhookPlace(webhook).map(({ pk, sk }) => ({ pk, sk })),
  ...(webhook.client_id === undefined
    ? []
    : [clientIdKey(webhook.organization_id, 'webhook', webhook.client_id)]),
];

/** The rows of a webhook that is made together with its inbox, whose row counts it. */
export const webhookWrites = (webhook: StoredWebhook): Write<never>[] =>
  [webhookRow(webhook), ...webhookPlace(webhook)].map((put) => ({ put }));
