import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { inboxKey } from '../../../lib/adapters/dynamo/keys.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { podStore } from '../../../lib/adapters/dynamo/pod-store.ts';
import { transact } from '../../../lib/adapters/dynamo/transaction.ts';
import { webhookStore } from '../../../lib/adapters/dynamo/webhook-store.ts';
import type { InboxRef, Scope } from '../../../lib/contract/principal.ts';
import type { Position } from '../../../lib/core/ports.ts';
import type { StoredWebhook } from '../../../lib/core/webhook-ports.ts';
import { inboxRef, newDeed, organizationId } from '../../support/mail-samples.ts';
import { deedOf } from '../../support/memory-keys.ts';
import { sampleWebhook } from '../../support/memory-webhooks.ts';
import { settle, storedInbox, tableHouse, type TableHouse } from '../../support/table-house.ts';

const time = '2026-01-01T00:00:00.000Z';
const organization = { organization_id: organizationId };
const ada: InboxRef = { ...inboxRef('ada'), pod_id: 'pod_a' };
const bob: InboxRef = inboxRef('bob');
const of = ({ uid, inbox_id, pod_id }: InboxRef) => ({ pod_id, inbox: { uid, inbox_id } });

let house: TableHouse;
let store: ReturnType<typeof webhookStore>;
beforeEach(async () => {
  house = await tableHouse();
  store = webhookStore(house.database);
  await settle(house, organizationId, bob);
  const pod = { ...organization, pod_id: 'pod_a', name: 'A', created_at: time, updated_at: time };
  await podStore(house.database).create(pod, newDeed());
  await provision(ada);
});
afterEach(() => house.close());

const provision = (inbox: InboxRef, webhook?: StoredWebhook) =>
  inboxStore(house.database).provision({
    inbox: { ...storedInbox(), ...inbox, email: inbox.inbox_id, client_id: `client-${inbox.uid}` },
    ...(webhook && { webhook }),
  });
const create = (n: number, more: Partial<StoredWebhook> = {}) =>
  store.create(sampleWebhook(n, more), deedOf(organizationId));
