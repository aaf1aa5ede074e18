import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import type { DeliveryJob, Nudge } from '../../core/nudge.ts';
import { ulidOf } from '../../core/message-lists.ts';
import type { WebhookDelivery } from '../../core/webhook-ports.ts';
import { rowVersion, type Row } from './client.ts';
import { deliveryKey, payloadKey, type Owner } from './keys.ts';
import { table } from './table.ts';
import { taskRow } from './task-rows.ts';

/** How long the log of a webhook, and what was said, is kept: 30 days. */
const keptSeconds = 30 * 24 * 3600;
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

/** Deliveries of one organization wait behind each other while others wait too. */
const nudgeOf = (delivery: WebhookDelivery): Nudge => {
  const { organization_id, webhook_id, webhook_uid, uid, event_id, attempt_count } = delivery;
  const job: DeliveryJob = {
    organization_id,
    webhook_id,
    ...(webhook_uid !== undefined && { webhook_uid }),
    ...(uid !== undefined && { uid }),
    event: ulidOf(event_id),
    attempt: attempt_count + 1,
  };
  return { group: organization_id, count: 1, queue: 'deliveries', job };
};

/** A delivery as it begins: a row of work that asks for its first try. */
export const newDeliveryRow = (delivery: WebhookDelivery, nowSeconds: number): Row => ({
  ...deliveryKey(delivery.organization_id, delivery.webhook_id, ulidOf(delivery.event_id)),
  v: rowVersion,
  ...delivery,
  ...taskRow(nudgeOf(delivery)),
  [table.ttl]: nowSeconds + keptSeconds,
});

export const toDelivery = ({
  pk: _pk,
  sk: _sk,
  v: _v,
  nudge: _nudge,
  [table.rowType]: _type,
  [table.ttl]: _expires,
  ...delivery
}: Row): WebhookDelivery => delivery as WebhookDelivery;

/** What is said to all webhooks of an event, in the inbox it is of. */
export const payloadRow = (owner: Owner, event: string, body: string, nowSeconds: number): Row => ({
  ...payloadKey(owner, event),
  v: rowVersion,
  packed: brotliCompressSync(body, brotli),
  [table.ttl]: nowSeconds + keptSeconds,
});
/** Our own output, bounded when it was made. */
export const toPayload = ({ packed }: Row): string => brotliDecompressSync(packed as Uint8Array).toString();
