import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { serialization } from 'agentmail';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Webhook } from '../../lib/contract/webhook.ts';
import type { Client } from '../../lib/sdk/client.ts';
import type { Resources } from '../support/local-cloud.ts';
import { domain, sharedMailroom } from '../support/mailroom.ts';
import { openReceiver, verified, type Received, type WebhookReceiver } from '../support/webhook-receiver.ts';

const second = 1000;
const day = 24 * 3600 * second;
/** Names of the mail domain's own zone that lead to where no webhook may. */
const inside = { private: ['10.0.0.1'], metadata: ['169.254.169.254'], both: ['127.0.0.1', '10.0.0.1'] };

function edit(resources: Resources): void {
  for (const { Type, Properties, Metadata } of Object.values(resources)) {
    // A second is as good as a quarter of a minute for an endpoint on this machine.
    if (Type === 'AWS::Lambda::Function' && Properties.Environment?.Variables.TRY_SECONDS !== undefined) {
      expect(Properties.Environment.Variables.TRY_SECONDS).toBe('15');
      Properties.Environment.Variables.TRY_SECONDS = '1';
      expect(Metadata).toBeDefined();
    }
  }
  const [, record] = Object.entries(resources).find(([, { Type }]) => Type === 'AWS::Route53::RecordSet')!;
  for (const [name, ResourceRecords] of Object.entries(inside)) {
    resources[`${name}record`] = {
      Type: 'AWS::Route53::RecordSet',
      Properties: { ...record.Properties, Name: `${name}.${domain}.`, Type: 'A', TTL: '60', ResourceRecords },
    };
  }
}

const mailroom = sharedMailroom({ edit });
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await openReceiver();
});
afterAll(() => receiver.close());

const now = () => mailroom.cloud.clock.now();
let made = 0;

/** A new inbox with webhooks of its own, each at its path of the receiver. */
async function inboxWith(...paths: string[]): Promise<{ inbox: string; hooks: Webhook[]; client: Client }> {
  const client = mailroom.client();
  const inbox = await mailroom.inbox(client, `hooked-${++made}`);
  const hooks: Webhook[] = [];
  for (const path of paths) {
    const url = path.startsWith('/') ? receiver.url(path) : path;
    hooks.push(await client.inboxes.webhooks.create(inbox, { url, event_types: ['message.received'] }));
  }
  return { inbox, hooks, client };
}

/** The first so many requests that came to a path. */
const came = (path: string, count = 1): Promise<Received[]> =>
  mailroom.eventually(() => {
    const found = receiver.of(path);
    if (found.length < count) throw new Error(`${found.length} requests came to ${path}, not ${count}`);
    return found;
  });

/** The one delivery of a webhook, once it is in this state. */
const delivery = (client: Client, { webhook_id }: Webhook, state: string, attempts = 0) =>
  mailroom.eventually(async () => {
    const { deliveries } = await client.webhooks.listDeliveries(webhook_id);
    const [one] = deliveries;
    if (one?.state !== state || one.attempt_count < attempts)
      throw new Error(`the delivery is ${one?.state} after ${one?.attempt_count} tries`);
    return one;
  });

