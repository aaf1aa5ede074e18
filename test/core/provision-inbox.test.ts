import { beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../../lib/contract/call.ts';
import type { CreateInbox } from '../../lib/contract/inbox.ts';
import { permissionNames, type Permission } from '../../lib/contract/permission.ts';
import type { KeyPrincipal, Scope } from '../../lib/contract/principal.ts';
import { routes } from '../../lib/contract/routes.ts';
import { scopeOfInbox } from '../../lib/contract/scope.ts';
import type { Matched } from '../../lib/edge/route-table.ts';
import { checkScope } from '../../lib/edge/scope.ts';
import { toWebhook } from '../../lib/core/show-webhook.ts';
import { provisionInbox, type ProvisionDeps } from '../../lib/core/provision-inbox.ts';
import { inboxRef, keyPrincipal, mailDomain, newDeed, organizationId } from '../support/mail-samples.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { address, counting, keys, MemoryInboxes } from '../support/memory-ports.ts';

const records = [
  { type: 'MX' as const, name: mailDomain, value: 'inbound', priority: 10, status: 'VALID' as const },
];
let inboxes: MemoryInboxes;
let names: string[];
let deps: ProvisionDeps;
beforeEach(() => {
  inboxes = new MemoryInboxes();
  names = ['brisk-otter-1', 'calm-heron-2', 'deft-lynx-3', 'e-4', 'f-5', 'g-6', 'h-7'];
  deps = {
    inboxes,
    keys,
    checkDns: async () => records,
    now: () => Date.parse('2026-01-01T00:00:00.000Z'),
    ulid: counting(),
    randomUsername: () => names.shift()!,
    randomSecret: () => 'c2VjcmV0',
    mailDomain,
    allowLoopbackWebhooks: false,
    expiryNoticeMinutes: 60,
  };
});
const create = (
  body: CreateInbox | undefined = {},
  principal: KeyPrincipal = keyPrincipal(),
  more: Partial<Call<'inboxes.create'>> = {},
) =>
  provisionInbox(deps)({
    ...{ principal, body, scope: principal.scope, deed: newDeed(), path: {}, query: undefined },
    ...more,
  });
const ofPod = (pod_id: string) => keyPrincipal({ scope: { organization_id: organizationId, pod_id } });
const refusal = (code: string, detail: object = {}) =>
  expect.objectContaining({ code, detail: expect.objectContaining(detail) as object }) as Error;

describe('a provisioned inbox', () => {
  it('has the address asked for, and what was asked beside it', async () => {
    const made = await create({
      username: ' Ada ',
      domain: `${mailDomain.toUpperCase()}.`,
      display_name: 'Ada',
      client_id: 'c-1',
      metadata: { team: 'x' },
    });
    expect(made).toEqual({
      organization_id: organizationId,
      pod_id: organizationId,
      inbox_id: address('ada'),
      email: address('ada'),
      display_name: 'Ada',
      client_id: 'c-1',
      metadata: { team: 'x' },
      stored_bytes: 0,
      created_at: '2026-01-01T00:00:00.000Z',
      updated_at: '2026-01-01T00:00:00.000Z',
      dns: records,
    });
  });

  it('has a random name where none is asked for', async () => {
    for (const body of [undefined, {}, { username: null }]) await create(body);
    expect([...inboxes.addresses.keys()]).toEqual([
      address('brisk-otter-1'),
      address('calm-heron-2'),
      address('deft-lynx-3'),
    ]);
  });

  it('draws another name when a random one is taken, five times at most', async () => {
    for (const name of names.slice(0, 4)) inboxes.add(inboxRef(name, 'org_other'));
    expect((await create()).email).toBe(address('f-5'));
    names = ['brisk-otter-1', 'calm-heron-2', 'deft-lynx-3', 'e-4', 'f-5', 'g-6', 'h-7'];
    await expect(create()).rejects.toThrow(refusal('already_exists'));
    expect(names).toEqual(['h-7']); // five draws, and one for a suggestion
  });

  it('is the first one again under its client_id, whatever else is said', async () => {
    const first = await create({ client_id: 'c-1', username: 'ada' });
    const again = await create({
      client_id: 'c-1',
      username: 'grace',
      display_name: 'Other',
      credential: { type: 'generate' },
    });
    expect(again).toEqual(first);
    expect(inboxes.provisions).toHaveLength(1);
  });

  it('shows its webhook, whose secret is in it, on a repeat to who may read webhooks only', async () => {
    const webhook = { url: 'https://hooks.example.com', event_types: ['message.received' as const] };
    const first = await create({ client_id: 'c-1', webhook });
    const permitted = (...names: Permission[]) =>
      keyPrincipal({ permissions: Object.fromEntries(names.map((name) => [name, true])) });
    const again = await create({ client_id: 'c-1' }, permitted('inbox_create', 'webhook_create'));
    expect(again).not.toHaveProperty('webhook');
    expect(again.inbox_id).toBe(first.inbox_id);
    const reading = await create({ client_id: 'c-1' }, permitted('inbox_create', 'webhook_read'));
    expect(reading.webhook?.secret).toBe(first.webhook!.secret);
  });

  it('of another pod is not shown for its client_id', async () => {
    await create({ client_id: 'c-1' }, ofPod('pod_a'));
    await expect(create({ client_id: 'c-1' }, ofPod('pod_b'))).rejects.toThrow(refusal('conflict'));
    await expect(create({ client_id: 'c-1' }, keyPrincipal())).resolves.toMatchObject({ pod_id: 'pod_a' });
  });

  it('is in the pod that the call acts in, and in the default pod where it names none', async () => {
    const made = await create({}, keyPrincipal(), { scope: ofPod('pod_a').scope });
    expect(made).toMatchObject({ pod_id: 'pod_a', organization_id: organizationId });
    expect(await create()).toMatchObject({ pod_id: organizationId });
  });

  it('leaves behind with its write what the call leaves: the nonce, the line, the hold', async () => {
    const deed = newDeed({ once: { key: 'k', expires: 1 }, line: sampleLine(1, { resources: [] }) });
    const made = await create({ credential: { type: 'generate' } }, keyPrincipal(), { deed });
    const { inbox, event, deed: written } = inboxes.provisions[0]!;
    expect(event).toEqual({
      event_id: expect.stringMatching(/^evt_/),
      event_type: 'inbox.created',
      organization_id: inbox.organization_id,
      pod_id: inbox.pod_id,
      inbox_id: inbox.inbox_id,
      timestamp: inbox.created_at,
    });
    expect(written).toBe(deed);
    expect(deed.written).toBe(true);
    expect(deed.line?.resources).toEqual([inbox.uid, made.credential?.api_key_id]);
  });

  it('leaves nothing where it is refused, or was made before', async () => {
    const deed = newDeed({ line: sampleLine(1) });
    await create({ client_id: 'c-1' });
    await create({ client_id: 'c-1' }, keyPrincipal(), { deed });
    inboxes.next = ['organization_suspended'];
    await expect(create({}, keyPrincipal(), { deed })).rejects.toThrow(refusal('account_suspended'));
    expect(deed.written).toBe(false);
  });
});

describe('a key asked for with it', () => {
  it('is for this inbox only', async () => {
    const { credential } = await create({ username: 'ada', credential: { type: 'generate' } });
    expect(credential?.private_jwk).toBeDefined();
    const { inbox } = inboxes.provisions[0]!;
    expect(inboxes.provisions[0]?.credential).toMatchObject({
      organization_id: organizationId,
      inbox: { uid: inbox.uid, inbox_id: address('ada') },
      keyid: credential?.keyid,
    });
  });

  it('may do no more than the key that asks', async () => {
    const own = { inbox_create: true, api_key_create: true, message_read: true, message_send: false };
    await create({ credential: { type: 'generate' } }, keyPrincipal({ permissions: own }));
    const held = inboxes.provisions[0]!.credential!.permissions!;
    expect(permissionNames.filter((name) => held[name] === true)).toEqual([
      'inbox_create',
      'message_read',
      'api_key_create',
    ]);
    await create({ credential: { type: 'generate' } });
    expect(inboxes.provisions[1]?.credential).not.toHaveProperty('permissions');
  });

  it('of a minted token is never unrestricted, though the token itself names no permission', async () => {
    const token = { token_id: 'tok_1', expires_at: '2026-01-01T01:00:00.000Z' };
    await create({ credential: { type: 'generate' } }, keyPrincipal(token));
    expect(inboxes.provisions[0]?.credential).toMatchObject({
      permissions: Object.fromEntries(permissionNames.map((name) => [name, true])),
      expires_at: token.expires_at,
      created_by: { api_key_id: 'key_1' },
    });
    const own = { inbox_create: true, api_key_create: true };
    await create({ credential: { type: 'generate' } }, keyPrincipal({ ...token, permissions: own }));
    expect(inboxes.provisions[1]?.credential).toMatchObject({
      permissions: own,
      expires_at: token.expires_at,
    });
  });

  it('ends with the key that asks, and not at all where that never ends', async () => {
    const expires_at = '2026-01-02T00:00:00.000Z';
    await create({ credential: { type: 'generate' } }, keyPrincipal({ expires_at }));
    expect(inboxes.provisions[0]?.credential).toMatchObject({ expires_at });
    await create({ credential: { type: 'generate' } });
    expect(inboxes.provisions[1]?.credential).not.toHaveProperty('expires_at');
  });

  it('and a webhook each need their own permission', async () => {
    const principal = keyPrincipal({ permissions: { inbox_create: true } });
    await expect(create({ credential: { type: 'generate' } }, principal)).rejects.toThrow(
      refusal('missing_permission'),
    );
    await expect(
      create({ webhook: { url: 'https://hooks.example.com', event_types: ['message.received'] } }, principal),
    ).rejects.toThrow(refusal('missing_permission'));
    await expect(create({}, principal)).resolves.toBeDefined();
  });
});

it.each(['spam', 'blocked', 'unauthenticated'] as const)(
  'a webhook hears of %s mail only for a key that may read it',
  async (label) => {
    const webhook = {
      url: 'https://hooks.example.com',
      event_types: ['message.received' as const, `message.received.${label}` as const],
    };
    const held = { inbox_create: true, webhook_create: true };
    await expect(create({ webhook }, keyPrincipal({ permissions: held }))).rejects.toThrow(
      refusal('missing_permission'),
    );
    await expect(
      create({ webhook }, keyPrincipal({ permissions: { ...held, [`label_${label}_read`]: true } })),
    ).resolves.toBeDefined();
  },
);

it('a webhook asked for with it is stored with its secret', async () => {
  const made = await create({
    username: 'ada',
    webhook: { url: 'https://Hooks.example.com/x', event_types: ['message.received'] },
  });
  expect(made.webhook).toMatchObject({
    url: 'https://hooks.example.com/x',
    secret: 'whsec_c2VjcmV0',
    inbox_ids: [address('ada')],
    enabled: true,
  });
  const { inbox, webhook } = inboxes.provisions[0]!;
  expect(toWebhook(webhook!)).toEqual(made.webhook);
  expect(webhook).toMatchObject({
    organization_id: organizationId,
    pod_id: organizationId,
    inbox: { uid: inbox.uid, inbox_id: inbox.inbox_id },
  });
  await expect(
    create({ webhook: { url: 'http://127.0.0.1/', event_types: ['message.received'] } }),
  ).rejects.toThrow(refusal('validation_error'));
});

describe('a refusal', () => {
  it.each([
    ['no_organization', 'not_found'],
    ['no_pod', 'not_found'],
    ['organization_suspended', 'account_suspended'],
    [{ inbox_limit: 3 }, 'limit_exceeded'],
    ['key_registered', 'conflict'],
    ['no_parent', 'unknown_api_key'],
    [{ taken_by: organizationId }, 'already_exists'],
    [{ taken_by: 'org_other' }, 'resource_taken'],
  ] as const)('%j is %s', async (outcome, code) => {
    inboxes.next = [outcome];
    await expect(create({ username: 'ada' })).rejects.toThrow(refusal(code));
    expect(inboxes.provisions).toEqual([]);
  });

  it('over the limit says what is limited, and draws no other name', async () => {
    inboxes.next = [{ inbox_limit: 3 }];
    const error = await create().catch((caught: unknown) => caught);
    expect(error).toEqual(refusal('limit_exceeded', { resource: 'inboxes', limit: 3 }));
    expect(inboxes.provisions).toEqual([]);
  });

  it('of a taken name suggests three free ones, all valid, and does not say whose it is', async () => {
    inboxes.add(inboxRef('ada', 'org_other'));
    inboxes.add(inboxRef('ada3'));
    const error = await create({ username: 'ada' }).catch((caught: unknown) => caught);
    expect(error).toEqual(refusal('resource_taken', { suggestions: ['ada2', 'ada4', 'ada5'] }));
    expect(JSON.stringify(error)).not.toContain('org_other');
  });

  it.each(['a'.repeat(64), `${'a'.repeat(49)}.b`, `${'a'.repeat(62)}.b`])(
    'suggests valid names for %s',
    async (username) => {
      inboxes.add(inboxRef(username, 'org_other'));
      const error = (await create({ username }).catch((caught: unknown) => caught)) as {
        detail: { suggestions: string[] };
      };
      expect(error.detail.suggestions).toHaveLength(3);
      for (const suggestion of error.detail.suggestions)
        await expect(create({ username: suggestion })).resolves.toMatchObject({ email: address(suggestion) });
    },
  );

  it('of another domain is 404, of a reserved or impossible name 400', async () => {
    await expect(create({ domain: 'other.test' })).rejects.toThrow(refusal('not_found'));
    await expect(create({ username: 'postmaster' })).rejects.toThrow(refusal('validation_error'));
    await expect(create({ username: '' })).rejects.toThrow(refusal('validation_error'));
  });

  it('meets a key of one inbox, at the door', () => {
    const enter = (scope: Scope) =>
      checkScope({ principal: keyPrincipal({ scope }) }, { ...at, params: {} } as Matched);
    const at = { name: 'inboxes.create', route: routes['inboxes.create'] };
    expect(() => enter(scopeOfInbox(inboxRef()))).toThrow(refusal('missing_permission'));
    expect(enter(ofPod('pod_a').scope)).toEqual(ofPod('pod_a').scope);
  });
});
