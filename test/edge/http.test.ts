import { describe, expect, it } from 'vitest';
import type { Call, Once } from '../../lib/contract/call.ts';
import type { Inbox } from '../../lib/contract/inbox.ts';
import { Problem } from '../../lib/contract/problem.ts';
import type { InboxRef } from '../../lib/contract/principal.ts';
import type { StoredCredential } from '../../lib/edge/directory.ts';
import type { HttpAnswer } from '../../lib/edge/http-answer.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { createLog } from '../../lib/edge/log.ts';
import { operatorCaller } from '../../lib/edge/operator-caller.ts';
import { signedCaller } from '../../lib/edge/signed-caller.ts';
import { apiEvent, lambdaContext, type Sent } from './api-event.ts';
import { testKey } from './key-fixture.ts';
import { librarySigned } from './library-signer.ts';

const now = Date.parse('2026-01-31T12:00:00Z');
const origin = 'https://mail.example.com';
const alice: InboxRef = {
  uid: 'inb_a',
  inbox_id: 'alice@mail.example.com',
  organization_id: 'org_1',
  pod_id: 'org_1',
};
const stranger: InboxRef = {
  ...alice,
  uid: 'inb_s',
  inbox_id: 'stranger@mail.example.com',
  organization_id: 'org_2',
};
const inbox: Inbox = {
  organization_id: 'org_1',
  pod_id: 'org_1',
  inbox_id: alice.inbox_id,
  email: alice.inbox_id,
  updated_at: 'now',
  created_at: 'now',
};

type Answers = {
  create?: (call: Call<'inboxes.create'>) => Promise<unknown>;
  get?: (call: Call<'inboxes.get'>) => Promise<unknown>;
  update?: (call: Call<'inboxes.update'>) => Promise<unknown>;
  list?: (call: Call<'inboxes.messages.list'>) => Promise<unknown>;
  remove?: () => Promise<unknown>;
  removeThread?: () => Promise<unknown>;
};

function setUp(answers: Answers = {}, change: Partial<StoredCredential> = {}) {
  const key = testKey('ed25519', change);
  const claimed = new Set<string>();
  const lookUps: unknown[] = [];
  const calls: any[] = [];
  const lines: any[] = [];
  const directory = {
    lookUp: async (asked: { keyid: string; inbox?: string }) => {
      lookUps.push(asked);
      const found = [alice, stranger].find(
        ({ inbox_id, uid }) => inbox_id === asked.inbox || uid === asked.inbox,
      );
      return {
        ...(asked.keyid === key.keyid && { credential: key.credential }),
        ...(found && { inbox: found }),
      };
    },
  };
  const nonces = {
    claim: async ({ key: name }: Once) => (claimed.has(name) ? 'used' : (claimed.add(name), 'claimed')),
  };
  const answering =
    (answer: ((call: any) => Promise<unknown>) | undefined, otherwise: unknown) => async (call: any) => {
      calls.push(call);
      return (await (answer ? answer(call) : otherwise)) as any;
    };
  const door = httpDoor<
    | 'inboxes.create'
    | 'inboxes.get'
    | 'inboxes.update'
    | 'inboxes.messages.list'
    | 'inboxes.messages.delete'
    | 'inboxes.messages.batchGet'
    | 'threads.delete'
  >({
    useCases: {
      'inboxes.create': answering(answers.create, inbox),
      'inboxes.get': answering(answers.get, inbox),
      'inboxes.update': answering(answers.update, inbox),
      'inboxes.messages.list': answering(answers.list, { count: 0, messages: [] }),
      'inboxes.messages.batchGet': answering(undefined, { limit: 1, count: 0, messages: [] }),
      'inboxes.messages.delete': answering(answers.remove, undefined),
      'threads.delete': answering(answers.removeThread, undefined),
    },
    authenticate: signedCaller({ origins: [origin], directory, now: () => now }),
    nonces,
    log: createLog(
      (line) => lines.push(JSON.parse(line)),
      () => now,
    ),
    now: () => now,
  });
  const send = async (sent: Sent) => read(await door(apiEvent(sent), lambdaContext));
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const sent = {
      method,
      url: `${origin}${path}`,
      headers,
      ...(text !== undefined && { body: text }),
    };
    return send(await librarySigned(key, sent, { now }));
  };
  return { key, send, call, calls, lines, lookUps, claimed };
}

const read = (answer: HttpAnswer) => ({
  status: answer.statusCode,
  headers: answer.headers,
  body: answer.body === undefined ? undefined : JSON.parse(answer.body),
});

