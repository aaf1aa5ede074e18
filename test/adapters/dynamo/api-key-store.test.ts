import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiKeyStore } from '../../../lib/adapters/dynamo/api-key-store.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { podStore } from '../../../lib/adapters/dynamo/pod-store.ts';
import { keys } from '../../../lib/adapters/keys.ts';
import type { Scope } from '../../../lib/contract/principal.ts';
import type { ApiKeyStore } from '../../../lib/core/key-ports.ts';
import type { Credential, Position } from '../../../lib/core/ports.ts';
import { inboxRef, organizationId, ulidAt } from '../../support/mail-samples.ts';
import { deedOf } from '../../support/memory-keys.ts';
import { settle, tableHouse, type TableHouse } from '../../support/table-house.ts';

const time = '2026-01-01T00:00:00.000Z';
let house: TableHouse;
let store: ApiKeyStore;
beforeEach(async () => {
  house = await tableHouse();
  store = apiKeyStore(house.database);
  await settle(house, organizationId);
});
afterEach(() => house.close());

const common = (n: number) => ({
  api_key_id: `key_${ulidAt(n)}`,
  organization_id: organizationId,
  name: `key ${n}`,
  state: 'active' as const,
  created_at: time,
  updated_at: time,
});
function signing(n: number, more: Partial<Credential> = {}): Credential {
  const { public_key } = keys.generate();
  return {
    type: 'public_key',
    public_key,
    keyid: keys.thumbprint(public_key),
    ...common(n),
    ...more,
  } as Credential;
}
const bearer = (n: number): Credential => ({
  type: 'bearer',
  prefix: 'ph_abcdefgh',
  keyid: keys.generateBearer().keyid,
  ...common(n),
});
const keyRows = async () =>
  (await house.rows()).filter(({ pk, sk }) => /^(KEY|CLIENT)/.test(sk) || /^KEY/.test(pk));
const makePod = (pod_id: string) =>
  podStore(house.database).create(
    { organization_id: organizationId, pod_id, name: pod_id, created_at: time, updated_at: time },
    { written: false },
  );

describe('a key', () => {
  it('is found by its id and its client id, until it is revoked', async () => {
    const key = signing(1, { client_id: 'mine', permissions: { inbox_read: true } });
    const deed = deedOf(organizationId);
    expect(await store.add(key, undefined, deed)).toBe('added');
    expect(deed.written).toBe(true);
    expect(await store.get(organizationId, key.api_key_id)).toEqual(key);
    expect(await store.get(organizationId, 'mine')).toEqual(key);
    expect(await store.get('org_other', key.api_key_id)).toBeUndefined();
    expect(await store.get(organizationId, 'x'.repeat(2000))).toBeUndefined();
    expect(await store.revoke(key, time, deedOf(organizationId))).toBe('revoked');
    expect(await store.get(organizationId, key.api_key_id)).toBeUndefined();
    expect(await store.get(organizationId, 'mine')).toBeUndefined();
    expect(await store.revoke(key, time, deedOf(organizationId))).toBe('gone');
    const rows = await keyRows();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ state: 'revoked', expires: Date.parse(time) / 1000 + 30 * 86_400 });
  });

  it('that was revoked is registered again only when its tombstone is over', async () => {
    const key = signing(1);
    await store.add(key);
    await store.revoke(key, time);
    const again = (days: number) => ({
      ...key,
      api_key_id: `key_${ulidAt(2)}`,
      created_at: new Date(Date.parse(time) + days * 86_400_000).toISOString(),
    });
    expect(await store.add(again(29))).toBe('key_registered');
    expect(await store.add(again(31))).toBe('added');
    expect(await store.get(organizationId, again(31).api_key_id)).toEqual(again(31));
  });

  it('belongs to an organization that is there and active, a pod and a parent that are there', async () => {
    const deed = { written: false };
    expect(await store.add(signing(1, { organization_id: 'org_none' }))).toBe('no_organization');
    expect(await store.add(signing(1, { pod_id: 'pod_none' }))).toBe('no_place');
    expect(await store.add(signing(1, { inbox: { uid: 'inb_no', inbox_id: 'x@y' } }))).toBe('no_place');
    expect(await store.add(signing(1), 'key_none')).toBe('no_parent');
    const parent = signing(1);
    await store.add(parent);
    expect(await store.add(signing(2), parent.api_key_id)).toBe('added');
    expect(await store.add({ ...parent, api_key_id: 'key_other' })).toBe('key_registered');
    await organizationStore(house.database).update(organizationId, { state: 'suspended' }, deed);
    expect(await store.add(signing(3))).toBe('organization_suspended');
    expect(await keyRows()).toHaveLength(4);
  });

  it('of the bearer kind is taken only where the organization has switched them on', async () => {
    expect(await store.add(bearer(1))).toBe('bearer_keys_off');
    const deed = { written: false };
    await organizationStore(house.database).update(organizationId, { bearer_keys: true }, deed);
    expect(await store.add(bearer(1))).toBe('added');
  });

  it('is one, however many ask for it at once with one client id', async () => {
    const asked = Array.from({ length: 6 }, (_, n) => signing(n, { client_id: 'mine' }));
    const outcomes = await Promise.all(asked.map((key) => store.add(key)));
    const winner = asked[outcomes.indexOf('added')]!;
    expect(outcomes.filter((outcome) => outcome === 'added')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome !== 'added') expect(outcome).toEqual({ existing: winner });
    expect(await keyRows()).toHaveLength(3);
  });

  it('is changed by one of two, and not when it is revoked', async () => {
    const key = signing(1);
    await store.add(key);
    const change = (name: string, at: string) => ({ ...key, name, permissions: {}, updated_at: at });
    expect(await store.update(change('a', 'later'), time, { written: false })).toBe('updated');
    expect(await store.update(change('b', 'later'), time, { written: false })).toBe('stale');
    expect(await store.get(organizationId, key.api_key_id)).toEqual(change('a', 'later'));
    await store.revoke(key, time);
    expect(await store.update(change('c', 'x'), 'later', { written: false })).toBe('gone');
  });
});