describe('a webhook', () => {
  it('is told of a mail, signed, whole, as the published client reads it', async () => {
    const { inbox, hooks } = await inboxWith('/told');
    await mailroom.send({ to: inbox, subject: 'Hello hook', text: 'Hello.', html: '<b>Hello.</b>' });
    const [told] = await came('/told');
    const payload = verified(told!, hooks[0]!.secret, now()) as any;
    const message = await mailroom.message(inbox, 'Hello hook');
    const { updated_at: _, ...same } = message;
    expect(payload).toMatchObject({
      type: 'event',
      event_type: 'message.received',
      event_id: told!.headers['webhook-id'],
      position: 2,
      message: { ...same, from_: message.from },
      thread: { thread_id: message.thread_id, message_count: 1 },
    });
    expect(told!.headers).toMatchObject({ 'content-type': 'application/json', 'svix-id': payload.event_id });
    const read = serialization.MessageReceivedEvent.parse(payload, { unrecognizedObjectKeys: 'passthrough' });
    expect(read).toMatchObject({ ok: true, value: { message: { text: message.text } } });
  });

  it('of an organization hears what it asked for, of every inbox', async () => {
    const { client } = await mailroom.organization();
    const hook = await client.webhooks.create({ url: receiver.url('/wide'), event_types: ['inbox.created'] });
    const inbox = await mailroom.inbox(client, 'heard');
    await mailroom.send({ to: inbox });
    await mailroom.messages(inbox, 1, client);
    const [told] = await came('/wide');
    expect(verified(told!, hook.secret, now())).toMatchObject({
      event_type: 'inbox.created',
      position: 1,
      inbox: { inbox_id: inbox },
    });
    expect(receiver.of('/wide').map(({ body }) => body.event_type)).not.toContain('message.received');
  });

  it('is tried again after 5 seconds, the same, until it takes it', async () => {
    receiver.on('/again', (_, response) => void response.writeHead(500).end());
    const { inbox, hooks, client } = await inboxWith('/again');
    await mailroom.send({ to: inbox });
    await delivery(client, hooks[0]!, 'pending', 1);
    receiver.on('/again', (_, response) => void response.end());
    const { attempts } = await delivery(client, hooks[0]!, 'delivered', 2);
    expect(new Set(receiver.of('/again').map(({ text }) => text)).size).toBe(1);
    expect(new Set(receiver.of('/again').map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    for (const one of receiver.of('/again')) verified(one, hooks[0]!.secret, now());
    expect(attempts[0]).toMatchObject({ status: 500, reason: 'status 500' });
    expect(attempts.at(-1)).toMatchObject({ status: 200 });
    const [one, two] = attempts.map(({ attempted_at }) => Date.parse(attempted_at));
    expect(two! - one!).toBeGreaterThanOrEqual(5 * second);
  });

  it('is sent again when its owner asks, under the same id', async () => {
    const { inbox, hooks, client } = await inboxWith('/redo');
    await mailroom.send({ to: inbox });
    const { delivery_id } = await delivery(client, hooks[0]!, 'delivered');
    const before = receiver.of('/redo').length;
    await client.webhooks.redeliver(hooks[0]!.webhook_id, delivery_id);
    const all = await came('/redo', before + 1);
    expect(new Set(all.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([delivery_id]));
    expect(await delivery(client, hooks[0]!, 'delivered', 2)).toMatchObject({ delivery_id });
  });

  it('may verify with the old secret for a day after a rotation', async () => {
    const { inbox, hooks, client } = await inboxWith('/rotated');
    const [old] = hooks;
    const fresh = await client.webhooks.rotateSecret(old!.webhook_id);
    await mailroom.send({ to: inbox });
    const [told] = await came('/rotated');
    expect(fresh.secret).not.toBe(old!.secret);
    for (const secret of [old!.secret, fresh.secret])
      expect(() => verified(told!, secret, now())).not.toThrow();
  });
});

describe('an endpoint that', () => {
  it('behaves badly is tried again, and hears it when it behaves', async () => {
    receiver.on('/silent', () => undefined);
    receiver.on('/resets', (_received, _response, socket) => void socket.resetAndDestroy());
    receiver.on('/drips', (_received, _response, socket) => {
      const text = 'HTTP/1.1 200 OK\r\nx-long: ';
      let at = 0;
      const timer = setInterval(() => socket.write(text[at++] ?? 'x'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    receiver.on(
      '/moved',
      (_, response) => void response.writeHead(308, { location: receiver.url('/elsewhere') }).end(),
    );
    const { inbox, hooks, client } = await inboxWith('/silent', '/resets', '/drips', '/moved');
    await mailroom.send({ to: inbox });
    const reasons = ['timeout', 'connection closed', 'timeout', 'redirects are not followed'];
    // A message may come twice, and the second try be the one that counts: so each behaves when a failure is on record.
    for (const [at, hook] of hooks.entries()) {
      const { attempts } = await delivery(client, hook, 'pending', 1);
      expect(attempts[0]).toMatchObject({ reason: reasons[at] });
      receiver.on(new URL(hook.url).pathname, (_, response) => void response.end());
    }
    for (const [at, hook] of hooks.entries()) {
      const { attempts } = await delivery(client, hook, 'delivered', 2);
      expect(attempts.at(-1)).toMatchObject({ status: 200 });
      expect(attempts.slice(0, -1).every(({ reason }) => reason === reasons[at])).toBe(true);
    }
    expect(receiver.of('/elsewhere')).toEqual([]);
  });

  it('answers a body without end has taken it all the same', async () => {
    receiver.on('/flood', (_, response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on('drain', pour);
      pour();
    });
    const { inbox, hooks, client } = await inboxWith('/flood');
    await mailroom.send({ to: inbox });
    expect(await delivery(client, hooks[0]!, 'delivered')).toMatchObject({ attempts: [{ status: 200 }] });
  });

  it('says 410 is disabled, which others are told of', async () => {
    receiver.on('/gone', (_, response) => void response.writeHead(410).end());
    const { client } = await mailroom.organization();
    await client.webhooks.create({ url: receiver.url('/watcher'), event_types: ['webhook.disabled'] });
    const hook = await client.webhooks.create({
      url: receiver.url('/gone'),
      event_types: ['message.received'],
    });
    const inbox = await mailroom.inbox(client, 'for-gone');
    await mailroom.send({ to: inbox });
    const [told] = await came('/watcher');
    expect(told!.body).toMatchObject({
      event_type: 'webhook.disabled',
      webhook_id: hook.webhook_id,
      reason: 'gone',
    });
    expect(await client.webhooks.get(hook.webhook_id)).toMatchObject({
      enabled: false,
      disabled_reason: 'gone',
    });
    await mailroom.eventually(async () => {
      const { deliveries } = await client.webhooks.listDeliveries(hook.webhook_id);
      expect(deliveries).toHaveLength(1);
      // `cancelled`: its message came twice, and the second one found the webhook disabled.
      expect(['failed', 'cancelled']).toContain(deliveries[0]!.state);
    });
  });

  it('has failed for five days is disabled, and hears again once it is enabled', async () => {
    receiver.on('/failing', (_, response) => void response.writeHead(503).end());
    const { client, organization_id } = await mailroom.organization();
    const hook = await client.webhooks.create({
      url: receiver.url('/failing'),
      event_types: ['message.received'],
    });
    const inbox = await mailroom.inbox(client, 'for-failing');
    await mailroom.send({ to: inbox });
    await mailroom.eventually(async () =>
      expect(await client.webhooks.get(hook.webhook_id)).toHaveProperty('failing_since'),
    );
    const failsSince = (time: number) =>
      mailroom.dynamodb().send(
        new UpdateItemCommand({
          TableName: mailroom.tableName,
          Key: { pk: { S: `O#${organization_id}` }, sk: { S: `WEBHOOK#${hook.webhook_id}` } },
          UpdateExpression: 'SET failing_since = :then',
          ExpressionAttributeValues: { ':then': { S: new Date(time).toISOString() } },
        }),
      );
    await failsSince(now() - 5 * day);
    await mailroom.send({ to: inbox });
    await mailroom.eventually(async () => {
      const seen = await client.webhooks.get(hook.webhook_id);
      // A try whose message came twice writes the time it knows over this one.
      if (seen.enabled) await failsSince(now() - 5 * day);
      expect(seen).toMatchObject({ enabled: false, disabled_reason: 'failing' });
    });
    receiver.on('/failing', (_, response) => void response.end());
    expect(await client.webhooks.update(hook.webhook_id, { enabled: true })).toMatchObject({ enabled: true });
    await mailroom.send({ to: inbox, subject: 'After all' });
    await mailroom.eventually(() =>
      expect(receiver.of('/failing').map(({ body }) => body.message.subject)).toContain('After all'),
    );
  });

  it('is slow holds up no other organization', async () => {
    receiver.on('/slow', () => undefined);
    const [slow, quick] = [await mailroom.organization(), await mailroom.organization()];
    await slow.client.webhooks.create({ url: receiver.url('/slow'), event_types: ['message.received'] });
    await quick.client.webhooks.create({ url: receiver.url('/quick'), event_types: ['message.received'] });
    const slowly = await mailroom.inbox(slow.client, 'slowly');
    const quickly = await mailroom.inbox(quick.client, 'quickly');
    for (let n = 0; n < 6; n++) await mailroom.send({ to: slowly, subject: `Slow ${n}` });
    await came('/slow');
    await mailroom.send({ to: quickly });
    await came('/quick');
    // What hung is tried and tried, and none of it has come through.
    const { webhooks } = await slow.client.webhooks.list();
    const { deliveries } = await slow.client.webhooks.listDeliveries(webhooks[0]!.webhook_id);
    expect(deliveries.filter(({ state }) => state === 'delivered')).toEqual([]);
    receiver.on('/slow', (_, response) => void response.end());
    await mailroom.eventually(() =>
      expect(new Set(receiver.of('/slow').map(({ headers }) => headers['webhook-id'])).size).toBe(6),
    );
  });
});

describe('everybody who may be reached', () => {
  it('is not inside: neither an address nor a name leads there', async () => {
    const { inbox, client } = await inboxWith();
    for (const url of [
      ...['https://10.0.0.1/', 'https://169.254.169.254/latest/meta-data/', 'https://[::ffff:10.0.0.1]/'],
      ...[
        'https://0xa9fea9fe/',
        'https://2852039166/',
        'https://0251.0376.0251.0376/',
        'https://[fd00:ec2::254]/',
      ],
      ...['https://[64:ff9b::a9fe:a9fe]/', 'http://example.com/'],
    ]) {
      await expect(
        client.inboxes.webhooks.create(inbox, { url, event_types: ['message.received'] }),
      ).rejects.toMatchObject({ code: 'validation_error' });
    }
    const names = Object.keys(inside).map((name) => `https://${name}.${domain}/`);
    const named = await inboxWith(...names);
    await mailroom.send({ to: named.inbox });
    for (const hook of named.hooks) {
      const { attempts } = await delivery(client, hook, 'pending', 1);
      expect(attempts[0]).toMatchObject({ reason: 'not a public address' });
      expect(attempts[0]).not.toHaveProperty('status');
    }
  });
});

describe('nothing is lost', () => {
  it('in bad weather, with an endpoint that takes every other request', async () => {
    let visits = 0;
    receiver.on('/rough', (_, response) => void response.writeHead(visits++ % 2 === 0 ? 503 : 200).end());
    const { inbox, hooks } = await inboxWith('/rough');
    const subjects = Array.from({ length: 8 }, (_, n) => `Rough ${n}`);
    for (const subject of subjects) await mailroom.send({ to: inbox, subject });
    await mailroom.eventually(() => {
      const told = new Set(receiver.of('/rough').map(({ body }) => body.message.subject));
      expect([...told].toSorted()).toEqual(subjects);
    });
    // Told twice at most means: the same id, and the same place in the log.
    const places = new Map<string, Set<number>>();
    for (const one of receiver.of('/rough')) {
      const { event_id, position } = verified(one, hooks[0]!.secret, now()) as any;
      places.set(event_id, (places.get(event_id) ?? new Set()).add(position));
    }
    expect(places.size).toBe(8);
    expect([...places.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set([...places.values()].map((set) => [...set][0])).size).toBe(8);
  });
});