describe('the http door', () => {
  it('answers a signed call with what the schema names and nothing else', async () => {
    const { call, calls } = setUp({ get: async () => ({ ...inbox, uid: 'inb_a', secret: 's' }) });
    const answer = await call('GET', '/v0/inboxes/alice%40mail.example.com');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(inbox);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-request-id': 'req-1',
    });
    expect(calls[0]).toEqual({
      path: { inbox_id: alice.inbox_id },
      query: undefined,
      body: undefined,
      principal: { kind: 'key', organization_id: 'org_1', api_key_id: 'key_ed25519' },
      inbox: alice,
    });
  });

  it('answers a stranger 401 for any path, method and body', async () => {
    const { send, calls, lookUps } = setUp();
    for (const path of [
      '/',
      '/v0/inboxes',
      '/v0/nothing',
      '/v0/inboxes/alice%40mail.example.com',
      '/v0/inboxes/a/b/c/d/e',
      '/x?%zz',
    ]) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'BREW']) {
        const { status, body, headers } = await send({
          method,
          url: `${origin}${path}`,
          ...(method === 'POST' && { body: '{' }),
        });
        expect([status, body.code]).toEqual([401, 'missing_authorization']);
        expect(headers['www-authenticate']).toBe('Signature realm="posthorn"');
        expect(headers['accept-signature']).toContain('"@target-uri"');
      }
    }
    expect([calls, lookUps]).toEqual([[], []]);
  });

  it('knows routes only for those it knows: 404, 405, then scope, permission, body', async () => {
    const { call, calls } = setUp({}, { permissions: { inbox_read: true } });
    const code = async (...args: Parameters<typeof call>) => {
      const { status, body } = await call(...args);
      return `${status} ${body?.code} ${body?.message}`;
    };
    expect(await code('GET', '/v0/nothing')).toBe('404 not_found Route not found');
    expect(await code('GET', '/v0/inboxes/')).toBe('404 not_found Route not found');
    expect(await code('POST', `/v0/inboxes/${'a'.repeat(600)}/threads`)).toBe(
      '404 not_found Route not found',
    );
    expect(await code('PATCH', '/v0/inboxes')).toMatch(/^405 method_not_allowed/);
    expect(await code('GET', '/v0/inboxes/nobody%40mail.example.com')).toBe('404 not_found Inbox not found');
    expect(await code('PATCH', '/v0/inboxes/stranger%40mail.example.com', '{')).toBe(
      '404 not_found Inbox not found',
    );
    expect(await code('PATCH', '/v0/inboxes/alice%40mail.example.com', '{')).toMatch(
      /^403 missing_permission .*inbox_update/,
    );
    expect(calls).toEqual([]);
    expect((await call('PATCH', '/v0/inboxes')).headers['allow']).toBe('POST');
  });

  it('keeps a key of one inbox to it, by any of its names', async () => {
    const own = setUp({}, { inbox: { uid: 'inb_a', inbox_id: alice.inbox_id } });
    expect((await own.call('GET', '/v0/inboxes/inb_a')).status).toBe(200);
    const other = setUp({}, { inbox: { uid: 'inb_b', inbox_id: 'bob@mail.example.com' } });
    expect((await other.call('GET', '/v0/inboxes/inb_a')).status).toBe(404);
    const pod = setUp({}, { pod_id: 'pod_2' });
    expect((await pod.call('GET', '/v0/inboxes/inb_a')).status).toBe(404);
  });

  it('never asks the directory for a name no inbox can have', async () => {
    const { call, lookUps } = setUp();
    expect((await call('GET', `/v0/inboxes/${'a'.repeat(321)}`)).status).toBe(404);
    expect(lookUps).toEqual([{ keyid: expect.any(String) }]);
  });

  it('names every field that is wrong', async () => {
    const { call } = setUp();
    const { status, body } = await call('POST', '/v0/inboxes', {
      display_name: 7,
      client_id: 'a@b',
      credential: { type: 'public_key', public_key: { kty: 'OKP', crv: 'Ed25519', x: 'short' }, proof: '-' },
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ name: 'ValidationError', code: 'validation_error', request_id: 'req-1' });
    expect(body.message).toMatch(/^display_name: .*\(and 3 more\)$/);
    expect(body.errors.map(({ path }: { path: string[] }) => path.join('.'))).toEqual([
      'display_name',
      'client_id',
      'credential.public_key.x',
      'credential.proof',
    ]);
    expect((await call('PATCH', '/v0/inboxes/inb_a', {})).body.message).toBe(
      'Must provide display_name or metadata',
    );
    const query = await call('GET', '/v0/inboxes/inb_a/messages?limit=9999&before=yesterday');
    expect(query.body.errors.map(({ path }: { path: string[] }) => path[0])).toEqual(['limit', 'before']);
    expect((await call('GET', '/v0/inboxes/inb_a/messages?limit=%zz')).status).toBe(400);
  });

  it('reads bodies: optional, absent type, other types, too large, not JSON', async () => {
    const { call, calls } = setUp();
    expect((await call('POST', '/v0/inboxes')).status).toBe(200);
    expect(calls.at(-1).body).toBeUndefined();
    expect((await call('POST', '/v0/inboxes', { username: 'a' })).status).toBe(200);
    expect(
      (
        await call(
          'POST',
          '/v0/inboxes',
          { username: 'a' },
          { 'content-type': 'application/json; charset=utf-8' },
        )
      ).status,
    ).toBe(200);
    expect(
      (
        await call('POST', '/v0/inboxes', 'username=a', {
          'content-type': 'application/x-www-form-urlencoded',
        })
      ).status,
    ).toBe(415);
    expect((await call('PATCH', '/v0/inboxes/inb_a')).body.message).toBe('the body is missing');
    expect((await call('POST', '/v0/inboxes', ' '.repeat(6 * 1024 * 1024 + 1))).status).toBe(413);
    expect((await call('POST', '/v0/inboxes', '{"username":}')).body.message).toMatch(/ at position 12$/);
  });

  it('answers 204 for nothing and 202 for what is pending', async () => {
    const { call } = setUp({ removeThread: async () => ({ thread_id: 't', pending: true }) });
    expect(await call('DELETE', '/v0/inboxes/inb_a/messages/msg_1')).toMatchObject({
      status: 204,
      body: undefined,
    });
    expect(await call('DELETE', '/v0/threads/thr_1')).toMatchObject({
      status: 202,
      body: { thread_id: 't', pending: true },
    });
    expect((await setUp().call('DELETE', '/v0/threads/thr_1')).status).toBe(204);
  });

  it('answers a problem whole, with Retry-After', async () => {
    const problem = new Problem('already_exists', 'taken', {
      fix: 'Take another.',
      suggestions: ['a1'],
      retry_after: 1.2,
    });
    const { call } = setUp({
      create: async () => {
        throw problem;
      },
    });
    const { status, body, headers } = await call('POST', '/v0/inboxes', {});
    expect([status, headers['retry-after']]).toEqual([403, '2']);
    expect(body).toEqual({
      name: 'IsTakenError',
      code: 'already_exists',
      message: 'taken',
      fix: 'Take another.',
      suggestions: ['a1'],
      request_id: 'req-1',
    });
  });

  it('keeps a bug to the log', async () => {
    const { call, lines } = setUp({
      get: async () => {
        throw new TypeError('row 17 of tenant');
      },
    });
    const { status, body } = await call('GET', '/v0/inboxes/inb_a');
    expect([status, body.code]).toEqual([500, 'internal_error']);
    expect(JSON.stringify(body)).not.toContain('row 17');
    expect(lines.find(({ level }) => level === 'error')).toMatchObject({
      request_id: 'req-1',
      error: { name: 'TypeError', message: 'row 17 of tenant', stack: expect.stringContaining('http.test') },
    });
  });

  it('takes an answer that does not fit for the bug it is', async () => {
    const { call, lines } = setUp({ get: async () => ({ ...inbox, email: 5 }) });
    expect((await call('GET', '/v0/inboxes/inb_a')).status).toBe(500);
    expect(lines.find(({ level }) => level === 'error').error.message).toContain('email invalid_type');
  });

  it('says that an answer is too large, counting what Lambda counts', async () => {
    const large = (text: string) =>
      setUp({ get: async () => ({ ...inbox, display_name: text }) }).call('GET', '/v0/inboxes/inb_a');
    expect((await large('a'.repeat(5_000_000))).status).toBe(200);
    const quotes = await large('"'.repeat(2_000_000));
    expect([quotes.status, quotes.body.code]).toEqual([422, 'unprocessable']);
    expect(quotes.body.message).toContain('6 MB');
  });

  it('logs a line for each request, without what is secret', async () => {
    const { call, lines } = setUp();
    await call('PATCH', '/v0/inboxes/inb_a', { display_name: 'Alice' });
    expect(lines).toEqual([
      {
        level: 'info',
        time: new Date(now).toISOString(),
        message: 'answer',
        request_id: 'req-1',
        method: 'PATCH',
        route: 'inboxes.update',
        status: 200,
        milliseconds: 0,
        organization_id: 'org_1',
        api_key_id: 'key_ed25519',
      },
    ]);
  });
});

