import { beforeEach, describe, expect, it } from 'vitest';
import { permissionNames } from '../../lib/contract/permission.ts';
import type { Permissions } from '../../lib/contract/permission.ts';
import type { InboxRef, Scope } from '../../lib/contract/principal.ts';
import { scopeOfInbox } from '../../lib/contract/scope.ts';
import type { CreateWebhook, UpdateWebhook } from '../../lib/contract/webhook.ts';
import * as changing from '../../lib/core/change-webhook.ts';
import { createWebhook } from '../../lib/core/create-webhook.ts';
import * as reading from '../../lib/core/webhooks.ts';
import { inboxRef, keyPrincipal, organizationId, ulidAt } from '../support/mail-samples.ts';
import { deedOf, MemoryPods } from '../support/memory-keys.ts';
import { counting, MemoryInboxes, plainTokens } from '../support/memory-ports.ts';
import { MemoryWebhooks, sampleWebhook } from '../support/memory-webhooks.ts';

const organization: Scope = { organization_id: organizationId };
const pod: Scope = { ...organization, pod_id: 'pod_a' };
const ada: InboxRef = { ...inboxRef('ada'), pod_id: 'pod_a' };
const bob: InboxRef = { ...inboxRef('bob'), pod_id: 'pod_b' };
const start = Date.parse('2026-01-01T00:00:00.000Z');
const refused = (code: string) => expect.objectContaining({ code }) as Error;

let webhooks: MemoryWebhooks;
let inboxes: MemoryInboxes;
let time: number;
let secrets: number;
let deps: ReturnType<typeof newDeps>;
function newDeps() {
  const pods = new MemoryPods();
  for (const pod_id of ['pod_a', 'pod_b', organizationId])
    pods.rows.set(pod_id, { ...organization, pod_id, name: pod_id, created_at: 'x', updated_at: 'x' });
  return {
    ...{ webhooks, inboxes, pods, tokens: plainTokens },
    ...{ now: () => time, ulid: counting(), randomSecret: () => `secret${++secrets}` },
    allowLoopbackWebhooks: false,
  };
}
beforeEach(() => {
  webhooks = new MemoryWebhooks();
  inboxes = new MemoryInboxes();
  for (const inbox of [ada, bob]) inboxes.add(inbox);
  [time, secrets] = [start, 0];
  deps = newDeps();
});

const whole: CreateWebhook = { url: 'https://hooks.example.com/a', event_types: ['message.received'] };
const create = (body: Partial<CreateWebhook> = {}, scope = organization, permissions?: Permissions) =>
  createWebhook(deps)({
    principal: keyPrincipal({ scope, ...(permissions && { permissions }) }),
    ...{ scope, body: { ...whole, ...body }, deed: deedOf(organizationId) },
  });
const naming = (webhook_id: string, scope = organization, permissions?: Permissions) => ({
  principal: keyPrincipal({ scope, ...(permissions && { permissions }) }),
  ...{ scope, path: { webhook_id }, deed: deedOf(organizationId) },
});
const update = (id: string, body: UpdateWebhook, scope = organization, permissions?: Permissions) =>
  changing.updateWebhook(deps)({ ...naming(id, scope, permissions), body });
const get = (id: string, scope = organization) => reading.getWebhook({ webhooks })(naming(id, scope));

