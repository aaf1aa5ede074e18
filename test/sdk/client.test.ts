import { describe, expect, it } from 'vitest';
import { routes, type RouteName } from '../../lib/contract/routes.ts';
import { Problem } from '../../lib/contract/problem.ts';
import { createClient } from '../../lib/sdk/client.ts';
import { fakeMailroom, origin } from './fake-mailroom.ts';

const address = 'alice@mail.example.com';

function setUp(
  overrides: Parameters<typeof fakeMailroom>[0] = {},
  between: (send: typeof fetch) => typeof fetch = (send) => send,
) {
  const mailroom = fakeMailroom(overrides);
  const pauses: number[] = [];
  const client = createClient({
    baseUrl: `${origin}/`,
    key: { private_jwk: mailroom.key.jwk },
    fetch: between(mailroom.fetch),
    pause: async (milliseconds) => void pauses.push(milliseconds),
  });
  return { ...mailroom, client, pauses };
}

describe('the client', () => {
  it('reaches every route of the API by its name, through the real edge', async () => {
    const { client, calls } = setUp();
    const { pods, inboxes, threads, apiKeys, audit } = client;
    await client.auth.me();
    await client.auth.token({ expires_in: 60 });
    await client.organizations.get();
    await client.organizations.update({ name: 'Acme' });
    await pods.create({ name: 'One' });
    await pods.list({ limit: 2 });
    await pods.get('pod_1');
    expect(await pods.delete('pod_1')).toBeUndefined();
    await inboxes.create();
    await inboxes.list({ limit: 5, ascending: true });
    await inboxes.get(address);
    await inboxes.update('inb_a', { display_name: 'Alice' });
    expect(await inboxes.delete(address)).toBeUndefined();
    expect((await inboxes.batchCreate({ inboxes: [{ username: 'a' }, {}] })).results).toHaveLength(2);
    expect(await inboxes.batchDelete({ inbox_ids: [address] })).toEqual({
      results: [{ index: 0, inbox_id: address, deleted: true }],
    });
    await pods.inboxes.create('pod_1', { username: 'alice' });
    await pods.inboxes.list('pod_1');
    await pods.inboxes.get('org_1', address);
    await pods.inboxes.update('org_1', address, { display_name: 'Alice' });
    expect(await pods.inboxes.delete('org_1', address)).toBeUndefined();
    await pods.inboxes.batchCreate('org_1', { inboxes: [{}] });
    await pods.inboxes.batchDelete('org_1', { inbox_ids: [address] });
    await inboxes.messages.list(address, { labels: ['a,b', '["c"]'], limit: 7, include_spam: true });
    await inboxes.messages.get(address, 'msg_1');
    await inboxes.messages.batchGet(address, ['msg_1']);
    await inboxes.messages.batchUpdate(address, { message_ids: ['msg_1'], add_labels: ['x'] });
    await inboxes.messages.update(address, 'msg_1', { add_labels: 'x', remove_labels: ['unread'] });
    expect(await inboxes.messages.delete(address, 'msg_1')).toBeUndefined();
    await inboxes.messages.getRaw(address, 'msg_1');
    await inboxes.messages.getAttachment(address, 'msg_1', 'att 1+%');
    await inboxes.events.list(address, { after_position: 7 });
    await threads.list();
    await threads.get('thr_1');
    await threads.update('thr_1', { remove_labels: ['x'] });
    expect(await threads.delete('thr_1')).toEqual({ thread_id: 'thr_1', pending: true });
    await threads.getAttachment('thr_1', 'att_1');
    await pods.threads.list('pod_1', { senders: ['bob@sender.test'] });
    await pods.threads.get('pod_1', 'thr_1');
    await pods.threads.update('pod_1', 'thr_1', { add_labels: ['x'] });
    expect(await pods.threads.delete('pod_1', 'thr_1')).toEqual({ thread_id: 'thr_1', pending: true });
    await pods.threads.getAttachment('pod_1', 'thr_1', 'att_1');
    await inboxes.threads.list(address);
    await inboxes.threads.get(address, 'thr_1', { limit: 3 });
    await inboxes.threads.update(address, 'thr_1', { add_labels: ['x'] });
    expect(await inboxes.threads.delete(address, 'thr_1')).toBeUndefined();
    await inboxes.threads.getAttachment(address, 'thr_1', 'att_1');
    await apiKeys.create({ type: 'generate', name: 'One' });
    await apiKeys.list();
    await apiKeys.get('key_1');
    await apiKeys.update('key_1', { name: 'Uno' });
    expect(await apiKeys.delete('key_1')).toBeUndefined();
    await pods.apiKeys.create('pod_1', { type: 'generate', name: 'One' });
    await pods.apiKeys.list('pod_1');
    await pods.apiKeys.get('pod_1', 'key_1');
    await pods.apiKeys.update('pod_1', 'key_1', { name: 'Uno' });
    expect(await pods.apiKeys.delete('pod_1', 'key_1')).toBeUndefined();
    await inboxes.apiKeys.create(address, { type: 'generate', name: 'One' });
    await inboxes.apiKeys.list(address);
    await inboxes.apiKeys.get(address, 'key_1');
    await inboxes.apiKeys.update(address, 'key_1', { name: 'Uno' });
    expect(await inboxes.apiKeys.delete(address, 'key_1')).toBeUndefined();
    await audit.list({ limit: 2 });
    await pods.audit.list('pod_1');
    await inboxes.audit.list(address);
    await audit.seals();

    // Those of webhooks and archives are reached in tests of their own.
    const signed = (Object.keys(routes) as RouteName[]).filter(
      (name) => routes[name].auth === 'signed' && !/webhooks\.|archives\./.test(name),
    );
    expect(calls.map(({ name }) => name)).toEqual(signed);
    const call = (name: RouteName) => calls.find((one) => one.name === name)!.call;
    expect(call('auth.token').body).toEqual({ expires_in: 60 });
    expect(call('pods.threads.list').path).toEqual({ pod_id: 'pod_1' });
    expect(call('pods.inboxes.update').path).toEqual({ pod_id: 'org_1', inbox_id: address });
    expect(call('inboxes.create').body).toEqual({});
    expect(call('inboxes.list').query).toEqual({ limit: 5, ascending: true });
    expect(call('inboxes.messages.list').query).toEqual({
      labels: ['a,b', '["c"]'],
      limit: 7,
      include_spam: true,
    });
    expect(call('inboxes.messages.update').body).toEqual({ add: ['x'], remove: ['unread'] });
    expect(call('inboxes.messages.getAttachment').path.attachment_id).toBe('att 1+%');
  });

  it('walks pages', async () => {
    const { client, calls } = setUp();
    const ids: string[] = [];
    for await (const { message_id } of client.inboxes.messages.all(address, { labels: ['unread'] }))
      ids.push(message_id);
    expect(ids).toEqual(['msg_1', 'msg_2', 'msg_3', 'msg_4', 'msg_5', 'msg_6']);
    expect(calls.map(({ call }) => [call.query.page_token, call.query.labels])).toEqual([
      [undefined, ['unread']],
      ['3', ['unread']],
      ['5', ['unread']],
    ]);
  });

  it('throws the problem the server threw', async () => {
    const { client } = setUp({
      'inboxes.create': async () => {
        throw new Problem('already_exists', 'taken', { fix: 'Take another.', suggestions: ['a1'] });
      },
    });
    const problem = await client.inboxes.create({ username: 'a' }).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({
      name: 'IsTakenError',
      code: 'already_exists',
      message: 'taken',
      status: 403,
      detail: { fix: 'Take another.', suggestions: ['a1'] },
      cause: { status: 403, request_id: 'req-1' },
    });
    await expect(client.inboxes.get('nobody@mail.example.com')).rejects.toMatchObject({
      code: 'not_found',
      message: 'Inbox not found',
    });
  });

  it('never lets a name become another path', async () => {
    const { client } = setUp();
    for (const name of ['', '.', '..'])
      await expect(client.inboxes.get(name)).rejects.toThrow('inbox_id is missing');
  });
});

