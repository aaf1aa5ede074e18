import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { organizationKey } from '../../../lib/adapters/dynamo/keys.ts';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { keys } from '../../../lib/adapters/keys.ts';
import type { Credential, InboxStore, Position, Provision } from '../../../lib/core/ports.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import { inboxRef, organizationId } from '../../support/mail-samples.ts';
import { settle, storedInbox, tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
let store: InboxStore;
let serial = 0;
beforeAll(async () => {
  house = await tableHouse();
  store = inboxStore(house.database);
  await settle(house);
  await settle(house, 'org_paused');
  await house.database.client.send(
    new UpdateCommand({
      TableName: 'mailroom',
      Key: organizationKey('org_paused'),
      UpdateExpression: 'SET #state = :paused',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':paused': 'paused' },
    }),
  );
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
    public_key,
    organization_id,
    inbox: { uid, inbox_id },
    state: 'active',
    created_at: '2026-01-01T00:00:00.000Z',
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
  const webhook = {
    webhook_id: `wh_${name}`,
    url: 'https://hooks.example.com/',
    secret: 'whsec_x',
    enabled: true,
    updated_at: inbox.updated_at,
    created_at: inbox.created_at,
  };
  return {
    inbox,
    credential: credentialFor(ref, organization_id),
    webhook,
    once: { key: `nonce-${name}`, expires: Math.floor(house.now() / 1000) + 600, spent: false },
  };
};
const countOf = async (id = organizationId) => (await organizationStore(house.database).get(id))?.inbox_count;

describe('provisioning', () => {
  it('is one transaction', async () => {
    const provision = whole();
    house.forget();
    expect(await store.provision(provision)).toBe('created');
    expect(house.counted().map(({ action }) => action)).toEqual(['TransactWriteItems']);
    expect(house.sent[0]?.input.TransactItems).toHaveLength(8);
    expect(provision.once?.spent).toBe(true);
    expect(await store.get(provision.inbox)).toEqual(provision.inbox);
    expect(await store.holders([provision.inbox.inbox_id, 'nobody@mail.test'])).toEqual(
      new Map([[provision.inbox.inbox_id, inboxRef(provision.inbox.inbox_id.split('@')[0])]]),
    );
  });

  it.each([
    ['nonce_used', async ({ once }: Provision) => ({ once: once! })],
    ['no_organization', async () => ({ inbox: { ...whole().inbox, organization_id: 'org_none' } })],
    ['organization_paused', async () => ({ inbox: { ...whole().inbox, organization_id: 'org_paused' } })],
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
  ])('refused as %s leaves nothing behind', async (word, change) => {
    const first = whole();
    await store.provision(first);
    const [rows, count] = [(await house.rows()).length, await countOf()];
    const second = { ...whole(), ...(await change(first)) };
    if (second.once !== undefined) second.once.spent = false;
    const outcome = await store.provision(second);
    if (word === 'existing') expect(outcome).toMatchObject({ existing: first.inbox });
    else if (word === 'taken') expect(outcome).toEqual({ taken_by: organizationId });
    else expect(outcome).toBe(word);
    expect(second.once?.spent).toBe(false);
    expect(await house.rows()).toHaveLength(rows);
    expect(await countOf()).toBe(count);
  });

  it('says the first of several reasons', async () => {
    const first = whole();
    await store.provision(first);
    const other = whole();
    const all = {
      ...other,
      inbox: { ...other.inbox, inbox_id: first.inbox.inbox_id, client_id: first.inbox.client_id! },
      credential: first.credential!,
      once: first.once!,
    };
    expect(await store.provision(all)).toBe('nonce_used');
    expect(await store.provision({ ...all, once: whole().once! })).toMatchObject({ existing: first.inbox });
    const { client_id: _, ...without } = all.inbox;
    expect(await store.provision({ ...all, once: whole().once!, inbox: without })).toEqual({
      taken_by: organizationId,
    });
    expect(
      await store.provision({
        ...all,
        inbox: { ...all.inbox, organization_id: 'org_none' },
        once: whole().once!,
      }),
    ).toBe('no_organization');
  });

  it('the same client_id serves each organization', async () => {
    const first = whole();
    await store.provision(first);
    await settle(house, 'org_second');
    const second = whole(undefined, 'org_second');
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