describe('lists', () => {
  const inbox = { ...inboxRef('ada'), pod_id: 'pod_a' };
  const place = { uid: inbox.uid, inbox_id: inbox.inbox_id };
  async function all(scope: Scope, limit: number, ascending: boolean, type?: Credential['type']) {
    const found: string[] = [];
    let after: Position | undefined;
    do {
      const page = await store.list(scope, { limit, ascending, ...(after && { after }) }, type);
      found.push(...page.items.map(({ name }) => name));
      after = page.next;
    } while (after !== undefined);
    return found;
  }

  it('hold the keys of a scope and of what lies in it, in pages, in order, by type', async () => {
    await makePod('pod_a');
    await settle(house, 'org_2');
    const organizations = organizationStore(house.database);
    await organizations.update(organizationId, { bearer_keys: true }, { written: false });
    const { inboxStore } = await import('../../../lib/adapters/dynamo/inbox-store.ts');
    await inboxStore(house.database).provision({
      inbox: { ...inbox, email: inbox.inbox_id, created_at: time, updated_at: time },
    });
    await store.add(signing(0));
    await store.add(bearer(1));
    await store.add(signing(2, { pod_id: 'pod_a' }));
    await store.add(signing(3, { pod_id: 'pod_a', inbox: place }));
    await store.add({ ...bearer(4), pod_id: 'pod_a' });
    await store.add(signing(5, { organization_id: 'org_2' }));
    await store.add(signing(6, { pod_id: organizationId }));
    const organization = { organization_id: organizationId };
    const expected = (ns: number[]) => ns.map((n) => `key ${n}`);
    for (const limit of [1, 2, 50]) {
      for (const [scope, type, ns] of [
        [organization, undefined, [0, 1, 2, 3, 4, 6]],
        [organization, 'bearer', [1, 4]],
        [organization, 'public_key', [0, 2, 3, 6]],
        [{ ...organization, pod_id: 'pod_a' }, undefined, [2, 3, 4]],
        [{ ...organization, pod_id: 'pod_a' }, 'public_key', [2, 3]],
        [{ ...organization, pod_id: organizationId }, undefined, [6]],
        [{ ...organization, pod_id: 'pod_a', inbox }, undefined, [3]],
        [{ ...organization, pod_id: 'pod_none' }, undefined, []],
      ] as [Scope, Credential['type'] | undefined, number[]][]) {
        expect(await all(scope, limit, true, type)).toEqual(expected(ns));
        expect(await all(scope, limit, false, type)).toEqual(expected(ns.toReversed()));
      }
    }
  });
});
