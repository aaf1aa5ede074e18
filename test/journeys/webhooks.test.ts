import { AgentMailClient } from 'agentmail';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Permissions } from '../../lib/contract/permission.ts';
import type { Client } from '../../lib/sdk/client.ts';
import type { SigningJwk } from '../../lib/sdk/key.ts';
import { createSigningFetch } from '../../lib/sdk/signing-fetch.ts';
import { sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();
const problem = (code: string, status: number) => expect.objectContaining({ code, status });
const notFound = problem('not_found', 404);
const whole = { url: 'https://hooks.example.com/in', event_types: ['message.received' as const] };
const header = 'bearer-of-the-receiver';

let organization_id: string;
let client: Client;
let pod: string;
let ada: string;
let bob: string;
let own: Client;
let agent: Client;
beforeAll(async () => {
  ({ organization_id, client } = await mailroom.organization());
  pod = (await client.pods.create({ name: 'Own' })).pod_id;
  ada = (await client.pods.inboxes.create(pod, { client_id: 'ada' })).inbox_id;
  bob = (await client.inboxes.create({ client_id: 'bob' })).inbox_id;
  own = mailroom.client(pair(await client.pods.apiKeys.create(pod, { type: 'generate' })));
  agent = mailroom.client(pair(await client.inboxes.apiKeys.create(ada, { type: 'generate' })));
});

function pair(made: { private_jwk?: SigningJwk | undefined } | object): { private_jwk: SigningJwk } {
  if (!('private_jwk' in made) || made.private_jwk === undefined) throw new Error('no pair was made');
  return { private_jwk: made.private_jwk };
}
const with_ = (permissions: Permissions) => mailroom.clientWith(permissions, organization_id);
const idsOf = async (list: Promise<{ webhooks: { webhook_id: string }[] }>) =>
  (await list).webhooks.map(({ webhook_id }) => webhook_id);

describe('a webhook', () => {
  it('of the organization, a pod and an inbox is seen from there and from above', async () => {
    const wide = await client.webhooks.create(whole);
    expect(wide).toMatchObject({
      ...{ webhook_id: expect.stringMatching(/^wh_\w{26}$/), organization_id, ...whole, enabled: true },
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });
    // A path that names nothing means the key’s own scope.
    const inPod = await own.webhooks.create({ ...whole, client_id: 'pods' });
    expect(inPod).toMatchObject({ pod_id: pod, pod_ids: [pod], client_id: 'pods' });
    const inInbox = await agent.webhooks.create(whole);
    expect(inInbox).toMatchObject({ pod_id: pod, inbox_id: ada, inbox_ids: [ada] });
    const { webhook: born, inbox_id: eve } = await client.inboxes.create({ webhook: { url: whole.url } });
    expect(born).toMatchObject({ inbox_id: eve, inbox_ids: [eve] });

    const [a, b, c, d] = [wide, inPod, inInbox, born!].map(({ webhook_id }) => webhook_id);
    await mailroom.eventually(async () => {
      expect(await idsOf(client.webhooks.list())).toEqual([d, c, b, a]);
      expect(await idsOf(client.pods.webhooks.list(pod))).toEqual([c, b]);
      expect(await idsOf(own.webhooks.list({ ascending: true }))).toEqual([b, c]);
      expect(await idsOf(agent.webhooks.list())).toEqual([c]);
      expect(await idsOf(client.inboxes.webhooks.list(eve))).toEqual([d]);
    });
    expect(JSON.stringify(await client.webhooks.list())).not.toContain('whsec_');
    expect(await client.webhooks.get(c!)).toEqual(inInbox);
    expect(await client.inboxes.webhooks.get(ada, c!)).toEqual(inInbox);
    const misses = [
      () => own.webhooks.get(a!),
      () => own.webhooks.update(d!, { enabled: false }),
      () => agent.webhooks.delete(b!),
      () => agent.webhooks.rotateSecret(a!),
      () => client.pods.webhooks.get(pod, a!),
      () => client.inboxes.webhooks.get(bob, c!),
      () => client.inboxes.webhooks.listDeliveries(bob, c!),
      () => mailroom.client().webhooks.get(a!),
    ];
    for (const miss of misses) await expect(miss()).rejects.toEqual(notFound);
    expect((await client.webhooks.listDeliveries(a!)).count).toBe(0);
    await expect(client.webhooks.redeliver(a!, 'evt_none')).rejects.toEqual(notFound);
  });

  it('hears no more than the key that makes it may', async () => {
    const modest = await with_({ webhook_create: true, webhook_update: true });
    const spam = { ...whole, event_types: ['message.received.spam' as const] };
    await expect(modest.webhooks.create(spam)).rejects.toEqual(problem('missing_permission', 403));
    const { webhook_id } = await modest.webhooks.create(whole);
    await expect(modest.webhooks.update(webhook_id, spam)).rejects.toEqual(
      problem('missing_permission', 403),
    );
    await expect(modest.webhooks.get(webhook_id)).rejects.toEqual(problem('missing_permission', 403));
    await expect(own.webhooks.create({ ...whole, inbox_ids: [bob] })).rejects.toEqual(notFound);
    await expect(own.webhooks.create({ ...whole, pod_ids: [organization_id] })).rejects.toEqual(notFound);
    await expect(agent.webhooks.create({ ...whole, inbox_ids: [bob] })).rejects.toEqual(notFound);
    await expect(client.webhooks.create({ ...whole, inbox_ids: ['nobody@posthorn.test'] })).rejects.toEqual(
      notFound,
    );
    for (const url of [
      'http://hooks.example.com/',
      'https://169.254.169.254/',
      'https://[::ffff:10.0.0.1]/',
      'https://0251.0376.0251.0376/',
    ])
      await expect(client.webhooks.create({ ...whole, url })).rejects.toEqual(
        problem('validation_error', 400),
      );
  });

  it('is one for a client_id, and one for an Idempotency-Key', async () => {
    const made = await Promise.all(
      Array.from({ length: 4 }, () =>
        mailroom.eventually(() => client.webhooks.create({ ...whole, client_id: 'once' })),
      ),
    );
    expect(new Set(made.map(({ webhook_id }) => webhook_id)).size).toBe(1);
    await expect(own.webhooks.create({ ...whole, client_id: 'once' })).rejects.toEqual(
      problem('conflict', 409),
    );

    const signing = createSigningFetch(await mailroom.key(undefined, organization_id), {
      now: () => mailroom.cloud.clock.now(),
    });
    const rotate = () =>
      mailroom.eventually(async () => {
        const response = await signing(
          `${mailroom.cloud.api}/v0/webhooks/${made[0]!.webhook_id}/rotate-secret`,
          {
            method: 'POST',
            headers: { 'idempotency-key': 'rotation-1' },
          },
        );
        if (response.status !== 200) throw new Error(await response.text());
        return (await response.json()) as { secret?: string };
      });
    const { secret } = await rotate();
    // The repeat turns nothing further, and says the secret no second time.
    expect(await rotate()).not.toHaveProperty('secret');
    expect((await client.webhooks.get(made[0]!.webhook_id)).secret).toBe(secret);
    expect(secret).not.toBe(made[0]!.secret);
  });

  it('is changed, headers and secret too, and deleted for good', async () => {
    const { webhook_id, secret } = await client.webhooks.create({
      ...{ ...whole, inbox_ids: [ada], client_id: 'changing' },
      headers: { Authorization: header },
    });
    const changed = await client.webhooks.update(webhook_id, {
      ...{ event_types: ['message.received', 'inbox.deleted'], enabled: false },
      ...{ add_inbox_ids: [bob], add_pod_ids: [pod], remove_inbox_ids: [ada] },
    });
    expect(changed).toMatchObject({
      ...{ event_types: ['message.received', 'inbox.deleted'], enabled: false },
      ...{ inbox_ids: [bob], pod_ids: [pod] },
    });
    expect(await client.webhooks.update(webhook_id, { event_types: [] })).toEqual(changed);
    expect((await client.webhooks.update(webhook_id, { enabled: true })).enabled).toBe(true);
    await client.webhooks.updateHeaders(webhook_id, { headers: { 'X-Run': '1' } });
    expect((await client.webhooks.getHeaders(webhook_id)).header_names).toEqual(['Authorization', 'X-Run']);
    await client.webhooks.updateHeaders(webhook_id, { remove_headers: ['x-run'] });
    expect((await client.webhooks.getHeaders(webhook_id)).header_names).toEqual(['Authorization']);
    const both = { headers: { A: '1' }, remove_headers: ['a'] };
    await expect(client.webhooks.updateHeaders(webhook_id, both)).rejects.toEqual(
      problem('validation_error', 400),
    );
    const rotated = await client.webhooks.rotateSecret(webhook_id);
    expect(rotated.secret).not.toBe(secret);
    const until = Date.parse(rotated.previous_secret_until!) - Date.parse(rotated.updated_at);
    expect(Math.abs(until - 86_400_000)).toBeLessThan(5000);
    expect(await client.webhooks.delete(webhook_id)).toBeUndefined();
    await expect(client.webhooks.get(webhook_id)).rejects.toEqual(notFound);
    await expect(client.webhooks.delete(webhook_id)).rejects.toEqual(notFound);
    const next = await client.webhooks.create({ ...whole, client_id: 'changing' });
    expect(next.webhook_id).not.toBe(webhook_id);
  });

  it('of a pod goes with it', async () => {
    const { pod_id } = await client.pods.create();
    const { webhook_id } = await client.pods.webhooks.create(pod_id, { ...whole, client_id: 'brief' });
    await client.pods.delete(pod_id);
    await mailroom.eventually(() => expect(client.webhooks.get(webhook_id)).rejects.toEqual(notFound));
    expect((await client.webhooks.create({ ...whole, client_id: 'brief' })).webhook_id).not.toBe(webhook_id);
  });

  it('is made and changed by the published SDK', async () => {
    const fetch = createSigningFetch(await mailroom.key(undefined, organization_id), {
      now: () => mailroom.cloud.clock.now(),
    });
    const published = new AgentMailClient({
      apiKey: 'unused',
      baseUrl: mailroom.cloud.api,
      fetch,
      maxRetries: 5,
    });
    const made = await mailroom.eventually(() =>
      published.inboxes.webhooks.create(bob, {
        ...{ url: whole.url, eventTypes: ['message.received', 'message.bounced'], clientId: 'published' },
        headers: { 'X-Token': 'abc' },
      }),
    );
    expect(made).toMatchObject({ inboxIds: [bob], eventTypes: ['message.received', 'message.bounced'] });
    const names = await mailroom.eventually(() => published.inboxes.webhooks.getHeaders(bob, made.webhookId));
    expect(names.headerNames).toEqual(['X-Token']);
    const { secret } = await mailroom.eventually(() => published.webhooks.get(made.webhookId));
    expect(secret).toBe(made.secret);
  });

  it('leaves lines of ids alone, and no secret anywhere but in its row', async () => {
    const { lines } = await client.audit.list({ limit: 500 });
    const mine = lines.filter(({ action }) => action.includes('webhooks.'));
    expect(mine.filter(({ outcome }) => outcome === 'allowed').length).toBeGreaterThan(10);
    for (const { outcome, resources } of mine)
      if (outcome === 'allowed') expect(resources).toContainEqual(expect.stringMatching(/^wh_/));
    const told = JSON.stringify(lines) + mailroom.printed.join('\n');
    expect(told).not.toMatch(/whsec_|hooks\.example/);
    expect(told).not.toContain(header);
  });
});
