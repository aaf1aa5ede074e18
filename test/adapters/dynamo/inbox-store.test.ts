import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiKeyStore } from '../../../lib/adapters/dynamo/api-key-store.ts';
import { idempotencyKey, nonceKey } from '../../../lib/adapters/dynamo/keys.ts';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { podStore } from '../../../lib/adapters/dynamo/pod-store.ts';
import { reservations } from '../../../lib/adapters/dynamo/reservations.ts';
import { Problem } from '../../../lib/contract/problem.ts';
import { keys } from '../../../lib/adapters/keys.ts';
import type { Credential, InboxStore, Position, Provision } from '../../../lib/core/ports.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import { inboxRef, newDeed, organizationId } from '../../support/mail-samples.ts';
import { sampleLine } from '../../support/ledger-samples.ts';
import { sampleWebhook } from '../../support/memory-webhooks.ts';
import { settle, storedInbox, tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
let store: InboxStore;
let serial = 0;
beforeAll(async () => {
  house = await tableHouse();
  store = inboxStore(house.database);
  await settle(house);
  await settle(house, 'org_suspended');
  await settle(house, 'org_full');
  await organizationStore(house.database).update('org_suspended', { state: 'suspended' }, newDeed());
  await organizationStore(house.database).update('org_full', { inbox_limit: 0 }, newDeed());
});
afterAll(() => house.close());

const credentialFor = (
  { uid, inbox_id }: { uid: string; inbox_id: string },
  organization_id = organizationId,
): Credential => {
  const { public_key } = keys.generate();
  return {
    api_key_id: `key_${++serial}`,
    keyid: keys.thumbprint(public_key),
    type: 'public_key',
    public_key,
    organization_id,
    name: 'key',
    inbox: { uid, inbox_id },
    state: 'active',
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
  };
};
/** A provision of everything there is, new in every respect. */
const whole = (name = `inbox${++serial}`, organization_id = organizationId): Provision => {
  const ref = inboxRef(name, organization_id);
  const inbox = {
    ...storedInbox(name),
    ...ref,
    client_id: `client-${name}`,
    metadata: { a: 1, b: true, c: 'x' },
    display_name: 'Ada',
  };
  const webhook = sampleWebhook(1, {
    ...{ webhook_id: `wh_${name}`, organization_id, pod_id: inbox.pod_id },
    inbox: { uid: inbox.uid, inbox_id: inbox.inbox_id },
  });
  return {
    inbox,
    credential: credentialFor(ref, organization_id),
    webhook,
    deed: newDeed({
      once: { key: `nonce-${name}`, expires: Math.floor(house.now() / 1000) + 600 },
      line: sampleLine(++serial, { organization_id }),
      reservation: { organization_id, key: `call-${name}`, owner: 'me' },
    }),
  };
};
/** With the hold on its Idempotency-Key that the edge takes first. */
async function reserved(provision: Provision): Promise<Provision> {
  await reservations(house.database, house.now).reserve(provision.deed!.reservation!, 'print');
  return provision;
}
const countOf = async (id = organizationId) => (await organizationStore(house.database).get(id))?.inbox_count;

describe('provisioning', () => {
  it('is one transaction', async () => {
    const provision = await reserved(whole());
    house.forget();
    expect(await store.provision(provision)).toBe('created');
    expect(house.counted().map(({ action }) => action)).toEqual(['TransactWriteItems']);
    expect(house.sent[0]?.input.TransactItems).toHaveLength(13);
    expect(provision.deed?.written).toBe(true);
    expect(await store.get(provision.inbox)).toEqual(provision.inbox);
    expect(await store.holders([provision.inbox.inbox_id, 'nobody@mail.test'])).toEqual(
      new Map([[provision.inbox.inbox_id, inboxRef(provision.inbox.inbox_id.split('@')[0])]]),
    );
  });

  it.each([
    ['no_organization', async () => ({ inbox: { ...whole().inbox, organization_id: 'org_none' } })],
    ['organization_suspended', async () => ({ inbox: whole(undefined, 'org_suspended').inbox })],
    ['inbox_limit', async () => ({ inbox: whole(undefined, 'org_full').inbox })],
    ['no_pod', async () => ({ inbox: { ...whole().inbox, pod_id: 'pod_none' } })],
    [
      'existing',
      async ({ inbox }: Provision) => ({ inbox: { ...whole().inbox, client_id: inbox.client_id! } }),
    ],
    [
      'taken',
      async ({ inbox }: Provision) => ({
        inbox: { ...whole().inbox, inbox_id: inbox.inbox_id, email: inbox.email },
      }),
    ],
    [
      'key_registered',
      async ({ credential }: Provision) => ({
        credential: { ...credentialFor(whole().inbox), keyid: credential!.keyid },
      }),
    ],
    [
      'no_parent',
      async () => ({
        credential: { ...credentialFor(whole().inbox), created_by: { api_key_id: 'key_revoked' } },
      }),
    ],
  ])('refused as %s leaves nothing behind', async (word, change) => {
    const first = await reserved(whole());
    await store.provision(first);
    const second = { ...whole(), ...(await change(first)) };
    await reservations(house.database, house.now).reserve(second.deed!.reservation!, 'print');
    const before = await house.rows();
    const outcome = await store.provision(second);
    if (word === 'existing') expect(outcome).toMatchObject({ existing: first.inbox });
    else if (word === 'taken') expect(outcome).toEqual({ taken_by: organizationId });
    else if (word === 'inbox_limit') expect(outcome).toEqual({ inbox_limit: 0 });
    else expect(outcome).toBe(word);
    // Neither the change nor what the call leaves behind: not the nonce, not the line; the hold is as it was.
    expect(second.deed?.written).toBe(false);
    expect(await house.rows()).toEqual(before);
  });

  it.each([
    ['whose nonce was used', 'nonce_used', ({ deed }: Provision) => ({ once: deed!.once! })],
    [
      'whose Idempotency-Key another has taken over',
      'conflict',
      ({ deed }: Provision) => ({ reservation: { ...deed!.reservation!, owner: 'somebody else' } }),
    ],
  ])('of a call %s throws, and leaves nothing behind', async (_, code, part) => {
    const first = await reserved(whole());
    await store.provision(first);
    const second = await reserved(whole());
    second.deed = { ...second.deed!, ...part(first) };
    const before = await house.rows();
    await expect(store.provision(second)).rejects.toBeInstanceOf(Problem);
    await expect(store.provision(second)).rejects.toMatchObject({ code });
    expect(second.deed.written).toBe(false);
    expect(await house.rows()).toEqual(before);
  });

  it('makes a key only while the key that asks for it is there', async () => {
    const keys = apiKeyStore(house.database);
    const asking = { ...credentialFor(whole().inbox), name: 'asking' };
    delete asking.inbox;
    expect(await keys.add(asking)).toBe('added');
    const child = (): Provision => {
      const { deed: _, ...provision } = whole();
      return {
        ...provision,
        credential: { ...provision.credential!, created_by: { api_key_id: asking.api_key_id } },
      };
    };
    expect(await store.provision(child())).toBe('created');
    expect(await keys.revoke(asking, '2026-01-02T00:00:00.000Z')).toBe('revoked');
    expect(await store.provision(child())).toBe('no_parent');
    expect(await store.provision({ inbox: whole().inbox })).toBe('created');
  });

  it('leaves behind what the call does: its nonce, its line, its hold now done', async () => {
    const provision = await reserved(whole());
    const { once, line, reservation } = provision.deed!;
    expect(await store.provision(provision)).toBe('created');
    const rows = await house.rows();
    expect(rows.find(({ line_id }) => line_id === line?.line_id)).toMatchObject(line!);
    expect(rows.find(({ pk }) => pk === nonceKey(once!.key).pk)).toMatchObject({ expires: once!.expires });
    const held = idempotencyKey(organizationId, reservation!.key);
    expect(rows.find(({ pk, sk }) => pk === held.pk && sk === held.sk)).toMatchObject({ state: 'done' });
  });

  it('counts in the organization and in the pod', async () => {
    const pods = podStore(house.database);
    const pod = {
      organization_id: organizationId,
      pod_id: 'pod_count',
      name: 'P',
      updated_at: 'x',
      created_at: 'x',
    };
    await pods.create(pod, newDeed());
    const countOfPod = async (id: string) =>
      (await house.rows()).find(({ sk, pod_id }) => pod_id === id && String(sk).startsWith('POD#'))?.[
        'inbox_count'
      ] as number;
    const [all, before] = [await countOf(), await countOfPod(organizationId)];
    await store.provision({ inbox: { ...whole().inbox, pod_id: 'pod_count' } });
    expect([await countOf(), await countOfPod('pod_count')]).toEqual([all! + 1, 1]);
    expect(await countOfPod(organizationId)).toBe(before);
  });

  it('says the first of several reasons', async () => {
    const first = await reserved(whole());
    await store.provision(first);
    const other = await reserved(whole());
    const all = {
      ...other,
      inbox: { ...other.inbox, inbox_id: first.inbox.inbox_id, client_id: first.inbox.client_id! },
      credential: first.credential!,
    };
    const replayed = { ...first.deed!, written: false };
    await expect(store.provision({ ...all, deed: replayed })).rejects.toMatchObject({ code: 'nonce_used' });
    expect(await store.provision(all)).toMatchObject({ existing: first.inbox });
    const { client_id: _, ...without } = all.inbox;
    expect(await store.provision({ ...all, inbox: without })).toEqual({ taken_by: organizationId });
    expect(await store.provision({ ...all, inbox: { ...all.inbox, pod_id: 'pod_none' } })).toBe('no_pod');
    expect(
      await store.provision({
        ...all,
        inbox: { ...all.inbox, organization_id: 'org_none', pod_id: 'pod_none' },
      }),
    ).toBe('no_organization');
  });

  it('the same client_id serves each organization', async () => {
    const first = await reserved(whole());
    await store.provision(first);
    await settle(house, 'org_second');
    const second = await reserved(whole(undefined, 'org_second'));
    expect(
      await store.provision({ ...second, inbox: { ...second.inbox, client_id: first.inbox.client_id! } }),
    ).toBe('created');
  });

  it.each([
    ['calm', undefined],
    ['bad', badWeather(7, { 'transaction-conflict': 0.3, throttle: 0.1 })],
  ])('of one address by 20 at once in %s weather has one winner', async (_, weather) => {
    const place = await tableHouse(weather === undefined ? {} : { weather });
    await settle(place);
    const racing = inboxStore(place.database);
    const claims = Array.from({ length: 20 }, () => {
      const { inbox } = whole();
      return { inbox: { ...inbox, inbox_id: 'one@mail.example.com' } };
    });
    const outcomes = await Promise.all(claims.map((claim) => racing.provision(claim)));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(outcomes.filter((outcome) => typeof outcome === 'object' && 'taken_by' in outcome)).toHaveLength(
      19,
    );
    expect((await organizationStore(place.database).get(organizationId))?.inbox_count).toBe(1);
    const rows = await place.rows();
    expect(rows.filter(({ sk }) => sk === 'INBOX')).toHaveLength(1);
    expect(rows.filter(({ sk }) => String(sk).startsWith('CLIENT#'))).toHaveLength(1);
    await place.close();
  });

  it('under one client_id by 20 at once is one inbox for all', async () => {
    const { client_id } = whole().inbox;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        store.provision({ inbox: { ...whole().inbox, client_id: client_id! } }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    const uids = outcomes.flatMap((outcome) =>
      typeof outcome === 'object' && 'existing' in outcome ? [outcome.existing.uid] : [],
    );
    expect(uids).toHaveLength(19);
    expect(new Set(uids).size).toBe(1);
  });
});

describe('a change of an inbox', () => {
  it('is made upon what was seen, or not at all', async () => {
    const { inbox } = whole();
    await store.provision({ inbox });
    const changed = {
      ...inbox,
      display_name: 'New',
      metadata: { only: 1 },
      updated_at: '2026-01-02T00:00:00.000Z',
    };
    expect(await store.update(changed, inbox.updated_at)).toBe('updated');
    expect(await store.get(inbox)).toEqual(changed);
    expect(await store.update(changed, inbox.updated_at)).toBe('stale');
    const { display_name: _name, metadata: _metadata, ...bare } = changed;
    expect(await store.update({ ...bare, updated_at: '2026-01-03T00:00:00.000Z' }, changed.updated_at)).toBe(
      'updated',
    );
    expect(await store.get(inbox)).toEqual({ ...bare, updated_at: '2026-01-03T00:00:00.000Z' });
    expect(await store.update({ ...inbox, uid: 'inb_none' }, inbox.updated_at)).toBe('gone');
    expect(await store.get({ ...inbox, uid: 'inb_none' })).toBeUndefined();
  });
});

describe('the list of inboxes', () => {
  const organization = 'org_list';
  beforeAll(async () => {
    await settle(house, organization);
    const pod = {
      organization_id: organization,
      pod_id: 'pod_a',
      name: 'A',
      updated_at: 'x',
      created_at: 'x',
    };
    await podStore(house.database).create(pod, newDeed());
    for (let n = 0; n < 25; n++)
      await store.provision({
        inbox: {
          ...storedInbox(),
          ...inboxRef(`list${String(n).padStart(2, '0')}`, organization),
          pod_id: n % 3 === 0 ? 'pod_a' : organization,
        },
      });
  });
  const all = async (scope: { pod_id?: string }, limit: number, ascending: boolean) => {
    const found: string[] = [];
    let after: Position | undefined;
    do {
      const page = await store.list(
        { organization_id: organization, ...scope },
        { limit, ascending, ...(after && { after }) },
      );
      expect(page.items.length).toBeLessThanOrEqual(limit);
      found.push(...page.items.map(({ uid }) => uid));
      after = page.next && (JSON.parse(JSON.stringify(page.next)) as Position);
    } while (after !== undefined);
    return found;
  };
  const uids = (ns: number[]) => ns.map((n) => `inb_list${String(n).padStart(2, '0')}`);
  const numbers = Array.from({ length: 25 }, (_, n) => n);

  it.each([1, 7, 25, 100])(
    'gives each once in pages of %i, in both directions, by organization and by pod',
    async (limit) => {
      expect(await all({}, limit, false)).toEqual(uids(numbers.toReversed()));
      expect(await all({}, limit, true)).toEqual(uids(numbers));
      expect(await all({ pod_id: 'pod_a' }, limit, true)).toEqual(uids(numbers.filter((n) => n % 3 === 0)));
      expect(await all({ pod_id: 'pod_none' }, limit, true)).toEqual([]);
    },
  );

  it('is a query of keys and one batch of rows', async () => {
    house.forget();
    await store.list({ organization_id: organization }, { limit: 25, ascending: false });
    expect(house.counted()).toEqual([
      { action: 'Query', readUnits: 0.5 },
      { action: 'BatchGetItem', readUnits: 25 },
    ]);
  });
});

it('holders of more addresses than one batch takes', async () => {
  const { inbox } = whole();
  await store.provision({ inbox });
  const asked = [
    ...Array.from({ length: 250 }, (_, n) => `none${n}@mail.test`),
    inbox.inbox_id,
    inbox.inbox_id,
  ];
  house.forget();
  expect([...(await store.holders(asked)).keys()]).toEqual([inbox.inbox_id]);
  expect(house.counted().map(({ action }) => action)).toEqual([
    'BatchGetItem',
    'BatchGetItem',
    'BatchGetItem',
  ]);
  expect(await store.holders([])).toEqual(new Map());
});

describe('what is announced of an inbox', () => {
  const eventsOf = async (uid: string) =>
    (await house.rows()).filter((row) => row['row_type'] === 'event' && row['uid'] === uid);
  const event = (
    event_type: 'inbox.created' | 'inbox.updated',
    { organization_id, pod_id, inbox_id }: Provision['inbox'],
  ) => ({
    event_id: `evt_${++serial}`,
    event_type,
    ...{ organization_id, pod_id, inbox_id, timestamp: '2026-01-02T00:00:00.000Z' },
  });

  it('is written with its provision, and waits in the outbox; not where the provision is refused', async () => {
    const { inbox } = whole();
    const created = event('inbox.created', inbox);
    expect(await store.provision({ inbox, event: created })).toBe('created');
    expect(await eventsOf(inbox.uid)).toMatchObject([
      { ...created, org_pk: expect.stringMatching(/^OUTBOX#/) },
    ]);
    const twin = { ...inbox, uid: 'inb_twin' };
    expect(await store.provision({ inbox: twin, event: event('inbox.created', twin) })).toMatchObject({
      existing: { uid: inbox.uid },
    });
    expect(await eventsOf('inb_twin')).toEqual([]);
  });

  it('is written with its change, if the change is made', async () => {
    const { inbox } = whole();
    await store.provision({ inbox });
    const changed = { ...inbox, updated_at: '2026-01-02T00:00:00.000Z' };
    const updated = event('inbox.updated', inbox);
    expect(await store.update(changed, inbox.updated_at, undefined, updated)).toBe('updated');
    expect(await store.update(changed, inbox.updated_at, undefined, event('inbox.updated', inbox))).toBe(
      'stale',
    );
    expect(await eventsOf(inbox.uid)).toMatchObject([updated]);
  });
});
