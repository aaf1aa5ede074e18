import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyWholeLedger } from '../../lib/sdk/verify-ledger.ts';
import { breakFunctions } from '../support/broken-functions.ts';
import { sharedMailroom } from '../support/mailroom.ts';
import { kindOf, takeStock } from '../support/remains.ts';
import { openReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { thorough } from '../support/thorough.ts';

/** Everything that works behind the API's back. */
const functions = [
  'receivemail',
  'publishevent',
  'fanoutwebhooks',
  'deliverwebhook',
  'removeinbox',
  'sealledger',
  'rundue',
];

const mailroom = sharedMailroom({ odds: 'calm', expects: { deadLetters: true } });
const deadLetters = () => mailroom.queued((id) => /dead/i.test(id));
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await openReceiver();
});
afterAll(() => receiver.close());

/** What can be wrong while an inbox lives. */
type Fault = 'functions' | 'bus' | 'table';

/** An inbox hears of two mails and goes, with these faults; answers all that anybody could see of it. */
async function life(name: string, faults: Fault[]) {
  const times = faults.includes('functions') ? 2 : 0;
  const { left, mend } = breakFunctions(mailroom, { functions, times });
  if (faults.includes('table')) mailroom.storm({ throttle: 0.1 });
  if (faults.includes('bus')) mailroom.cloud.outages.add('events');
  const { client, organization_id } = await mailroom.organization();
  const inbox = await mailroom.inbox(client, name);
  const path = `/${name}`;
  const { webhook_id } = await client.webhooks.create({
    url: receiver.url(path),
    event_types: ['message.received'],
  });
  for (const subject of ['one', 'two']) await mailroom.send({ to: inbox, subject });
  if (faults.includes('bus')) {
    await mailroom.messages(inbox, 2, client);
    await mailroom.pass(1);
    expect(receiver.of(path)).toEqual([]);
    mailroom.cloud.outages.delete('events');
  }
  await mailroom.eventually(async () => {
    const { deliveries } = await client.webhooks.listDeliveries(webhook_id);
    expect(deliveries.map(({ state }) => state)).toEqual(['delivered', 'delivered']);
  });
  const { messages } = await client.inboxes.messages.list(inbox);
  const { events } = await client.inboxes.events.list(inbox, { after_position: 0 });
  const uid = await uidOf(inbox);
  await client.inboxes.delete(inbox);
  const remains = await mailroom.eventually(async () => {
    expect([...left.values()].filter((count) => count > 0)).toEqual([]);
    return remainsOf(uid);
  });
  mend();
  mailroom.rain(false);
  await mailroom.eventually(async () => {
    const { findings } = await verifyWholeLedger({
      organization_id,
      lines: client.audit.all({ limit: 500, ascending: true }),
      seals: client.audit.allSeals({ limit: 500 }),
      // A line without a seal is a finding when it is older than ten minutes.
      now: () => mailroom.cloud.clock.now() + 11 * 60_000,
    });
    expect(findings).toEqual([]);
  });
  return {
    messages: messages.map(({ subject, labels }) => [subject, labels.toSorted()]).toSorted(),
    log: events.map(({ event_type, position }) => [event_type, position]),
    heard: heardAt(path),
    remains,
  };
}

/** Each event that came to a path once: twice is what at-least-once allows. */
function heardAt(path: string): string[][] {
  const byId = new Map(receiver.of(path).map(({ body }) => [body.event_id, body]));
  return [...byId.values()].map((body) => [body.event_type, body.message.subject]).toSorted();
}

/** Objects of an inbox that is gone, once no row of it is left but those that outlive it. */
async function remainsOf(uid: string): Promise<string[]> {
  const { rows, objects } = await takeStock(mailroom);
  const orphans = [...rows].filter(([key, row]) => key.includes(uid) && kindOf(row) === undefined);
  // Watches find nothing to do, and end by themselves.
  expect(orphans.map(([key]) => key).filter((key) => !key.startsWith('DUE#'))).toEqual([]);
  return objects.filter((key) => key.includes(uid));
}

async function uidOf(inbox: string): Promise<string> {
  const { rows } = await takeStock(mailroom);
  const [, row] = [...rows].find(([key]) => key.startsWith(`ADDR#${inbox} `))!;
  return row['uid'];
}

/** All at once where time is short; each alone, and all, where it is not. */
const troubles: Fault[][] = [['functions', 'bus', 'table']];
if (thorough) troubles.push(['functions'], ['bus'], ['table']);

it('functions that fail twice, a bus away for a minute, a throttled table: in the end all is as if nothing had been', async () => {
  const undisturbed = await life('undisturbed', []);
  expect(undisturbed).toMatchObject({
    messages: [
      ['one', ['received', 'unread']],
      ['two', ['received', 'unread']],
    ],
    heard: [
      ['message.received', 'one'],
      ['message.received', 'two'],
    ],
    remains: [],
  });
  for (const faults of troubles) expect(await life(`in-${faults.join('-')}`, faults)).toEqual(undisturbed);
  expect(await deadLetters()).toBe(0);
}, 240_000);

it('work whose nudge was lost for good is done all the same: a watch over its row asks for it', async () => {
  const { client } = await mailroom.organization();
  const [heard, gone] = [await mailroom.inbox(client, 'heard'), await mailroom.inbox(client, 'gone')];
  const hook = { url: receiver.url('/watched'), event_types: ['message.received' as const] };
  const { webhook_id } = await client.webhooks.create(hook);
  const uid = await uidOf(gone);
  const queues = { action: 'sqs:SendMessage', resource: /:posthorn-local-work/ };
  const { mend } = breakFunctions(mailroom, { functions: ['publishevent'], ...queues });
  await mailroom.send({ to: heard, subject: 'told late' });
  await mailroom.eventually(async () => expect(await deadLetters()).toBe(1));
  await client.inboxes.delete(gone);
  await mailroom.eventually(async () => expect(await deadLetters()).toBe(2));
  expect(receiver.of('/watched')).toEqual([]);
  await expect(remainsOf(uid)).rejects.toThrow();
  mend();
  // The removal is looked at after half an hour.
  await mailroom.pass(40);
  expect(await mailroom.eventually(() => remainsOf(uid))).toEqual([]);
  await mailroom.eventually(() => expect(heardAt('/watched')).toEqual([['message.received', 'told late']]));
  await mailroom.eventually(async () => {
    const { deliveries } = await client.webhooks.listDeliveries(webhook_id);
    expect(deliveries.map(({ state }) => state)).toEqual(['delivered']);
  });
}, 240_000);
