import { describe, expect, it } from 'vitest';
import { about, type Call, type Deed } from '../../lib/contract/call.ts';
import type { Inbox } from '../../lib/contract/inbox.ts';
import type { Line } from '../../lib/contract/ledger.ts';
import type { MessageItem } from '../../lib/contract/message.ts';
import type { Organization } from '../../lib/contract/organization.ts';
import { Problem, notFound } from '../../lib/contract/problem.ts';
import type { InboxRef } from '../../lib/contract/principal.ts';
import type { Asked, Looked, StoredCredential } from '../../lib/edge/directory.ts';
import type { HttpAnswer } from '../../lib/edge/http-answer.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { createLog } from '../../lib/edge/log.ts';
import { keyCaller } from '../../lib/edge/key-caller.ts';
import { operatorCaller } from '../../lib/edge/operator-caller.ts';
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

const organization: Organization = {
  organization_id: 'org_1',
  verified: true,
  state: 'active',
  access: 'production',
  bearer_keys: false,
  inbox_count: 0,
  domain_count: 0,
  updated_at: '',
  created_at: '',
};
const shown = (message_id: string): MessageItem => ({
  organization_id: 'org_1',
  pod_id: 'org_1',
  inbox_id: alice.inbox_id,
  thread_id: 'thr_1',
  message_id,
  labels: [],
  timestamp: '',
  from: '',
  to: [],
  size: 0,
  updated_at: '',
  created_at: '',
});

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
  const ledger: Line[] = [];
  const lookUps: unknown[] = [];
  const touched: string[] = [];
  const calls: any[] = [];
  const lines: any[] = [];
  const directory = {
    lookUp: async (asked: Asked): Promise<Looked> => {
      lookUps.push(asked);
      const found = [alice, stranger].find(
        ({ inbox_id, uid }) => inbox_id === asked.inbox || uid === asked.inbox,
      );
      return {
        ...(asked.keyid === key.keyid && {
          credential: key.credential,
          organization: { state: 'active' as const },
        }),
        ...(found && { inbox: found }),
      };
    },
    touch: async (_: StoredCredential, time: string) => void touched.push(time),
  };
  /** Both or neither, as in the table's transaction. */
  const settle = async ({ once, line }: Deed) => {
    if (once !== undefined && claimed.has(once.key)) throw new Problem('nonce_used', 'used before');
    if (once !== undefined) claimed.add(once.key);
    if (line !== undefined) ledger.push(structuredClone(line));
  };
  /** What a use case does that writes the deed with its change. */
  const written = async (deed: Deed) => {
    await settle(deed);
    deed.written = true;
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
    authenticate: keyCaller({ origins: [origin], directory, now: () => now }),
    deeds: { settle, commit: async () => ({ source_ip: 'commitment' }) },
    ulid: (time) => `01kg9r7z8j${String(time).padStart(16, '0')}`,
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
  return { key, send, call, calls, lines, lookUps, claimed, ledger, touched, written };
}

const read = (answer: HttpAnswer) => ({
  status: answer.statusCode,
  headers: answer.headers,
  body: answer.body === undefined ? undefined : JSON.parse(answer.body),
});

