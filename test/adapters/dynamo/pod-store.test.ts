import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { podKey } from '../../../lib/adapters/dynamo/keys.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { podStore } from '../../../lib/adapters/dynamo/pod-store.ts';
import { transact } from '../../../lib/adapters/dynamo/transaction.ts';
import type { PodStore } from '../../../lib/core/key-ports.ts';
import { organizationId, ulidAt } from '../../support/mail-samples.ts';
import { deedOf } from '../../support/memory-keys.ts';
import { settle, tableHouse, type TableHouse } from '../../support/table-house.ts';

const time = '2026-01-01T00:00:00.000Z';
let house: TableHouse;
let store: PodStore;
beforeEach(async () => {
  house = await tableHouse();
  store = podStore(house.database);
  await settle(house, organizationId);
});
afterEach(() => house.close());

const pod = (n: number, more: object = {}) => ({
  organization_id: organizationId,
  pod_id: `pod_${ulidAt(n)}`,
  name: `pod ${n}`,
  created_at: time,
  updated_at: time,
  ...more,
});
const deed = () => deedOf(organizationId);
/** As provisioning counts an inbox in, or deletion out. */
const count = (pod_id: string, by: number) =>
  transact(house.database, [
    {
      update: podKey(organizationId, pod_id),
      set: 'SET inbox_count = inbox_count + :by',
      values: { ':by': by },
    },
  ]);

describe('pods', () => {
  it('begin with the default one, and are listed newest first', async () => {
    for (let n = 0; n < 4; n++) expect(await store.create(pod(n), deed())).toBe('created');
    const all: string[] = [];
    let after: Record<string, unknown> | undefined;
    do {
      const page = await store.list(organizationId, { limit: 2, ascending: false, ...(after && { after }) });
      all.push(...page.items.map(({ name }) => name));
      after = page.next;
    } while (after !== undefined);
    expect(all).toEqual(['pod 3', 'pod 2', 'pod 1', 'pod 0', 'default']);
    expect(await store.get(organizationId, pod(2).pod_id)).toEqual(pod(2));
    expect(await store.get(organizationId, organizationId)).toMatchObject({ name: 'default' });
    expect(await store.get('org_other', pod(2).pod_id)).toBeUndefined();
  });

  it('are one for one client id, however many ask at once', async () => {
    const asked = Array.from({ length: 6 }, (_, n) => pod(n, { client_id: 'acme' }));
    const outcomes = await Promise.all(asked.map((each) => store.create(each, deed())));
    const winner = asked[outcomes.indexOf('created')]!;
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome !== 'created') expect(outcome).toEqual({ existing: winner });
  });

  it('need an organization that is there and active', async () => {
    expect(await store.create(pod(1, { organization_id: 'org_none' }), deed())).toBe('no_organization');
    await organizationStore(house.database).update(organizationId, { state: 'suspended' }, deed());
    expect(await store.create(pod(1), deed())).toBe('organization_suspended');
  });

  it('are deleted when they are empty, and their client id is free then', async () => {
    const mine = pod(1, { client_id: 'acme' });
    await store.create(mine, deed());
    await count(mine.pod_id, 1);
    const refused = deed();
    expect(await store.delete(mine, refused)).toBe('not_empty');
    expect(refused.written).toBe(false);
    await count(mine.pod_id, -1);
    expect(await store.delete(mine, deed())).toBe('deleted');
    expect(await store.delete(mine, deed())).toBe('gone');
    expect(await store.create(pod(2, { client_id: 'acme' }), deed())).toBe('created');
  });
});
