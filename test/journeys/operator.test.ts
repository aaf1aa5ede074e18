import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createSigV4Fetch } from '../../lib/cli/sigv4-fetch.ts';
import type { Client } from '../../lib/sdk/client.ts';
import type { SigningJwk } from '../../lib/sdk/key.ts';
import { createSigningFetch } from '../../lib/sdk/signing-fetch.ts';
import { sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();
const problem = (code: string, status: number) => expect.objectContaining({ code, status });
const suspended = problem('account_suspended', 403);
afterEach(() => {
  vi.unstubAllEnvs();
  mailroom.rain(true);
});

/** One attempt, as it is answered. */
async function attempt(key: { private_jwk: SigningJwk }, path: string, init: RequestInit = {}) {
  const signed = createSigningFetch(key, { now: () => mailroom.cloud.clock.now() });
  const response = await signed(`${mailroom.cloud.api}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

describe('an organization that is suspended', () => {
  it('is refused with each of its keys, takes in its mail, and goes on when it is resumed', async () => {
    const { organization_id, client } = await mailroom.organization();
    const pod = await client.pods.create();
    const { inbox_id, credential } = await client.pods.inboxes.create(pod.pod_id, {
      credential: { type: 'generate' },
    });
    const clients = [client, mailroom.client({ private_jwk: credential!.private_jwk! })];
    for (const one of clients) await one.inboxes.list();

    const { organizations } = mailroom.operator;
    expect(await organizations.suspend(organization_id, { reason: 'unpaid' })).toMatchObject({
      state: 'suspended',
      suspended_reason: 'unpaid',
    });
    for (const one of clients)
      await expect(one.inboxes.update(inbox_id, { display_name: 'X' })).rejects.toEqual(suspended);
    await expect(mailroom.operator.apiKeys.create(organization_id, { type: 'generate' })).rejects.toEqual(
      suspended,
    );
    mailroom.cloud.clock.advance(5001);
    for (const one of clients) {
      await expect(one.auth.me()).rejects.toEqual(suspended);
      await expect(one.inboxes.messages.list(inbox_id)).rejects.toEqual(suspended);
    }
    await mailroom.send({ to: inbox_id, subject: 'Meanwhile' });
    await mailroom.eventually(async () => {
      expect(await mailroom.objects(`${organization_id}/`)).not.toEqual([]);
    });

    const resumed = await organizations.resume(organization_id);
    expect(resumed).toMatchObject({ state: 'active' });
    expect(resumed).not.toHaveProperty('suspended_reason');
    // A refusal is remembered no longer than an admission.
    mailroom.cloud.clock.advance(5001);
    expect((await mailroom.message(inbox_id, 'Meanwhile', client)).subject).toBe('Meanwhile');
    for (const one of clients) expect((await one.inboxes.get(inbox_id)).display_name).toBeUndefined();
    const { lines } = await mailroom.operator.audit.list(organization_id, { limit: 500 });
    const told = lines.map(({ action, outcome, code, principal }) => [principal.kind, action, outcome, code]);
    expect(told).toContainEqual(['operator', 'operator.organizations.suspend', 'allowed', undefined]);
    expect(told).toContainEqual(['operator', 'operator.organizations.resume', 'allowed', undefined]);
  });
});

describe('the limits of an organization', () => {
  let organization_id: string;
  let keys: { private_jwk: SigningJwk }[];
  beforeAll(async () => {
    ({ organization_id } = await mailroom.operator.organizations.create());
    keys = [await mailroom.key(undefined, organization_id), await mailroom.key(undefined, organization_id)];
  });
  /** The buckets are those of a minute: at its beginning they are full. */
  const newMinute = () => {
    const { clock } = mailroom.cloud;
    clock.advance(60_000 - (clock.now() % 60_000));
  };
  const limits = (members: Parameters<typeof mailroom.operator.organizations.update>[1]) =>
    mailroom.operator.organizations.update(organization_id, members);

  /** Limits of a key and of the organization, in force at each instance, and nothing used up yet. */
  async function rated(members: Parameters<typeof limits>[0]) {
    // Each attempt counts, so none may be lost on the way.
    mailroom.rain(false);
    const set = await limits({ requests_per_minute: null, key_requests_per_minute: null, ...members });
    mailroom.cloud.clock.advance(5001);
    newMinute();
    return set;
  }
  const statuses = async (calls: Promise<{ status: number }>[]) =>
    (await Promise.all(calls)).map(({ status }) => status).toSorted();

  it('in requests of each key hold over instances, until the minute is over', async () => {
    expect(await rated({ key_requests_per_minute: 5 })).toMatchObject({ key_requests_per_minute: 5 });
    const [one, other] = keys as [(typeof keys)[0], (typeof keys)[0]];
    const first = await attempt(one, '/v0/auth/me');
    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-limit')).toBe('5');
    expect(Number(first.headers.get('ratelimit-remaining'))).toBeLessThanOrEqual(4);
    expect(Number(first.headers.get('ratelimit-reset'))).toBeLessThanOrEqual(60);
    const burst = Array.from({ length: 7 }, () => attempt(one, '/v0/auth/me'));
    expect(await statuses(burst)).toEqual([200, 200, 200, 200, 429, 429, 429]);
    const refused = await attempt(one, '/v0/pods', { method: 'POST' });
    expect(refused).toMatchObject({
      status: 429,
      body: {
        name: 'RateLimitError',
        code: 'rate_limit_exceeded',
        resource: 'key requests',
        limit: 5,
        window: 'minute',
      },
    });
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    expect(refused.headers.get('ratelimit-reset')).toBe(String(wait));
    expect((await attempt(other, '/v0/auth/me')).status).toBe(200);

    mailroom.cloud.clock.advance(wait * 1000);
    expect((await attempt(one, '/v0/auth/me')).status).toBe(200);
    // What was refused was not carried out.
    const { pods } = await mailroom.client(other).pods.list();
    expect(pods.map(({ pod_id }) => pod_id)).toEqual([organization_id]);
  });

  it('in requests of all its keys hold for them together, whatever they ask for', async () => {
    await rated({ requests_per_minute: 6 });
    const paths = ['/v0/auth/me', '/v0/inboxes/nobody@posthorn.test', '/v0/nothing', '/v0/pods'];
    const burst = Array.from({ length: 8 }, (_, n) => attempt(keys[n % 2]!, paths[n % 4]!));
    expect((await statuses(burst)).filter((status) => status === 429)).toHaveLength(2);
    for (const key of keys)
      expect(await attempt(key, '/v0/auth/me')).toMatchObject({
        status: 429,
        body: { resource: 'organization requests', limit: 6 },
      });
    // Another organization is none of its business.
    await mailroom.client().auth.me();
    const freed = await rated({});
    expect(freed).not.toHaveProperty('requests_per_minute');
    expect((await attempt(keys[0]!, '/v0/auth/me')).headers.get('ratelimit-limit')).toBe('6000');
  });

  it('in inboxes is a limit that says so, also where many are made at once', async () => {
    await limits({ inbox_limit: 2 });
    const client = mailroom.client(keys[0]);
    const settled = await Promise.allSettled(Array.from({ length: 5 }, () => client.inboxes.create()));
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    for (const one of settled)
      if (one.status === 'rejected') expect(one.reason).toEqual(problem('limit_exceeded', 403));
    expect(await client.organizations.get()).toMatchObject({ inbox_count: 2, inbox_limit: 2 });
    await limits({ inbox_limit: null });
    await client.inboxes.create();
  });
});

describe('the operator', () => {
  it('says who may mail whom, and which keys there are', async () => {
    const { organizations, apiKeys } = mailroom.operator;
    const { organization_id, access, bearer_keys } = await organizations.create({ name: 'Acme' });
    expect([access, bearer_keys]).toEqual(['sandbox', false]);
    const first = await mailroom.key(undefined, organization_id);
    const client = mailroom.client(first);
    await expect(apiKeys.create(organization_id, { type: 'bearer' })).rejects.toEqual(
      problem('missing_permission', 403),
    );
    const changed = { access: 'production', bearer_keys: true, name: 'Acme Inc.' } as const;
    expect(await organizations.update(organization_id, changed)).toMatchObject(changed);
    expect(await client.organizations.get()).toMatchObject(changed);
    // That is not for the organization to say.
    for (const own of [{ access: 'production' }, { requests_per_minute: 1 }, { state: 'active' }])
      await expect(client.organizations.update(own as object)).rejects.toEqual(
        problem('validation_error', 400),
      );

    const bearer = await apiKeys.create(organization_id, {
      type: 'bearer',
      permissions: { inbox_read: true },
    });
    if (bearer.type !== 'bearer') throw new Error('another kind of key was made');
    const ask = () =>
      mailroom.eventually(async () => {
        const headers = { authorization: `Bearer ${bearer.api_key}` };
        const { status } = await fetch(`${mailroom.cloud.api}/v0/inboxes`, { headers });
        expect(status).toBeLessThan(500);
        return status;
      });
    expect(await ask()).toBe(200);
    const listed = (await apiKeys.list(organization_id)).api_keys;
    expect(listed.map(({ api_key_id }) => api_key_id)).toEqual([bearer.api_key_id, first.api_key_id]);
    expect(JSON.stringify(listed)).not.toContain(bearer.api_key);

    await apiKeys.delete(organization_id, bearer.api_key_id);
    await apiKeys.delete(organization_id, first.api_key_id);
    await expect(client.pods.create()).rejects.toEqual(problem('unknown_api_key', 401));
    mailroom.cloud.clock.advance(5001);
    expect(await ask()).toBe(401);
    await expect(apiKeys.delete(organization_id, first.api_key_id)).rejects.toEqual(
      problem('not_found', 404),
    );
    expect((await apiKeys.list(organization_id)).api_keys).toEqual([]);
    // One organization's door does not open another's.
    const { api_key_id } = await mailroom.key();
    await expect(apiKeys.delete(organization_id, api_key_id)).rejects.toEqual(problem('not_found', 404));
    for (const call of [
      () => organizations.update('org_nobody', { access: 'production' }),
      () => organizations.suspend('org_nobody'),
      () => apiKeys.create('org_nobody', { type: 'generate' }),
    ])
      await expect(call()).rejects.toEqual(problem('not_found', 404));
  });

  it('pauses all sending and lets it go on', async () => {
    const { settings } = mailroom.operator;
    expect(await settings.get()).toEqual({ sending: 'on' });
    const paused = await settings.update({ sending: 'paused' });
    expect(paused).toEqual({ sending: 'paused', updated_at: expect.any(String) });
    expect(await settings.get()).toEqual(paused);
    expect(await settings.update({ sending: 'on' })).toMatchObject({ sending: 'on' });
    const { lines } = await mailroom.operator.audit.list('org_operator', {
      action: 'operator.settings.update',
    });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({
      principal: { kind: 'operator' },
      resources: ['settings'],
      outcome: 'allowed',
    });
  });

  it('is nobody without execute-api:Invoke, or with another’s secret', async () => {
    const { api, operator, refs, keys, iam, clock } = mailroom.cloud;
    const role = Object.entries(refs).find(([id]) => /^apirole/.test(id))![1];
    const calling = async (accessKeyId: string, secret: string, token: string) => {
      vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', secret);
      vi.stubEnv('AWS_SESSION_TOKEN', token);
      const env = { AWS_REGION: operator.region };
      const response = await createSigV4Fetch({ api, env, now: () => clock.now() })(
        `${api}/v0/operator/organizations`,
      );
      return { status: response.status, body: await response.json() };
    };
    const forbidden = { status: 403, body: { message: 'Forbidden' } };
    const made = keys.issueKeys(`arn:aws:iam::000000000000:role/${role}`, 'api');
    expect(await calling(made.accessKeyId, made.secretAccessKey, made.sessionToken)).toEqual(forbidden);
    expect(iam.refusals.splice(0)).toMatchObject([
      {
        action: 'execute-api:Invoke',
        resource: expect.stringMatching(/\/GET\/v0\/operator\/organizations$/),
      },
    ]);
    expect(await calling(operator.access_key_id, 'another secret', '')).toEqual(forbidden);
    expect((await calling(operator.access_key_id, operator.secret_access_key, '')).status).toBe(200);
  });
});

describe('an Idempotency-Key', () => {
  let organization_id: string;
  let client: Client;
  let key: { private_jwk: SigningJwk };
  beforeAll(async () => {
    ({ organization_id } = await mailroom.operator.organizations.create());
    key = await mailroom.key(undefined, organization_id);
    client = mailroom.client(key);
  });
  const create = (path: string, idempotencyKey: string, body: object = {}, by = key) =>
    attempt(by, path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
    });
  /** As a client of the field does it: again while it is under way, or something is the matter. */
  const settled = (...call: Parameters<typeof create>) =>
    mailroom.eventually(async () => {
      const answer = await create(...call);
      if (answer.status >= 500 || answer.headers.has('retry-after')) throw new Error(String(answer.status));
      return answer;
    });
  const inboxes = async () => (await client.organizations.get()).inbox_count;

  it('answers a repeat as the first call, at every route that takes one, and shows no secret again', async () => {
    for (const [path, body] of [
      ['/v0/inboxes', { credential: { type: 'generate' } }],
      ['/v0/pods', { name: 'A' }],
      ['/v0/api-keys', { type: 'generate' }],
      [`/v0/pods/${organization_id}/inboxes`, {}],
    ] as const) {
      const id = randomUUID();
      const first = await settled(path, id, body);
      expect(first.status).toBe(200);
      const again = await settled(path, id, body);
      expect(again.status).toBe(200);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      const { private_jwk: _, ...shown } = first.body;
      if (shown.credential !== undefined) delete shown.credential.private_jwk;
      expect(again.body).toEqual(shown);
      expect((await settled(path, id, { ...body, name: 'B' })).body).toMatchObject({ code: 'conflict' });
    }
    expect(await inboxes()).toBe(2);
    const { lines } = await client.audit.list({ action: 'inboxes.create', limit: 500 });
    expect(lines.filter(({ code }) => code === 'repeated')).toHaveLength(1);
  });

  it('belongs to one call: another path, another scope or another body is a conflict', async () => {
    const id = randomUUID();
    const before = await inboxes();
    const first = await settled('/v0/inboxes', id, { display_name: 'Ada' });
    expect(first.status).toBe(200);
    const { pod_id } = await client.pods.create();
    const made = await client.pods.apiKeys.create(pod_id, { type: 'generate' });
    if (made.type !== 'public_key') throw new Error('no pair was made');
    const ofPod = { private_jwk: made.private_jwk! };
    for (const call of [
      ['/v0/inboxes', id, { display_name: 'Eve' }],
      ['/v0/pods', id, { display_name: 'Ada' }],
      [`/v0/pods/${pod_id}/inboxes`, id, { display_name: 'Ada' }],
      ['/v0/inboxes', id, { display_name: 'Ada' }, ofPod],
    ] as Parameters<typeof create>[])
      expect(await settled(...call)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await inboxes()).toBe(before + 1);
    // Any key of the scope may repeat the call; another organization has Idempotency-Keys of its own.
    const sister = await mailroom.key(undefined, organization_id);
    const repeated = await settled('/v0/inboxes', id, { display_name: 'Ada' }, sister);
    expect(repeated.body).toEqual(first.body);
    const other = await settled('/v0/inboxes', id, { display_name: 'Ada' }, await mailroom.key());
    expect(other.body.inbox_id).not.toBe(first.body.inbox_id);
    for (const wrong of ['', 'two words', 'a'.repeat(257)])
      expect(await settled('/v0/inboxes', wrong)).toMatchObject({
        status: 400,
        body: { code: 'validation_error' },
      });
  });

  it('of fifty calls at once lets one through', async () => {
    const before = await inboxes();
    const id = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => create('/v0/inboxes', id)));
    const seen = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.inbox_id));
    expect(seen.size).toBeLessThanOrEqual(1);
    for (const { status, body, headers } of answers) {
      if (status !== 409) continue;
      expect(body.code).toBe('conflict');
      expect(headers.get('retry-after')).toBe('1');
    }
    const last = await settled('/v0/inboxes', id);
    expect(last.status).toBe(200);
    for (const inbox of seen) expect(inbox).toBe(last.body.inbox_id);
    expect(await inboxes()).toBe(before + 1);
  });

  it('is free again after a refusal, and forgotten after a day', async () => {
    const id = randomUUID();
    expect(await settled('/v0/inboxes', id, { username: 'postmaster' })).toMatchObject({ status: 400 });
    const first = await settled('/v0/inboxes', id);
    expect(first.status).toBe(200);
    await mailroom.sleep(23 * 3_600_000);
    expect((await settled('/v0/inboxes', id)).body.inbox_id).toBe(first.body.inbox_id);
    await mailroom.sleep(3_700_000);
    const anew = await settled('/v0/inboxes', id, { display_name: 'Another' });
    expect(anew.status).toBe(200);
    expect(anew.body.inbox_id).not.toBe(first.body.inbox_id);
  });
});