describe('the http door', () => {
  it('answers a signed call with what the schema names and nothing else', async () => {
    const { key, call, calls } = setUp({ get: async () => ({ ...inbox, uid: 'inb_a', secret: 's' }) });
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
      principal: {
        kind: 'key',
        scope: { organization_id: 'org_1' },
        api_key_id: 'key_ed25519',
        keyid: key.keyid,
      },
      scope: { organization_id: 'org_1', pod_id: 'org_1', inbox: alice },
      deed: { written: false },
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
        expect(headers['www-authenticate']).toBe('Signature realm="posthorn", Bearer realm="posthorn"');
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
      docs: 'docs/errors.md#already_exists',
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
  const replay = async (
    answersOf: (scene: { written: (deed: Deed) => Promise<void> }) => Answers,
    method: string,
    path: string,
    body?: string,
  ) => {
    const scene: ReturnType<typeof setUp> = setUp(answersOf({ written: (deed) => scene.written(deed) }));
    const { key, send, calls, claimed, ledger } = scene;
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
      lines: ledger.map(({ outcome, code }) => `${outcome} ${code ?? ''}`.trim()),
    };
  };
  const plain = () => ({});

  it('is spent by a write that was refused before it began', async () => {
    const refused = { second: 'nonce_used', again: 0, claimed: 1 };
    expect(await replay(plain, 'PATCH', '/v0/inboxes/inb_a', '{')).toEqual({
      ...refused,
      first: 400,
      lines: ['failed validation_error'],
    });
    expect(await replay(plain, 'PATCH', '/v0/inboxes/inb_s', '{}')).toEqual({
      ...refused,
      first: 404,
      lines: ['denied not_found'],
    });
  });
  it('is spent in the change’s own transaction, and a replay changes nothing', async () => {
    const changing = ({ written }: { written: (deed: Deed) => Promise<void> }): Answers => ({
      create: async ({ deed }) => {
        await written(deed);
        return inbox;
      },
    });
    expect(await replay(changing, 'POST', '/v0/inboxes')).toEqual({
      first: 200,
      second: 'nonce_used',
      again: 1,
      claimed: 1,
      lines: ['allowed'],
    });
  });
  it('is spent afterwards where there was no transaction, so that a replay is answered nothing', async () => {
    expect(await replay(plain, 'POST', '/v0/inboxes')).toEqual({
      first: 200,
      second: 'nonce_used',
      again: 1,
      claimed: 1,
      lines: ['allowed'],
    });
    const refusing = async () => {
      throw new Problem('already_exists', 'taken');
    };
    expect(await replay(() => ({ create: refusing }), 'POST', '/v0/inboxes')).toEqual({
      first: 403,
      second: 'nonce_used',
      again: 1,
      claimed: 1,
      lines: ['denied already_exists'],
    });
  });
  it('is not spent twice where the change is made and the answer is not', async () => {
    const failing = ({ written }: { written: (deed: Deed) => Promise<void> }): Answers => ({
      create: async ({ deed }) => {
        await written(deed);
        throw new TypeError('after the change');
      },
    });
    expect(await replay(failing, 'POST', '/v0/inboxes')).toMatchObject({
      first: 500,
      claimed: 1,
      lines: ['allowed'],
    });
  });
  it('is not asked of reads, whatever their method', async () => {
    const twice = { first: 200, second: 200, again: 1, claimed: 0 };
    expect(await replay(plain, 'GET', '/v0/inboxes/inb_a')).toEqual({ ...twice, lines: [] });
    expect(
      await replay(plain, 'POST', '/v0/inboxes/inb_a/messages/batch-get', '{"message_ids":["a"]}'),
    ).toEqual({ ...twice, lines: ['allowed', 'allowed'] });
  });
});

describe('the line of a call', () => {
  it('says who did what where, and what came of it', async () => {
    const { call, ledger } = setUp({
      create: async ({ deed }) => {
        about(deed, ['inb_a'], alice);
        return inbox;
      },
    });
    await call('POST', '/v0/inboxes');
    expect(ledger).toEqual([
      {
        line_id: expect.stringMatching(/^lin_/),
        time: new Date(now).toISOString(),
        organization_id: 'org_1',
        pod_id: 'org_1',
        inbox_uid: 'inb_a',
        principal: { kind: 'key', api_key_id: 'key_ed25519' },
        action: 'inboxes.create',
        resources: ['inb_a'],
        outcome: 'allowed',
        request_id: 'req-1',
        commitments: { source_ip: 'commitment' },
      },
    ]);
  });
  it('of a read names what was shown, with the inbox the path resolved to', async () => {
    const { call, ledger } = setUp({
      list: async () => ({ count: 2, messages: [shown('msg_1'), shown('msg_2')] }),
    });
    expect((await call('GET', '/v0/inboxes/alice%40mail.example.com/messages')).status).toBe(200);
    expect(ledger).toMatchObject([
      { action: 'inboxes.messages.list', inbox_uid: 'inb_a', resources: ['msg_1', 'msg_2'] },
    ]);
  });
  it('says denied for 403 and 404, and failed for the rest', async () => {
    const { call, ledger } = setUp(
      {
        remove: async () => {
          throw new TypeError('a bug');
        },
      },
      { permissions: { message_read: true, message_delete: true } },
    );
    await call('GET', '/v0/inboxes/inb_s/messages');
    await call('PATCH', '/v0/inboxes/inb_a', { display_name: 'A' });
    await call('GET', '/v0/inboxes/inb_a/messages?limit=%zz');
    await call('DELETE', '/v0/inboxes/inb_a/messages/msg_1');
    expect(ledger.map(({ action, outcome, code }) => [action, outcome, code])).toEqual([
      ['inboxes.messages.list', 'denied', 'not_found'],
      ['inboxes.update', 'denied', 'missing_permission'],
      ['inboxes.messages.list', 'failed', 'validation_error'],
      ['inboxes.messages.delete', 'failed', 'internal_error'],
    ]);
    // What a refused caller named is not known to be theirs.
    expect(ledger[0]).not.toHaveProperty('inbox_uid');
  });
  it('is not written for strangers, for what no route is, and for what is neither change nor content', async () => {
    const { call, send, ledger } = setUp();
    await send({ method: 'PATCH', url: `${origin}/v0/inboxes/inb_a`, body: '{}' });
    await call('GET', '/v0/nothing');
    await call('PUT', '/v0/inboxes');
    await call('GET', '/v0/inboxes/inb_a');
    expect(ledger).toEqual([]);
  });
  it('that cannot be written refuses the read', async () => {
    const { call, calls, ledger } = setUp();
    ledger.push = () => {
      throw new Error('the table is away');
    };
    const { status, body } = await call('GET', '/v0/inboxes/inb_a/messages');
    expect([status, body.code, calls.length]).toEqual([500, 'internal_error', 1]);
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
  it('is told of a key’s use about once an hour', async () => {
    const { call, touched } = setUp();
    await call('GET', '/v0/inboxes/inb_a');
    await call('PATCH', '/v0/inboxes/inb_a', { display_name: 'A' });
    expect(touched).toEqual([new Date(now).toISOString()]);
    const lately = setUp({}, { used_at: new Date(now - 3_599_999).toISOString() });
    await lately.call('GET', '/v0/inboxes/inb_a');
    expect(lately.touched).toEqual([]);
  });
});

describe('the operator’s door', () => {
  const arn = 'arn:aws:iam::000000000000:user/operator';
  const personal: unknown[] = [];
  const ledger: Line[] = [];
  const seen: unknown[] = [];
  const door = httpDoor<'operator.organizations.get' | 'operator.organizations.resume'>({
    useCases: {
      'operator.organizations.get': async ({ path, principal }) => {
        seen.push(principal);
        return { ...organization, organization_id: path.organization_id };
      },
      'operator.organizations.resume': async ({ path }) => {
        if (path.organization_id !== 'org_1') throw notFound('Organization');
        return organization;
      },
    },
    authenticate: operatorCaller,
    deeds: {
      settle: async ({ line }) => void (line && ledger.push(structuredClone(line))),
      commit: async (organizationId, facts) => {
        personal.push([organizationId, facts]);
        return { user_arn: 'commitment' };
      },
    },
    ulid: () => '01kg9r7z8j0000000000000000',
    log: createLog(() => {}),
  });
  const url = `${origin}/v0/operator/organizations/org_1`;

  it('takes whom API Gateway let in by IAM', async () => {
    const answer = read(await door(apiEvent({ url, iam: { userArn: arn } }), lambdaContext));
    expect([answer.status, answer.body.organization_id]).toEqual([200, 'org_1']);
    expect(seen).toEqual([{ kind: 'operator' }]);
  });
  it('leaves a line in the organization’s ledger that commits to the person, and names none', async () => {
    const resume = (id: string) => {
      const sent = { method: 'POST', url: `${origin}/v0/operator/organizations/${id}/resume` };
      return door(apiEvent({ ...sent, iam: { userArn: arn } }), lambdaContext);
    };
    expect((await resume('org_1')).statusCode).toBe(200);
    expect((await resume('org_2')).statusCode).toBe(404);
    // What is not there has no ledger: it stands in the operator's.
    expect(ledger.map(({ organization_id, outcome }) => [organization_id, outcome])).toEqual([
      ['org_1', 'allowed'],
      ['org_operator', 'denied'],
    ]);
    expect(ledger[0]).toMatchObject({
      principal: { kind: 'operator' },
      commitments: { user_arn: 'commitment' },
    });
    expect(JSON.stringify(ledger)).not.toContain(arn);
    expect(personal[0]).toEqual(['org_1', { user_arn: arn, source_ip: '127.0.0.1' }]);
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
