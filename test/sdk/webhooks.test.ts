import { AgentMail, AgentMailClient } from 'agentmail';
import { describe, expect, it } from 'vitest';
import { routes } from '../../lib/contract/routes.ts';
import { createClient } from '../../lib/sdk/client.ts';
import { createSigningFetch } from '../../lib/sdk/signing-fetch.ts';
import { fakeMailroom, origin } from './fake-mailroom.ts';

const address = 'alice@mail.example.com';
const whole = { url: 'https://hooks.example.com/', event_types: ['message.received' as const] };

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('webhooks of our SDK', () => {
  it('are the same at all three levels', async () => {
    const { key, fetch, calls } = fakeMailroom();
    const client = createClient({ baseUrl: origin, key: { private_jwk: key.jwk }, fetch });
    const levels = [
      ['webhooks', client.webhooks, []],
      ['pods.webhooks', client.pods.webhooks, ['pod_1']],
      ['inboxes.webhooks', client.inboxes.webhooks, [address]],
    ] as const;
    for (const [at, level, id] of levels) {
      // Each level takes what names it first.
      const webhooks = level as never as Record<string, (...args: unknown[]) => any>;
      const change = { enabled: true };
      const headers = { headers: { 'x-token': 'abc' } };
      const verbs: [string, unknown[]][] = [
        ['create', [whole]],
        ['list', [{ limit: 2 }]],
        ['get', ['wh_1']],
        ['update', ['wh_1', change]],
        ['delete', ['wh_1']],
        ['getHeaders', ['wh_1']],
        ['updateHeaders', ['wh_1', headers]],
        ['rotateSecret', ['wh_1']],
        ['listDeliveries', ['wh_1', { limit: 2 }]],
        ['redeliver', ['wh_1', 'evt_1']],
      ];
      for (const [verb, args] of verbs) {
        await webhooks[verb]!(...id, ...args);
        expect(calls.at(-1)!.name).toBe(`${at}.${verb}`);
      }
      expect(await collect(webhooks['all']!(...id))).toHaveLength(1);
      expect(await collect(webhooks['allDeliveries']!(...id, 'wh_1'))).toMatchObject([
        { delivery_id: 'evt_1' },
      ]);
      expect(await webhooks['get']!(...id, 'wh_1')).toMatchObject({ secret: 'whsec_c2VjcmV0' });
      expect((await webhooks['list']!(...id)).webhooks[0]).not.toHaveProperty('secret');
    }
    const all = Object.keys(routes).filter((name) => name.includes('webhooks.'));
    expect(new Set(calls.map(({ name }) => name))).toEqual(new Set(all));
  });
});

describe('webhooks of the published agentmail SDK', () => {
  it('are created, listed, read, changed and deleted', async () => {
    const { key, fetch, calls } = fakeMailroom();
    const signing = createSigningFetch({ private_jwk: key.jwk }, { fetch });
    const client = new AgentMailClient({ apiKey: 'unused', baseUrl: origin, fetch: signing });
    const created = await client.webhooks.create({
      ...{ url: whole.url, eventTypes: ['message.received', 'message.sent'], clientId: 'mine' },
      ...{ inboxIds: [address], headers: { 'X-Token': 'abc' } },
    });
    expect(created).toMatchObject({ webhookId: 'wh_1', secret: 'whsec_c2VjcmV0', enabled: true });
    expect(calls.at(-1)!.call.body).toEqual({
      ...{ url: whole.url, event_types: ['message.received', 'message.sent'], client_id: 'mine' },
      ...{ inbox_ids: [address], headers: { 'X-Token': 'abc' } },
    });
    expect((await client.webhooks.list({ limit: 5 })).webhooks[0]?.webhookId).toBe('wh_1');
    expect((await client.webhooks.get('wh_1')).createdAt).toBeInstanceOf(Date);
    await client.webhooks.update('wh_1', { eventTypes: ['message.received'], addInboxIds: [address] });
    expect(calls.at(-1)!.call.body).toEqual({ event_types: ['message.received'], add_inbox_ids: [address] });
    expect((await client.webhooks.getHeaders('wh_1')).headerNames).toEqual(['x-token']);
    await client.webhooks.updateHeaders('wh_1', { headers: { a: 'b' }, removeHeaders: ['c'] });
    expect(calls.at(-1)!.call.body).toEqual({ headers: { a: 'b' }, remove_headers: ['c'] });
    await client.webhooks.delete('wh_1');
    expect(
      (await client.pods.webhooks.create('pod_1', { url: whole.url, eventTypes: ['message.received'] })).url,
    ).toBe(whole.url);
    expect((await client.inboxes.webhooks.list(address)).count).toBe(1);
    await expect(client.webhooks.create({ url: whole.url, eventTypes: [] })).rejects.toBeInstanceOf(
      AgentMail.ValidationError,
    );
  });
});