const webhookRows = async () =>
  (await house.rows()).filter(({ sk }) => /^(WEBHOOK|HOOKAT|CLIENT#webhook)/.test(sk));
const countOf = async (kind: 'ORG' | 'INBOX', uid?: string) =>
  (await house.rows()).find((row) => row['sk'] === kind && (uid === undefined || row['uid'] === uid))?.[
    'webhook_count'
  ];

describe('a webhook', () => {
  it.each<[string, Partial<StoredWebhook>]>([
    ['the organization', {}],
    ['a pod', { pod_id: 'pod_a' }],
    ['an inbox', of(ada)],
  ])('of %s is made, found, changed and gone without a trace', async (_, place) => {
    const webhook = sampleWebhook(1, {
      ...{ ...place, client_id: 'mine', headers: { 'X-A': '1' }, inboxes: [{ uid: 'u', inbox_id: 'i' }] },
    });
    const deed = deedOf(organizationId);
    expect(await store.create(webhook, deed)).toBe('created');
    expect(deed.written).toBe(true);
    expect(await store.get(organizationId, webhook.webhook_id)).toEqual(webhook);
    expect(await store.get('org_other', webhook.webhook_id)).toBeUndefined();
    expect(await store.get(organizationId, 'x'.repeat(2000))).toBeUndefined();
    const { headers: _headers, inboxes: _inboxes, ...rest } = webhook;
    const changed = { ...rest, enabled: false, updated_at: 'later' };
    expect(await store.update(changed, 'never')).toBe('stale');
    expect(await store.update(changed, time, deedOf(organizationId))).toBe('updated');
    expect(await store.get(organizationId, webhook.webhook_id)).toEqual(changed);
    expect(await store.delete(changed, deedOf(organizationId))).toBe('deleted');
    expect(await store.delete(changed)).toBe('gone');
    expect(await store.update(changed, 'later')).toBe('gone');
    expect(await store.get(organizationId, webhook.webhook_id)).toBeUndefined();
    expect(await webhookRows()).toEqual([]);
    expect(
      [await countOf('ORG'), await countOf('INBOX', ada.uid)].filter((count) => count !== undefined),
    ).toEqual([0]);
  });

  it('that is disabled by itself says so in the organization’s log, in one transaction', async () => {
    const webhook = sampleWebhook(1);
    await create(1);
    const event = {
      ...{ event_id: 'evt_1', event_type: 'webhook.disabled' as const, timestamp: time },
      ...{ ...organization, webhook_id: webhook.webhook_id, reason: 'gone' },
    };
    const disabled = { ...webhook, enabled: false, disabled_reason: 'gone' as const, updated_at: 'later' };
    expect(await store.update(disabled, 'never', undefined, event)).toBe('stale');
    expect(await store.update(disabled, time, undefined, event)).toBe('updated');
    const events = (await house.rows()).filter(({ row_type }) => row_type === 'event');
    expect(events.map(({ event_type, pk }) => [event_type, pk])).toContainEqual([
      'webhook.disabled',
      `O#${organizationId}#E`,
    ]);
    expect(events.filter(({ event_type }) => event_type === 'webhook.disabled')).toHaveLength(1);
  });

  it('needs its organization to be there and active, its pod, its inbox', async () => {
    expect(await create(1, { organization_id: 'org_none' })).toBe('no_organization');
    expect(await create(1, { pod_id: 'pod_none' })).toBe('no_place');
    expect(await create(1, of({ ...ada, uid: 'inb_none' }))).toBe('no_place');
    await organizationStore(house.database).update(organizationId, { state: 'suspended' }, newDeed());
    expect(await create(1)).toBe('organization_suspended');
    expect(await create(1, of(ada))).toBe('organization_suspended');
    expect(await webhookRows()).toEqual([]);
  });

  it('is one of 50 with those of pods, and one of 10 of each inbox', async () => {
    for (let n = 0; n < 50; n++) expect(await create(n, n % 2 ? { pod_id: 'pod_a' } : {})).toBe('created');
    expect(await create(50)).toBe('limit');
    expect(await create(50, { pod_id: 'pod_a' })).toBe('limit');
    for (let n = 60; n < 70; n++) expect(await create(n, of(ada))).toBe('created');
    expect(await create(70, of(ada))).toBe('limit');
    expect(await create(71, of(bob))).toBe('created');
    await store.delete(sampleWebhook(0));
    await store.delete(sampleWebhook(60, of(ada)));
    expect(await create(50)).toBe('created');
    expect(await create(70, of(ada))).toBe('created');
    expect(await store.ofPod(organizationId, 'pod_a')).toHaveLength(25);
  });

  it('is one, however many ask for it at once with one client id', async () => {
    const outcomes = await Promise.all([1, 2, 3, 4].map((n) => create(n, { client_id: 'mine' })));
    const winner = sampleWebhook(outcomes.indexOf('created') + 1, { client_id: 'mine' });
    for (const outcome of outcomes) if (outcome !== 'created') expect(outcome).toEqual({ existing: winner });
    expect(await webhookRows()).toHaveLength(2);
    expect(await countOf('ORG')).toBe(1);
    await store.delete(winner);
    expect(await create(5, { client_id: 'mine' })).toBe('created');
  });
});

describe('a webhook of an inbox', () => {
  it('comes with the inbox, counted and found', async () => {
    const eve = inboxRef('eve');
    const webhook = sampleWebhook(1, of(eve));
    expect(await provision(eve, webhook)).toBe('created');
    expect(await store.get(organizationId, webhook.webhook_id)).toEqual(webhook);
    expect(await countOf('INBOX', eve.uid)).toBe(1);
    const again = await inboxStore(house.database).provision({
      inbox: { ...storedInbox(), ...inboxRef('eve2'), client_id: `client-${eve.uid}` },
    });
    expect(again).toMatchObject({ existing: { uid: eve.uid }, webhook });
    expect(await store.delete(webhook, deedOf(organizationId))).toBe('deleted');
    expect(await countOf('INBOX', eve.uid)).toBe(0);
  });

  it('goes with the inbox at once, though its rows are there a little longer', async () => {
    const webhook = sampleWebhook(1, { ...of(ada), client_id: 'mine' });
    await store.create(webhook, newDeed());
    await transact(house.database, [{ delete: inboxKey(ada) }]);
    expect(await store.get(organizationId, webhook.webhook_id)).toBeUndefined();
    expect((await store.list(organization, { limit: 10, ascending: true })).items).toEqual([]);
    expect(await store.create(sampleWebhook(2, of(ada)), newDeed())).toBe('no_place');
    // Its client id leads nowhere any more and is free.
    expect(await create(3, { client_id: 'mine' })).toBe('passing');
    expect(await create(3, { client_id: 'mine' })).toBe('created');
    expect(await store.delete(webhook, newDeed())).toBe('deleted');
    expect((await webhookRows()).filter(({ sk }) => sk.includes(webhook.webhook_id))).toEqual([]);
  });
});

describe('webhooks', () => {
  async function all(scope: Scope, limit: number, ascending: boolean) {
    const found: string[] = [];
    let after: Position | undefined;
    do {
      const page = await store.list(scope, { limit, ascending, ...(after && { after }) });
      found.push(...page.items.map(({ url }) => url.split('/').at(-1)!));
      after = page.next;
    } while (after !== undefined);
    return found.map(Number);
  }

  it('are listed with those of all that lies in the scope, in pages, in order', async () => {
    await settle(house, 'org_2');
    await create(0);
    await create(1, of(bob));
    await create(2, { pod_id: 'pod_a' });
    await create(3, of(ada));
    await create(4, { pod_id: organizationId });
    await create(5, of(ada));
    await create(6, { organization_id: 'org_2' });
    const pod = { ...organization, pod_id: 'pod_a' };
    for (const [scope, ns] of [
      [organization, [0, 1, 2, 3, 4, 5]],
      [pod, [2, 3, 5]],
      [{ ...organization, pod_id: organizationId }, [1, 4]],
      [{ ...pod, inbox: ada }, [3, 5]],
      [{ organization_id: 'org_2' }, [6]],
      [{ ...organization, pod_id: 'pod_none' }, []],
    ] as [Scope, number[]][])
      for (const limit of [1, 2, 50]) {
        expect(await all(scope, limit, true)).toEqual(ns);
        expect(await all(scope, limit, false)).toEqual(ns.toReversed());
      }
  });

  it('that may hear an inbox are its own, its pod’s and the organization’s, as far as they are not narrowed', async () => {
    const target = ({ uid, inbox_id }: InboxRef) => [{ uid, inbox_id }];
    await create(0);
    await create(1, { inboxes: target(ada) });
    await create(2, { pod_ids: ['pod_a'], inboxes: target(bob) });
    await create(3, { pod_ids: ['pod_b'] });
    await create(4, { pod_id: 'pod_a' });
    await create(5, { pod_id: 'pod_a', inboxes: target({ ...ada, uid: 'inb_before' }) });
    await create(6, of(ada));
    await create(7, of(bob));
    await create(8, { enabled: false });
    const heard = async (inbox?: InboxRef) =>
      (await store.hearing({ ...organization, ...(inbox && { inbox }) })).map(({ url }) =>
        Number(url.split('/').at(-1)),
      );
    expect(await heard(ada)).toEqual([0, 1, 2, 4, 8, 6]);
    expect(await heard(bob)).toEqual([0, 2, 8, 7]);
    expect(await heard()).toEqual([0, 8]);
  });
});