describe('a new webhook', () => {
  it('hears everything of the organization, or of its pod or inbox', async () => {
    const all = await create();
    expect(all).toEqual({
      ...{ webhook_id: expect.stringMatching(/^wh_\w{26}$/), organization_id: organizationId },
      ...{ url: 'https://hooks.example.com/a', event_types: ['message.received'] },
      ...{ secret: 'whsec_secret1', enabled: true },
      ...{ created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' },
    });
    expect(await create({}, pod)).toMatchObject({ pod_id: 'pod_a', pod_ids: ['pod_a'] });
    expect(await create({}, scopeOfInbox(ada))).toMatchObject({
      ...{ pod_id: 'pod_a', inbox_id: ada.inbox_id, inbox_ids: [ada.inbox_id] },
    });
    expect(await get(all.webhook_id)).toEqual(all);
  });

  it('is narrowed to inboxes and pods of its scope, by address or uid, each once', async () => {
    inboxes.rows.set(bob.uid, { ...bob, email: bob.inbox_id, created_at: 'x', updated_at: 'x' });
    const both = await create({
      inbox_ids: [ada.inbox_id.toUpperCase(), bob.uid, ada.inbox_id],
      pod_ids: ['pod_b'],
    });
    expect(both).toMatchObject({ inbox_ids: [ada.inbox_id, bob.inbox_id], pod_ids: ['pod_b'] });
    expect((await create({ inbox_ids: [ada.inbox_id] }, pod)).inbox_ids).toEqual([ada.inbox_id]);
    // Its own pod or inbox, named once more, narrows nothing.
    expect((await create({ pod_ids: ['pod_a'] }, pod)).pod_ids).toEqual(['pod_a']);
    const own = await create({ inbox_ids: [ada.inbox_id] }, scopeOfInbox(ada));
    expect(webhooks.rows.get(own.webhook_id)).not.toHaveProperty('inboxes');
  });

  it.each<[string, Partial<CreateWebhook>, Scope]>([
    ['an inbox of another pod', { inbox_ids: [bob.inbox_id] }, pod],
    ['another pod', { pod_ids: ['pod_b'] }, pod],
    ['another inbox', { inbox_ids: [bob.inbox_id] }, scopeOfInbox(ada)],
    ['the pod around its inbox', { pod_ids: ['pod_a'] }, scopeOfInbox(ada)],
    ['an inbox nobody has', { inbox_ids: ['nobody@mail.example.com'] }, organization],
    ['a uid nobody has', { inbox_ids: ['inb_none'] }, organization],
    ['an inbox of another organization', { inbox_ids: ['eve@mail.example.com'] }, organization],
    ['a pod nobody has', { pod_ids: ['pod_none'] }, organization],
  ])('does not hear %s', async (_, body, scope) => {
    inboxes.add(inboxRef('eve', 'org_2'));
    await expect(create(body, scope)).rejects.toThrow(refused('not_found'));
    expect(webhooks.rows.size).toBe(0);
  });

  it('names at most ten inboxes and pods', async () => {
    const names = Array.from({ length: 10 }, (_, n) => inboxRef(`agent${n}`));
    for (const one of names) inboxes.add(one);
    const inbox_ids = names.map(({ inbox_id }) => inbox_id);
    await expect(create({ inbox_ids, pod_ids: ['pod_a'] })).rejects.toThrow(refused('validation_error'));
    expect((await create({ inbox_ids })).inbox_ids).toHaveLength(10);
  });

  it.each(['spam', 'blocked', 'unauthenticated'] as const)(
    'hears of %s mail only for a key that may read it',
    async (label) => {
      const event_types = ['message.received' as const, `message.received.${label}` as const];
      const allBut = Object.fromEntries(
        permissionNames.map((name) => [name, name !== `label_${label}_read`]),
      );
      await expect(create({ event_types }, organization, allBut)).rejects.toThrow(
        refused('missing_permission'),
      );
      const just = { webhook_create: true, [`label_${label}_read`]: true };
      expect((await create({ event_types }, organization, just)).event_types).toEqual(event_types);
    },
  );

  it('goes to a public https URL', async () => {
    for (const url of ['http://hooks.example.com', 'https://169.254.169.254/', 'https://0x7f000001/'])
      await expect(create({ url })).rejects.toMatchObject({
        code: 'validation_error',
        detail: { errors: [{ path: ['url'] }] },
      });
  });

  it('is the same for the same client id, in the same scope only', async () => {
    const first = await create({ client_id: 'mine' }, pod);
    const deed = deedOf(organizationId);
    const call = { principal: keyPrincipal(), scope: pod, body: { ...whole, client_id: 'mine' }, deed };
    expect(
      await createWebhook(deps)({ ...call, body: { ...call.body, url: 'https://other.example.com' } }),
    ).toEqual(first);
    expect(deed.line.resources).toEqual([first.webhook_id]);
    // The secret is in it.
    const principal = keyPrincipal({ permissions: { webhook_create: true } });
    await expect(createWebhook(deps)({ ...call, principal })).rejects.toThrow(refused('missing_permission'));
    await expect(create({ client_id: 'mine' })).rejects.toThrow(refused('conflict'));
    await expect(create({ client_id: 'mine' }, scopeOfInbox(ada))).rejects.toThrow(refused('conflict'));
    webhooks.next = ['passing', 'passing', 'passing'];
    await expect(create({ client_id: 'mine' }, pod)).rejects.toThrow(refused('race_condition'));
    webhooks.next = ['passing'];
    expect(await create({ client_id: 'mine' }, pod)).toEqual(first);
  });

  it.each([
    ['no_organization', 'not_found'],
    ['no_place', 'not_found'],
    ['organization_suspended', 'account_suspended'],
  ] as const)('%s is %s', async (outcome, code) => {
    webhooks.next = [outcome];
    await expect(create()).rejects.toThrow(refused(code));
  });

  it('is one of 50, or of 10 of its inbox', async () => {
    for (const [scope, limit] of [
      [organization, 50],
      [scopeOfInbox(ada), 10],
    ] as const) {
      for (let n = 0; n < limit; n++) await create({}, scope);
      await expect(create({}, scope)).rejects.toMatchObject({
        code: 'limit_exceeded',
        detail: { resource: 'webhooks', limit },
      });
    }
  });

  it('leaves ids alone in its line, of its inbox where it is of one', async () => {
    const deed = deedOf(organizationId);
    const headers = { 'x-token': 'top-secret' };
    const scope = scopeOfInbox(ada);
    await createWebhook(deps)({ principal: keyPrincipal(), scope, body: { ...whole, headers }, deed });
    expect(deed.line).toMatchObject({
      resources: [`wh_${ulidAt(1_000_000)}`],
      inbox_uid: ada.uid,
      pod_id: 'pod_a',
    });
    expect(JSON.stringify(deed)).not.toMatch(/secret|hooks\.example/);
  });
});

describe('a webhook', () => {
  it('is found in its scope and from above, and nowhere else', async () => {
    const [wide, inPod, inInbox] = [
      await create(),
      await create({}, pod),
      await create({}, scopeOfInbox(ada)),
    ];
    const seen = async (scope: Scope) => {
      const { webhooks: list } = await reading.listWebhooks({ webhooks, tokens: plainTokens })({
        scope,
        query: {},
      });
      const found = await Promise.allSettled(
        [wide, inPod, inInbox].map(({ webhook_id }) => get(webhook_id, scope)),
      );
      expect(list.map(({ webhook_id }) => webhook_id).toReversed()).toEqual(
        found.flatMap((one) => (one.status === 'fulfilled' ? [one.value.webhook_id] : [])),
      );
      return list.length;
    };
    expect(await seen(organization)).toBe(3);
    expect(await seen(pod)).toBe(2);
    expect(await seen(scopeOfInbox(ada))).toBe(1);
    expect(await seen({ ...organization, pod_id: 'pod_b' })).toBe(0);
    expect(await seen(scopeOfInbox(bob))).toBe(0);
  });

  it('is deleted once', async () => {
    const { webhook_id } = await create({}, pod);
    const call = naming(webhook_id, { ...organization, pod_id: 'pod_b' });
    await expect(reading.deleteWebhook({ webhooks })(call)).rejects.toThrow(refused('not_found'));
    await reading.deleteWebhook({ webhooks })(naming(webhook_id));
    await expect(reading.deleteWebhook({ webhooks })(naming(webhook_id))).rejects.toThrow(
      refused('not_found'),
    );
  });
});

describe('a change', () => {
  it('replaces the event types; an empty list, or nothing, leaves them', async () => {
    const { webhook_id, updated_at } = await create();
    const changed = await update(webhook_id, { event_types: ['inbox.created', 'message.sent'] });
    expect(changed.event_types).toEqual(['inbox.created', 'message.sent']);
    expect(changed.updated_at > updated_at).toBe(true);
    expect(await update(webhook_id, { event_types: [] })).toEqual(changed);
    expect(await update(webhook_id, {})).toEqual(changed);
  });

  it('to hear more needs the permission for what it hears', async () => {
    const { webhook_id } = await create({
      event_types: ['message.received.spam'],
      inbox_ids: [ada.inbox_id],
    });
    const modest = { webhook_update: true };
    const asked: UpdateWebhook[] = [
      { event_types: ['message.received.blocked'] },
      { add_inbox_ids: [bob.inbox_id] },
      { add_pod_ids: ['pod_b'] },
      { enabled: true },
    ];
    for (const body of asked)
      await expect(update(webhook_id, body, organization, modest)).rejects.toThrow(
        refused('missing_permission'),
      );
    expect((await update(webhook_id, { enabled: false }, organization, modest)).enabled).toBe(false);
    const able = { ...modest, label_spam_read: true };
    expect((await update(webhook_id, { add_pod_ids: ['pod_b'] }, organization, able)).pod_ids).toEqual([
      'pod_b',
    ]);
  });

  it('adds and removes inboxes and pods, and leaves at least one', async () => {
    const { webhook_id } = await create({ inbox_ids: [ada.inbox_id] });
    const both = await update(webhook_id, {
      add_inbox_ids: [bob.inbox_id, ada.inbox_id],
      add_pod_ids: ['pod_a'],
    });
    expect(both).toMatchObject({ inbox_ids: [ada.inbox_id, bob.inbox_id], pod_ids: ['pod_a'] });
    const fewer = await update(webhook_id, { remove_inbox_ids: [ada.inbox_id.toUpperCase(), bob.uid] });
    expect(fewer).not.toHaveProperty('inbox_ids');
    await expect(update(webhook_id, { remove_pod_ids: ['pod_a'] })).rejects.toThrow(
      refused('validation_error'),
    );
    expect((await get(webhook_id)).pod_ids).toEqual(['pod_a']);
    await expect(update(webhook_id, { add_inbox_ids: ['nobody@x.test'] })).rejects.toThrow(
      refused('not_found'),
    );
    const many = Array.from({ length: 10 }, (_, n) => inboxRef(`agent${n}`));
    for (const one of many) inboxes.add(one);
    const add_inbox_ids = many.map(({ inbox_id }) => inbox_id);
    await expect(update(webhook_id, { add_inbox_ids })).rejects.toThrow(refused('validation_error'));
    // Removing what it does not name from a webhook of everything is no mistake.
    const { webhook_id: wide } = await create();
    expect((await update(wide, { remove_inbox_ids: [ada.inbox_id] })).inbox_ids).toBeUndefined();
  });

  it('keeps to what the webhook is of, whoever calls', async () => {
    const inPod = await create({}, pod);
    await expect(update(inPod.webhook_id, { add_inbox_ids: [bob.inbox_id] })).rejects.toThrow(
      refused('not_found'),
    );
    await expect(update(inPod.webhook_id, { add_pod_ids: ['pod_b'] })).rejects.toThrow(
      refused('validation_error'),
    );
    expect((await update(inPod.webhook_id, { add_inbox_ids: [ada.inbox_id] })).inbox_ids).toEqual([
      ada.inbox_id,
    ]);
    const inInbox = await create({}, scopeOfInbox(ada));
    await expect(update(inInbox.webhook_id, { add_inbox_ids: [ada.inbox_id] })).rejects.toThrow(
      refused('validation_error'),
    );
    await expect(update(inPod.webhook_id, { enabled: false }, scopeOfInbox(ada))).rejects.toThrow(
      refused('not_found'),
    );
  });

  it('enables again and forgets why it stopped', async () => {
    const stopped = sampleWebhook(1, { enabled: false, disabled_reason: 'failing', failing_since: 'x' });
    webhooks.rows.set(stopped.webhook_id, stopped);
    expect(await get(stopped.webhook_id)).toMatchObject({ disabled_reason: 'failing', failing_since: 'x' });
    const set = await update(stopped.webhook_id, { enabled: true });
    expect(set.enabled).toBe(true);
    expect(set).not.toHaveProperty('disabled_reason');
    expect(set).not.toHaveProperty('failing_since');
  });

  it('is made upon that of a neighbour', async () => {
    const { webhook_id } = await create();
    webhooks.before = () => {
      webhooks.before = () => undefined;
      const current = webhooks.rows.get(webhook_id)!;
      webhooks.rows.set(webhook_id, { ...current, enabled: false, updated_at: '2026-03-01T00:00:00.000Z' });
    };
    expect(await update(webhook_id, { event_types: ['inbox.created'] })).toMatchObject({
      enabled: false,
      event_types: ['inbox.created'],
    });
    webhooks.before = () => void webhooks.rows.delete(webhook_id);
    await expect(update(webhook_id, { enabled: true })).rejects.toThrow(refused('not_found'));
  });
});

describe('a secret', () => {
  it('is changed for a new one, and the one before signs for a day', async () => {
    const { webhook_id, secret } = await create();
    const rotated = await changing.rotateWebhookSecret(deps)(naming(webhook_id));
    expect(rotated).toMatchObject({
      secret: 'whsec_secret2',
      previous_secret_until: '2026-01-02T00:00:00.000Z',
    });
    expect(webhooks.rows.get(webhook_id)!.previous).toEqual({ secret, until: '2026-01-02T00:00:00.000Z' });
    expect(JSON.stringify(rotated)).not.toContain(secret);
  });
});

describe('headers', () => {
  const names = async (id: string) =>
    (await reading.getWebhookHeaders({ webhooks })(naming(id))).header_names;
  const set = (id: string, body: Parameters<ReturnType<typeof changing.updateWebhookHeaders>>[0]['body']) =>
    changing.updateWebhookHeaders(deps)({ ...naming(id), body });

  it('are set and removed whatever their spelling, and never shown', async () => {
    const made = await create({ headers: { 'X-Token': 'one', 'X-Other': 'two' } });
    expect(JSON.stringify(made)).not.toMatch(/one|two/);
    expect(await names(made.webhook_id)).toEqual(['X-Other', 'X-Token']);
    await set(made.webhook_id, { headers: { 'x-token': 'three' }, remove_headers: ['x-OTHER'] });
    expect(webhooks.rows.get(made.webhook_id)!.headers).toEqual({ 'x-token': 'three' });
    await set(made.webhook_id, { remove_headers: ['X-Token', 'X-None'] });
    expect(webhooks.rows.get(made.webhook_id)).not.toHaveProperty('headers');
    expect(await names(made.webhook_id)).toEqual([]);
  });

  it('are at most twenty together', async () => {
    const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-${n}`, 'v']));
    const { webhook_id } = await create({ headers: twenty });
    await expect(set(webhook_id, { headers: { 'x-more': 'v' } })).rejects.toThrow(
      refused('validation_error'),
    );
    await set(webhook_id, { headers: { 'x-more': 'v' }, remove_headers: ['x-0'] });
    expect(await names(webhook_id)).toHaveLength(20);
  });
});