describe('repeating', () => {
  /** Answers these before it lets anything through; `null` is no answer at all. */
  const first =
    (answers: (Response | null)[]) =>
    (send: typeof fetch): typeof fetch =>
    async (input, init) => {
      const answer = answers.shift();
      if (answer === null) throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
      return answer ?? send(input, init);
    };
  const status = (code: number, headers: Record<string, string> = {}, body: string | null = null) =>
    new Response(body, { status: code, headers });

  it('follows Retry-After, and its own rungs without', async () => {
    const { client, pauses, calls } = setUp({}, first([status(429, { 'retry-after': '7' }), status(503)]));
    await client.inboxes.create();
    expect(pauses[0]).toBe(7000);
    expect(pauses[1]).toBeGreaterThanOrEqual(1800);
    expect(pauses[1]).toBeLessThanOrEqual(2200);
    expect(calls).toHaveLength(1);
  });
  it('takes a date, and never waits longer than a minute', async () => {
    const { client, pauses } = setUp(
      {},
      first([
        status(503, { 'retry-after': 'Fri, 31 Dec 2100 23:59:59 GMT' }),
        status(408, { 'retry-after': '99999' }),
      ]),
    );
    await client.auth.me();
    expect(pauses).toEqual([60_000, 60_000]);
  });
  it('ends after two, with what the last said', async () => {
    const gateway = () =>
      status(503, { 'content-type': 'application/json' }, '{"message":"Service Unavailable"}');
    const { client, pauses } = setUp({}, first([gateway(), gateway(), gateway()]));
    await expect(client.auth.me()).rejects.toMatchObject({
      code: 'service_unavailable',
      message: '503 Service Unavailable',
    });
    expect(pauses).toHaveLength(2);
  });
  it('does not repeat what would be refused again', async () => {
    const { client, pauses } = setUp({}, first([status(403, {}, '{"message":"Forbidden"}')]));
    await expect(client.auth.me()).rejects.toMatchObject({
      code: 'missing_permission',
      message: '403 Forbidden',
    });
    expect(pauses).toEqual([]);
  });
  it('repeats a GET without an answer, but not a write: it may have happened', async () => {
    const reading = setUp({}, first([null]));
    await reading.client.auth.me();
    expect(reading.pauses).toHaveLength(1);
    const writing = setUp({}, first([null]));
    await expect(writing.client.inboxes.create()).rejects.toThrow('connect ECONNREFUSED');
    expect(writing.calls).toHaveLength(0);
  });
});
