import nodemailer from 'nodemailer';
import type { LocalCloud } from '../../lib/local/start.ts';
import type { Client } from '../../lib/sdk/client.ts';
import { openReceiver, type Received, type WebhookReceiver } from '../support/webhook-receiver.ts';

export interface WebhookTimes {
  /** From the 250 for a mail to the webhook, one at a time; milliseconds. */
  latencies: number[];
  events: number;
  /** Milliseconds from the first provision to the last of its events at the webhook. */
  took: number;
}

/** Until the receiver has heard of each of these, by what tells them apart. */
async function heard(
  receiver: WebhookReceiver,
  path: string,
  tell: (one: Received) => string,
  wanted: number,
) {
  for (;;) {
    const told = new Set(receiver.of(path).map(tell));
    if (told.size >= wanted) return;
    await new Promise((go) => setTimeout(go, 2));
  }
}

/** How soon webhooks hear of a mail, and how many events a second reach them from eight callers at once. */
export async function measureWebhooks(
  { smtp }: LocalCloud,
  client: Client,
  { mails, events }: { mails: number; events: number },
): Promise<WebhookTimes> {
  const receiver = await openReceiver();
  const transport = nodemailer.createTransport({ ...smtp, name: 'sender.test', ignoreTLS: true, pool: true });
  try {
    const { inbox_id } = await client.inboxes.create({
      webhook: { url: receiver.url('/mail'), event_types: ['message.received'] },
    });
    const send = (subject: string) =>
      transport.sendMail({ from: 'alice@sender.test', to: inbox_id, subject, text: 'Hello.' });
    const subjectOf = ({ body }: Received): string => body.message.subject;
    // As many instances of the functions as there will be.
    for (let n = 0; n < 5; n++) await send(`Warm ${n}`);
    await heard(receiver, '/mail', subjectOf, 5);
    const latencies: number[] = [];
    for (let n = 0; n < mails; n++) {
      await send(`Mail ${n}`);
      const accepted = performance.now();
      await heard(receiver, '/mail', subjectOf, 6 + n);
      latencies.push(performance.now() - accepted);
    }
    const { webhook_id } = await client.webhooks.create({
      url: receiver.url('/events'),
      event_types: ['inbox.created'],
    });
    const start = performance.now();
    let left = events;
    const provision = async (): Promise<void> => {
      while (left-- > 0) await client.inboxes.create();
    };
    await Promise.all(Array.from({ length: 8 }, provision));
    await heard(receiver, '/events', ({ body }) => body.event_id, events);
    const took = performance.now() - start;
    await client.webhooks.delete(webhook_id);
    return { latencies, events, took };
  } finally {
    transport.close();
    await receiver.close();
  }
}
