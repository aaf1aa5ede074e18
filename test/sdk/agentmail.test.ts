import { AgentMail, AgentMailClient } from 'agentmail';
import { describe, expect, it, vi } from 'vitest';
import { createSigningFetch } from '../../lib/sdk/signing-fetch.ts';
import { fakeMailroom, origin } from './fake-mailroom.ts';

const address = 'alice@mail.example.com';

function setUp(before: Response[] = []) {
  const mailroom = fakeMailroom();
  const headers: Headers[] = [];
  const send: typeof fetch = async (input, init) => {
    headers.push(new Headers(init?.headers));
    return before.shift() ?? mailroom.fetch(input, init);
  };
  const client = new AgentMailClient({
    apiKey: 'unused',
    baseUrl: origin,
    fetch: createSigningFetch({ private_jwk: mailroom.key.jwk }, { fetch: send }),
  });
  return { ...mailroom, client, headers };
}

describe('the published agentmail SDK with our signing fetch', () => {
  it('provisions, lists and reads', async () => {
    const { client, calls } = setUp();
    const inbox = await client.inboxes.create({ username: 'alice', clientId: 'c-1' });
    expect(inbox).toMatchObject({ inboxId: address, email: address, clientId: 'c-1' });
    expect(inbox.createdAt).toBeInstanceOf(Date);
    expect((await client.inboxes.list({ limit: 5 })).inboxes[0]?.inboxId).toBe(address);
    expect((await client.inboxes.get(address)).email).toBe(address);
    const page = await client.inboxes.messages.list(address, {
      labels: ['unread', 'b c'],
      from: ['x@y.z'],
      after: new Date(0),
      ascending: true,
    });
    expect(page.messages.map(({ messageId }) => messageId)).toEqual(['msg_1', 'msg_2']);
    expect((await client.inboxes.messages.get(address, 'msg_1')).text).toBe('Hello');
    expect((await client.inboxes.messages.update(address, 'msg_1', { addLabels: ['x'] })).labels).toEqual([
      'x',
    ]);
    await client.inboxes.messages.delete(address, 'msg_1');
    expect((await client.inboxes.threads.get(address, 'thr_1')).messages).toHaveLength(1);
    expect((await client.threads.list()).threads[0]?.threadId).toBe('thr_1');
    await client.threads.delete('thr_1');
    expect(calls.find(({ name }) => name === 'inboxes.messages.list')!.call.query).toEqual({
      labels: ['unread', 'b c'],
      from: ['x@y.z'],
      after: '1970-01-01T00:00:00.000Z',
      ascending: true,
    });
  });
  it('signs each of its attempts anew', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, headers } = setUp([new Response(null, { status: 503 })]);
    const created = client.inboxes.create({ username: 'alice' });
    await vi.waitFor(() => expect(headers).toHaveLength(1), { interval: 1 });
    await vi.advanceTimersByTimeAsync(5000);
    vi.useRealTimers();
    await created;
    expect(headers).toHaveLength(2);
    expect(headers[0]!.get('signature')).not.toBe(headers[1]!.get('signature'));
  });
  it('throws its own errors for our problems', async () => {
    const { client } = setUp();
    await expect(client.inboxes.get('nobody@mail.example.com')).rejects.toBeInstanceOf(
      AgentMail.NotFoundError,
    );
    await expect(client.inboxes.messages.list(address, { limit: 100_000 })).rejects.toMatchObject({
      statusCode: 400,
    });
  });
});