describe('the nonce of a write', () => {
  const replay = async (answers: Answers, method: string, path: string, body?: string) => {
    const { key, send, calls, claimed } = setUp(answers);
    const sent = await librarySigned(
      key,
      { method, url: `${origin}${path}`, ...(body !== undefined && { body }) },
      { now },
    );
    const first = await send(sent);
    const seen = calls.length;
    const second = await send(sent);
    return {
      first: first.status,
      second: second.body?.code ?? second.status,
      again: calls.length - seen,
      claimed: claimed.size,
    };
  };

  it('is spent before the write', async () => {
    expect(await replay({}, 'PATCH', '/v0/inboxes/inb_a', '{"display_name":"A"}')).toEqual({
      first: 200,
      second: 'nonce_used',
      again: 0,
      claimed: 1,
    });
    expect(await replay({}, 'PATCH', '/v0/inboxes/inb_a', '{')).toEqual({
      first: 400,
      second: 'nonce_used',
      again: 0,
      claimed: 1,
    });
    expect(await replay({}, 'PATCH', '/v0/inboxes/inb_s', '{}')).toEqual({
      first: 404,
      second: 'nonce_used',
      again: 0,
      claimed: 1,
    });
  });
  it('is left to a transaction, and spent afterwards where it was not', async () => {
    expect(await replay({}, 'POST', '/v0/inboxes')).toEqual({
      first: 200,
      second: 'nonce_used',
      again: 1,
      claimed: 1,
    });
    expect(await replay({}, 'POST', '/v0/inboxes', '{')).toEqual({
      first: 400,
      second: 'nonce_used',
      again: 0,
      claimed: 1,
    });
    const refusing = async () => {
      throw new Problem('already_exists', 'taken');
    };
    expect(await replay({ create: refusing }, 'POST', '/v0/inboxes')).toEqual({
      first: 403,
      second: 'nonce_used',
      again: 1,
      claimed: 1,
    });
    const spending = async ({ once }: Call<'inboxes.create'>) => {
      once!.spent = true;
      return inbox;
    };
    expect(await replay({ create: spending }, 'POST', '/v0/inboxes')).toEqual({
      first: 200,
      second: 200,
      again: 1,
      claimed: 0,
    });
  });
  it('is not asked of reads', async () => {
    expect(await replay({}, 'GET', '/v0/inboxes/inb_a')).toEqual({
      first: 200,
      second: 200,
      again: 1,
      claimed: 0,
    });
  });
});

