import { beforeAll, describe, expect, it } from 'vitest';
import { generateKeyPairSync } from 'node:crypto';
import type { CreateApiKeyBody } from '../../lib/contract/api-key.ts';
import { permissionNames } from '../../lib/contract/permission.ts';
import { createCaller } from '../../lib/sdk/caller.ts';
import type { Client } from '../../lib/sdk/client.ts';
import { generateKey, proveKey, thumbprint, type SigningJwk } from '../../lib/sdk/key.ts';
import { createTransport } from '../../lib/sdk/transport.ts';
import { sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();
const problem = (code: string, status: number) => expect.objectContaining({ code, status });
const notFound = problem('not_found', 404);
const unknown = problem('unknown_api_key', 401);
const escalation = problem('permission_escalation', 403);

const inSeconds = (seconds: number): string =>
  new Date(mailroom.cloud.clock.now() + seconds * 1000).toISOString();

/** Calls with a bearer key or a minted token instead of a signature. */
const bearing = (bearer: string) =>
  createCaller(
    createTransport({
      baseUrl: mailroom.cloud.api,
      fetch: (url, init) => {
        const headers = new Headers(init?.headers);
        headers.set('authorization', `Bearer ${bearer}`);
        return fetch(url, { ...init, headers });
      },
      retries: 5,
      pause: () => Promise.resolve(),
    }),
  );

/** Makes a pair by a client, and a client of that pair. */
async function child(
  client: Client,
  body: Omit<Extract<CreateApiKeyBody, { type: 'generate' }>, 'type'> = {},
) {
  const made = await client.apiKeys.create({ type: 'generate', ...body });
  if (made.type !== 'public_key' || made.private_jwk === undefined) throw new Error('no pair was made');
  return { id: made.api_key_id, made, client: mailroom.client({ private_jwk: made.private_jwk }) };
}

let organization_id: string;
let client: Client;
beforeAll(async () => {
  ({ organization_id, client } = await mailroom.organization());
});

describe('one’s own public key', () => {
  const p256 = (): SigningJwk =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as SigningJwk;

  it.each([
    ['Ed25519', generateKey],
    ['P-256', p256],
  ])('of %s signs once it is registered with its proof; its private half is nowhere', async (_, newKey) => {
    const key = newKey();
    await expect(mailroom.client({ private_jwk: key }).auth.me()).rejects.toEqual(unknown);
    const made = await client.apiKeys.create({ ...(await proveKey(organization_id, key)), name: 'Mine' });
    expect(made).toMatchObject({ type: 'public_key', name: 'Mine', keyid: thumbprint(key), organization_id });
    expect(made).not.toHaveProperty('private_jwk');
    const own = mailroom.client({ private_jwk: key });
    expect((await own.auth.me()).api_key_id).toBe(made.api_key_id);
    expect((await own.pods.create()).organization_id).toBe(organization_id);
    // What is revoked stays revoked: whoever found the key does not bring it back.
    await client.apiKeys.delete(made.api_key_id);
    await expect(own.pods.create()).rejects.toEqual(unknown);
    await expect(client.apiKeys.create(await proveKey(organization_id, key))).rejects.toEqual(
      problem('conflict', 409),
    );
  });

  it('needs a proof, of this key and for this organization', async () => {
    const key = generateKey();
    const good = await proveKey(organization_id, key);
    for (const proof of [
      (await proveKey('org_another', key)).proof,
      (await proveKey(organization_id, generateKey())).proof,
    ])
      await expect(client.apiKeys.create({ ...good, proof })).rejects.toEqual(
        problem('validation_error', 400),
      );
    await expect(mailroom.client({ private_jwk: key }).auth.me()).rejects.toEqual(unknown);
  });

  it('is registered once in all the mailroom, also when many try at once', async () => {
    const key = generateKey();
    const other = await mailroom.organization();
    const bodies = await Promise.all([organization_id, other.organization_id].map((id) => proveKey(id, key)));
    const settled = await Promise.allSettled(
      Array.from({ length: 6 }, (_, n) => [client, other.client][n % 2]!.apiKeys.create(bodies[n % 2]!)),
    );
    const made = settled.filter(({ status }) => status === 'fulfilled');
    expect(made).toHaveLength(1);
    for (const one of settled)
      if (one.status === 'rejected') expect(one.reason).toEqual(problem('conflict', 409));
    // What one of them has says nothing of who.
    for (const [at, one] of [client, other.client].entries()) {
      const refusal = (await one.apiKeys.create(bodies[at]!).catch((error: unknown) => error)) as Error;
      expect(refusal).toEqual(problem('conflict', 409));
      expect(`${refusal.message} ${JSON.stringify(refusal)}`).not.toMatch(/(org|key)_[0-9a-z]{5}/);
    }
    const me = await mailroom.client({ private_jwk: key }).auth.me();
    expect([organization_id, other.organization_id]).toContain(me.organization_id);
  });
});

describe('a generated pair', () => {
  it('is shown once; a repeat with its client_id answers the same key without it', async () => {
    const { made } = await child(client, { name: 'CI', client_id: 'ci' });
    expect(made).toMatchObject({ name: 'CI', client_id: 'ci', permissions: { inbox_read: true } });
    const { private_jwk: _, ...shown } = made;
    const again = await client.apiKeys.create({ type: 'generate', name: 'Other', client_id: 'ci' });
    expect(again).toEqual(shown);
    expect(await client.apiKeys.get('ci')).toEqual(shown);
    const { pod_id } = await client.pods.create();
    await expect(client.pods.apiKeys.create(pod_id, { type: 'generate', client_id: 'ci' })).rejects.toEqual(
      problem('conflict', 409),
    );
    await client.apiKeys.delete('ci');
    await expect(client.apiKeys.get('ci')).rejects.toEqual(notFound);
    expect((await child(client, { client_id: 'ci' })).id).not.toBe(made.api_key_id);
  });

  it('says when it was last used', async () => {
    const { id, client: own } = await child(client);
    expect(await client.apiKeys.get(id)).not.toHaveProperty('used_at');
    const before = mailroom.cloud.clock.now();
    await own.auth.me();
    const { used_at } = await client.apiKeys.get(id);
    expect(Date.parse(used_at!)).toBeGreaterThanOrEqual(before - 1);
    expect(Date.parse(used_at!)).toBeLessThanOrEqual(mailroom.cloud.clock.now());
  });

  it('is replaced while it still works, and then revoked by the one that replaces it', async () => {
    const permissions = {
      inbox_read: true,
      inbox_create: true,
      api_key_create: true,
      api_key_delete: true,
    };
    const old = await child(client, { name: 'old', permissions });
    const next = await child(old.client, { name: 'next' });
    expect(next.made).toMatchObject({ permissions, created_by: { api_key_id: old.id } });
    await old.client.inboxes.create();
    await next.client.inboxes.create();
    expect(await next.client.apiKeys.delete(old.id)).toBeUndefined();
    await expect(old.client.inboxes.create()).rejects.toEqual(unknown);
    await next.client.inboxes.create();
    await expect(next.client.apiKeys.delete(old.id)).rejects.toEqual(notFound);
  });

  it('that is revoked writes nothing more at once, and reads nothing after five seconds', async () => {
    const { id, client: own } = await child(client);
    const minted = bearing((await own.auth.token()).token);
    // Each of the function's instances has seen it.
    await Promise.all(Array.from({ length: 4 }, () => own.inboxes.list()));
    await minted('inboxes.list');
    await client.apiKeys.delete(id);
    await expect(own.inboxes.create()).rejects.toEqual(unknown);
    await expect(own.apiKeys.create({ type: 'generate' })).rejects.toEqual(unknown);
    await expect(minted('inboxes.create')).rejects.toEqual(unknown);
    mailroom.cloud.clock.advance(5001);
    await expect(own.inboxes.list()).rejects.toEqual(unknown);
    await expect(minted('inboxes.list')).rejects.toEqual(unknown);
    await expect(client.apiKeys.get(id)).rejects.toEqual(notFound);
  });

  it('ends when its time is over, with all it made', async () => {
    const expires_at = inSeconds(120);
    const { made, client: own } = await child(client, { expires_at });
    expect(made.expires_at).toBe(expires_at);
    const inheriting = await child(own);
    expect(inheriting.made.expires_at).toBe(expires_at);
    const { expires_at: tokenEnd } = await own.auth.token({ expires_in: 3600 });
    expect(tokenEnd).toBe(expires_at);
    await expect(own.apiKeys.create({ type: 'generate', expires_at: inSeconds(180) })).rejects.toEqual(
      escalation,
    );
    await expect(own.apiKeys.create({ type: 'generate', expires_at: inSeconds(-1) })).rejects.toEqual(
      problem('validation_error', 400),
    );
    await own.inboxes.list();
    mailroom.cloud.clock.advance(120_000);
    for (const ended of [own, inheriting.client]) {
      await expect(ended.inboxes.list()).rejects.toEqual(unknown);
      await expect(ended.inboxes.create()).rejects.toEqual(unknown);
    }
  });
});

describe('no key makes more of itself', () => {
  const reader = {
    inbox_read: true,
    api_key_create: true,
    api_key_read: true,
    api_key_update: true,
    api_key_delete: true,
  };

  it('in permissions, neither new nor changed, nor by revoking one that may more', async () => {
    const { client: own, id } = await child(client, { permissions: reader });
    const wider = { ...reader, inbox_create: true };
    await expect(own.apiKeys.create({ type: 'generate', permissions: wider })).rejects.toEqual(escalation);
    await expect(own.apiKeys.update(id, { permissions: wider })).rejects.toEqual(escalation);
    const bigger = await child(client);
    await expect(own.apiKeys.delete(bigger.id)).rejects.toEqual(escalation);
    await expect(own.apiKeys.update(bigger.id, { name: 'mine now' })).rejects.toEqual(escalation);
    // What it asks for nothing of is what it has itself.
    expect((await child(own)).made.permissions).toEqual(reader);
    await expect(own.inboxes.create({ credential: { type: 'generate' } })).rejects.toEqual(
      problem('missing_permission', 403),
    );
    await expect(own.organizations.update({ bearer_keys: true })).rejects.toEqual(
      problem('unrestricted_key_required', 403),
    );
  });

  it('when it takes permissions from itself they are gone with its next write', async () => {
    const { client: own, id } = await child(client, { permissions: { ...reader, inbox_create: true } });
    await own.inboxes.create();
    expect(await own.apiKeys.update(id, { name: 'less', permissions: reader })).toMatchObject({
      name: 'less',
      permissions: reader,
    });
    await expect(own.inboxes.create()).rejects.toEqual(problem('missing_permission', 403));
    await expect(own.apiKeys.update(id, { permissions: { ...reader, inbox_create: true } })).rejects.toEqual(
      escalation,
    );
  });

  it('in scope: what lies outside of its own is not there', async () => {
    const [pod, other] = await Promise.all([client.pods.create(), client.pods.create()]);
    const { inbox_id, credential } = await client.pods.inboxes.create(pod.pod_id, {
      credential: { type: 'generate' },
    });
    const ofInbox = mailroom.client({ private_jwk: credential!.private_jwk! });
    const made = await client.pods.apiKeys.create(pod.pod_id, { type: 'generate' });
    if (made.type !== 'public_key') throw new Error('no pair was made');
    const ofPod = mailroom.client({ private_jwk: made.private_jwk! });
    const generate = { type: 'generate' } as const;
    await expect(ofPod.pods.apiKeys.create(other.pod_id, generate)).rejects.toEqual(notFound);
    await expect(ofPod.pods.apiKeys.create(organization_id, generate)).rejects.toEqual(notFound);
    await expect(ofInbox.pods.apiKeys.create(pod.pod_id, generate)).rejects.toEqual(notFound);
    expect(await ofPod.apiKeys.create(generate)).toMatchObject({ pod_id: pod.pod_id });
    expect(await ofPod.inboxes.apiKeys.create(inbox_id, generate)).toMatchObject({ inbox_id });
    expect(await ofInbox.apiKeys.create(generate)).toMatchObject({ pod_id: pod.pod_id, inbox_id });
    await expect(ofInbox.auth.token({ pod_id: other.pod_id })).rejects.toEqual(notFound);
    await expect(ofPod.auth.token({ pod_id: organization_id })).rejects.toEqual(notFound);
  });

  it('by a minted token: its keys end with it, and hold no more by name', async () => {
    const { token, expires_at } = await client.auth.token({ expires_in: 600 });
    const minted = bearing(token);
    const body = { type: 'generate' } as const;
    await expect(minted('apiKeys.create', { body: { ...body, expires_at: inSeconds(700) } })).rejects.toEqual(
      escalation,
    );
    await expect(minted('auth.token', { body: {} })).rejects.toEqual(escalation);
    await expect(minted('organizations.update', { body: { bearer_keys: true } })).rejects.toEqual(
      problem('unrestricted_key_required', 403),
    );
    const made = await minted('apiKeys.create', { body });
    expect(made).toMatchObject({
      expires_at,
      permissions: Object.fromEntries(permissionNames.map((name) => [name, true])),
    });
    if (made.type !== 'public_key') throw new Error('no pair was made');
    const own = mailroom.client({ private_jwk: made.private_jwk! });
    // A key of the whole organization with every permission by name is still not an unrestricted one.
    await expect(own.organizations.update({ bearer_keys: true })).rejects.toEqual(
      problem('unrestricted_key_required', 403),
    );
    const narrow = bearing((await client.auth.token({ permissions: { api_key_create: true } })).token);
    await expect(
      narrow('apiKeys.create', { body: { ...body, permissions: { inbox_read: true } } }),
    ).rejects.toEqual(escalation);
    await expect(narrow('inboxes.list')).rejects.toEqual(problem('missing_permission', 403));
  });
});

describe('a bearer key', () => {
  it('opens doors only while its organization takes them', async () => {
    const { client: own, organization_id: id } = await mailroom.organization();
    await expect(own.apiKeys.create({ type: 'bearer' })).rejects.toEqual(problem('missing_permission', 403));
    expect(await own.organizations.update({ bearer_keys: true })).toMatchObject({ bearer_keys: true });
    const made = await own.apiKeys.create({ type: 'bearer', name: 'Script' });
    if (made.type !== 'bearer') throw new Error('another kind of key was made');
    expect(made).toMatchObject({
      api_key: expect.stringMatching(/^ph_[\w-]{43}$/),
      prefix: made.api_key!.slice(0, 11),
    });
    const shown = JSON.stringify([await own.apiKeys.get(made.api_key_id), await own.apiKeys.list()]);
    expect(shown).not.toContain(made.api_key!);

    const bearer = bearing(made.api_key!);
    expect(await bearer('auth.me')).toMatchObject({ organization_id: id, api_key_id: made.api_key_id });
    await bearer('inboxes.create');
    // A case or a character beside is another key.
    for (const wrong of [made.api_key!.toUpperCase(), `${made.api_key!}A`, made.api_key!.slice(0, -1)])
      await expect(bearing(wrong)('auth.me')).rejects.toEqual(unknown);

    await own.organizations.update({ bearer_keys: false });
    const off = problem('invalid_token_type', 401);
    await expect(bearer('inboxes.create')).rejects.toEqual(off);
    mailroom.cloud.clock.advance(5001);
    await expect(bearer('auth.me')).rejects.toEqual(off);
    // A minted token is no bearer key: it works always.
    await bearing((await own.auth.token()).token)('inboxes.create');
    await own.organizations.update({ bearer_keys: true });
    await bearer('inboxes.create');
    await own.apiKeys.delete(made.api_key_id);
    await expect(bearer('inboxes.create')).rejects.toEqual(unknown);
  });
});

describe('a key that reads keys', () => {
  it('sees those of its scope and of what lies in it', async () => {
    const { client: own } = await mailroom.organization();
    const [pod, other] = await Promise.all([own.pods.create(), own.pods.create()]);
    const { inbox_id } = await own.pods.inboxes.create(pod.pod_id);
    const generate = { type: 'generate' } as const;
    const named = async (making: ReturnType<Client['apiKeys']['create']>) => {
      const made = await making;
      if (made.type !== 'public_key') throw new Error('no pair was made');
      return { id: made.api_key_id, client: mailroom.client({ private_jwk: made.private_jwk! }) };
    };
    const ofPod = await named(own.pods.apiKeys.create(pod.pod_id, generate));
    const ofInbox = await named(own.inboxes.apiKeys.create(inbox_id, generate));
    const ofOther = await named(own.pods.apiKeys.create(other.pod_id, generate));
    const idsOf = async (list: ReturnType<Client['apiKeys']['list']>) =>
      (await list).api_keys.map(({ api_key_id }) => api_key_id);

    const first = (await own.auth.me()).api_key_id!;
    expect(await idsOf(own.apiKeys.list())).toEqual([ofOther.id, ofInbox.id, ofPod.id, first]);
    // A pod's keys are found by an index, which may be a moment behind.
    await mailroom.eventually(async () => {
      expect(await idsOf(own.pods.apiKeys.list(pod.pod_id))).toEqual([ofInbox.id, ofPod.id]);
      expect(await idsOf(ofPod.client.apiKeys.list())).toEqual([ofInbox.id, ofPod.id]);
    });
    expect(await idsOf(ofInbox.client.apiKeys.list())).toEqual([ofInbox.id]);
    expect(await idsOf(own.inboxes.apiKeys.list(inbox_id))).toEqual([ofInbox.id]);
    const paged: string[] = [];
    for await (const { api_key_id } of own.apiKeys.all({ limit: 1, ascending: true })) paged.push(api_key_id);
    expect(paged).toEqual([first, ofPod.id, ofInbox.id, ofOther.id]);

    expect((await ofPod.client.apiKeys.get(ofInbox.id)).inbox_id).toBe(inbox_id);
    for (const [from, id] of [
      [ofPod.client, first],
      [ofPod.client, ofOther.id],
      [ofInbox.client, ofPod.id],
    ] as const) {
      await expect(from.apiKeys.get(id)).rejects.toEqual(notFound);
      await expect(from.apiKeys.update(id, { name: 'mine' })).rejects.toEqual(notFound);
      await expect(from.apiKeys.delete(id)).rejects.toEqual(notFound);
    }
    // Another organization's key is nowhere, whoever asks.
    await expect(client.apiKeys.get(first)).rejects.toEqual(notFound);
    await expect(client.apiKeys.delete(first)).rejects.toEqual(notFound);
  });
});
