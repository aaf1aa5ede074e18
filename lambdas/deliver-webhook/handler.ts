import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { webhookDeliveryStore } from '../../lib/adapters/dynamo/webhook-delivery-store.ts';
import { webhookStore } from '../../lib/adapters/dynamo/webhook-store.ts';
import { newUlid } from '../../lib/adapters/ulids.ts';
import { webhookClient } from '../../lib/adapters/webhook-client.ts';
import { signWebhook } from '../../lib/adapters/webhook-signature.ts';
import { deliverWebhook } from '../../lib/core/deliver-webhook.ts';
import { deliveryJob } from '../../lib/edge/delivery-job.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { queueDoor } from '../../lib/edge/queue.ts';
import { env } from './env.ts';

const { TABLE_NAME, TRY_SECONDS, ALLOW_LOOPBACK_WEBHOOKS } = readEnv(env);
const now = Date.now;
const database = openDatabase(TABLE_NAME);

/** SQS: a delivery asks for its next try. */
export const handler = queueDoor({
  parse: deliveryJob,
  run: deliverWebhook({
    deliveries: webhookDeliveryStore(database, now),
    webhooks: webhookStore(database),
    post: webhookClient({
      timeout: TRY_SECONDS * 1000,
      allowLoopback: ALLOW_LOOPBACK_WEBHOOKS === 'true',
    }),
    sign: signWebhook,
    now,
    ulid: newUlid,
    random: Math.random,
  }),
});
