import { beforeEach, describe, expect, it } from 'vitest';
import type { Scope } from '../../lib/contract/principal.ts';
import * as podsOf from '../../lib/core/pods.ts';
import { deedOf, MemoryKeys, MemoryPods } from '../support/memory-keys.ts';
import { counting, plainTokens } from '../support/memory-ports.ts';
import { MemoryWebhooks, sampleWebhook } from '../support/memory-webhooks.ts';

const organization: Scope = { organization_id: 'org_1' };
const start = Date.parse('2026-01-01T00:00:00.000Z');
const refused = (code: string) => expect.objectContaining({ code }) as Error;

let pods: MemoryPods;
let apiKeys: MemoryKeys;
let webhooks: MemoryWebhooks;
let deps: {
  pods: MemoryPods;
  webhooks: MemoryWebhooks;
  apiKeys: MemoryKeys;
  tokens: typeof plainTokens;
  now: () => number;
  ulid: () => string;
};
beforeEach(() => {
  pods = new MemoryPods();
  apiKeys = new MemoryKeys();
  webhooks = new MemoryWebhooks();
  deps = { pods, apiKeys, webhooks, tokens: plainTokens, now: () => start, ulid: counting() };
});

const call = (scope = organization) => ({
  principal: { kind: 'key' as const, scope, api_key_id: 'key_1', keyid: 'k_1' },
  scope,
  deed: deedOf(),
});
const create = (body: { name?: string; client_id?: string } | undefined = undefined, deed = deedOf()) =>
  podsOf.createPod(deps)({ ...call(), path: {}, query: undefined, body, deed });
const list = (scope?: Scope) =>
  podsOf.listPods(deps)({ ...call(scope), path: {}, query: {}, body: undefined });
const remove = (pod_id: string) =>
  podsOf.deletePod(deps)({
    ...call({ ...organization, pod_id }),
    path: { pod_id },
    query: undefined,
    body: undefined,
  });

describe('a pod', () => {
  it('is made with a name of its own, and told in the line', async () => {
    const deed = deedOf();
    const pod = await create(undefined, deed);
    expect(pod).toMatchObject({ organization_id: 'org_1', name: `pod ${pod.pod_id}` });
    expect(pod.pod_id).toMatch(/^pod_\w{26}$/);
    expect(deed.line.resources).toEqual([pod.pod_id]);
    expect((await create({ name: 'Acme' })).name).toBe('Acme');
  });

  it('is the same for the same client id', async () => {
    const first = await create({ client_id: 'acme' });
    const deed = deedOf();
    expect(await create({ client_id: 'acme', name: 'Other' }, deed)).toEqual(first);
    expect(deed.line.resources).toEqual([first.pod_id]);
  });

  it('is listed newest first; a key of one sees its own', async () => {
    const [one, two] = [await create(), await create()];
    expect((await list()).pods).toEqual([two, one]);
    expect((await list({ ...organization, pod_id: one.pod_id })).pods).toEqual([one]);
    const inbox = { uid: 'inb_a', inbox_id: 'a@x.test', organization_id: 'org_1', pod_id: two.pod_id };
    expect((await list({ ...organization, pod_id: two.pod_id, inbox })).pods).toEqual([two]);
  });

  it('is deleted only without inboxes, and its keys with it', async () => {
    const { pod_id } = await create();
    const time = new Date(start).toISOString();
    const key = { type: 'bearer', prefix: 'ph_', name: 'n', state: 'active', keyid: 'k' } as const;
    const times = { created_at: time, updated_at: time, organization_id: 'org_1' };
    await apiKeys.add({ ...key, ...times, api_key_id: 'key_in', pod_id });
    await apiKeys.add({ ...key, ...times, api_key_id: 'key_out', keyid: 'l' });
    const mine = { organization_id: 'org_1' };
    const [inside, outside] = [sampleWebhook(1, { ...mine, pod_id }), sampleWebhook(2, mine)];
    for (const webhook of [inside, outside]) webhooks.rows.set(webhook.webhook_id, webhook);
    pods.inboxes.set(pod_id, 1);
    await expect(remove(pod_id)).rejects.toThrow(refused('cannot_delete'));
    expect(apiKeys.rows.get('key_in')?.state).toBe('active');
    expect(webhooks.rows.size).toBe(2);
    pods.inboxes.set(pod_id, 0);
    await remove(pod_id);
    expect(apiKeys.rows.get('key_in')?.state).toBe('revoked');
    expect(apiKeys.rows.get('key_out')?.state).toBe('active');
    expect([...webhooks.rows.values()]).toEqual([outside]);
    await expect(remove(pod_id)).rejects.toThrow(refused('not_found'));
  });

  it('that is the default is never deleted', async () => {
    await expect(remove('org_1')).rejects.toThrow(refused('cannot_delete'));
  });
});