describe('what the directory said', () => {
  it('serves reads for five seconds and writes never', async () => {
    const { call, lookUps } = setUp();
    await call('GET', '/v0/inboxes/inb_a');
    await call('GET', '/v0/inboxes/inb_a/messages');
    await call('POST', '/v0/inboxes/inb_a/messages/batch-get', { message_ids: ['a'] });
    expect(lookUps).toHaveLength(1);
    await call('PATCH', '/v0/inboxes/inb_a', { display_name: 'A' });
    await call('DELETE', '/v0/inboxes/inb_a/messages/m');
    expect(lookUps).toHaveLength(3);
  });
});

describe('the operator’s door', () => {
  const door = httpDoor<'operator.organizations.get'>({
    useCases: {
      'operator.organizations.get': async ({ path, principal }) => ({
        organization_id: path.organization_id,
        name: principal.api_key_id!,
        verified: true,
        state: 'active',
        inbox_count: 0,
        domain_count: 0,
        updated_at: '',
        created_at: '',
      }),
    },
    authenticate: operatorCaller,
    log: createLog(() => {}),
  });
  const url = `${origin}/v0/operator/organizations/org_1`;

  it('takes whom API Gateway let in by IAM', async () => {
    const answer = read(
      await door(
        apiEvent({ url, iam: { userArn: 'arn:aws:iam::000000000000:user/operator' } }),
        lambdaContext,
      ),
    );
    expect([answer.status, answer.body.name]).toEqual([200, 'arn:aws:iam::000000000000:user/operator']);
  });
  it('refuses everyone else, for any path', async () => {
    for (const path of [url, `${origin}/v0/operator/nothing`]) {
      expect(read(await door(apiEvent({ url: path }), lambdaContext))).toMatchObject({
        status: 403,
        body: { code: 'missing_permission' },
      });
    }
  });
});
