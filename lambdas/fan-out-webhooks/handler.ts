import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { mailboxStore } from '../../lib/adapters/dynamo/mailbox-store.ts';
import { webhookDeliveryStore } from '../../lib/adapters/dynamo/webhook-delivery-store.ts';
import { webhookStore } from '../../lib/adapters/dynamo/webhook-store.ts';
import { mailObjects } from '../../lib/adapters/mail-objects.ts';
import { fanOut } from '../../lib/core/fan-out.ts';
import { busEvent } from '../../lib/edge/bus-event.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { queueDoor } from '../../lib/edge/queue.ts';
import { env } from './env.ts';

const { TABLE_NAME, BUCKET_NAME } = readEnv(env);
const now = Date.now;
const database = openDatabase(TABLE_NAME);

/** SQS: an event was announced on the bus. */
export const handler = queueDoor({
  parse: busEvent,
  run: fanOut({
    webhooks: webhookStore(database),
    deliveries: webhookDeliveryStore(database, now),
    mailbox: mailboxStore(database, now),
    objects: mailObjects(BUCKET_NAME, now),
    inboxes: inboxStore(database),
    now,
  }),
});
