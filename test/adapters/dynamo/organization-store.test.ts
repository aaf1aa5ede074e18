import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import {
  ensureOperatorMailroom,
  organizationStore,
} from '../../../lib/adapters/dynamo/organization-store.ts';
import { podStore } from '../../../lib/adapters/dynamo/pod-store.ts';
import { settingsStore } from '../../../lib/adapters/dynamo/settings-store.ts';
import { operatorOrganizationId } from '../../../lib/contract/organization.ts';
import type { OrganizationStore, Position } from '../../../lib/core/ports.ts';
import { mailDomain, ulidAt } from '../../support/mail-samples.ts';
import { deedOf } from '../../support/memory-keys.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
let store: OrganizationStore;
beforeEach(async () => {
  house = await tableHouse();
  store = organizationStore(house.database);
});
afterEach(() => house.close());

const organization = (organization_id: string) => ({
  organization_id,
  name: 'Example',
  verified: true,
  state: 'active' as const,
  access: 'sandbox' as const,
  bearer_keys: false,
  inbox_count: 0,
  domain_count: 0,
  updated_at: 'x',
  created_at: 'x',
});
describe('organizations', () => {
  it('are found and listed, newest first, in pages', async () => {
    for (let n = 0; n < 7; n++) await store.create(organization(`org_${ulidAt(n)}`));
    expect(await store.get(`org_${ulidAt(3)}`)).toEqual(organization(`org_${ulidAt(3)}`));
    expect(await store.get('org_none')).toBeUndefined();
    for (const ascending of [true, false]) {
      const found: string[] = [];
      let after: Position | undefined;
      do {
        const page = await store.list({ limit: 3, ascending, ...(after && { after }) });
        found.push(...page.items.map(({ organization_id }) => organization_id));
        after = page.next;
      } while (after !== undefined);
      const all = Array.from({ length: 7 }, (_, n) => `org_${ulidAt(n)}`);
      expect(found).toEqual(ascending ? all : all.reverse());
    }
  });

  it('begin with their default pod', async () => {
    await store.create(organization('org_1'));
    expect(await podStore(house.database).get('org_1', 'org_1')).toMatchObject({ name: 'default' });
  });

  it('are made once', async () => {
    await store.create(organization('org_1'));
    await expect(store.create({ ...organization('org_1'), name: 'Other' })).rejects.toThrow();
    expect((await store.get('org_1'))?.name).toBe('Example');
  });
});

describe('a change', () => {
  it('sets what is given, removes what is null and leaves the rest', async () => {
    await store.create({ ...organization('org_1'), inbox_limit: 3 });
    const deed = deedOf('org_1');
    const change = { access: 'production', inbox_limit: null, name: undefined, updated_at: 'y' } as const;
    const { inbox_limit: _, ...rest } = { ...organization('org_1'), inbox_limit: 3 };
    const changed = { ...rest, access: 'production', updated_at: 'y' };
    expect(await store.update('org_1', change, deed)).toEqual(changed);
    expect(await store.get('org_1')).toEqual(changed);
    expect(deed.written).toBe(true);
    expect((await house.rows()).filter(({ line_id }) => line_id === 'lin_1')).toHaveLength(1);
  });

  it('of none changes nothing and leaves no line', async () => {
    const deed = deedOf('org_1');
    expect(await store.update('org_1', { state: 'suspended' }, deed)).toBeUndefined();
    expect(deed.written).toBe(false);
    expect(await house.rows()).toEqual([]);
  });
});

describe('settings', () => {
  it('are on until somebody changes them', async () => {
    const settings = settingsStore(house.database);
    expect(await settings.get()).toEqual({ sending: 'on' });
    const deed = deedOf('org_operator');
    await settings.update({ sending: 'paused', updated_at: 'x' }, deed);
    expect(await settings.get()).toEqual({ sending: 'paused', updated_at: 'x' });
    expect(deed.written).toBe(true);
  });
});

describe("the operator's mailroom", () => {
  it('is made once, whoever comes first, and never again', async () => {
    const ensure = ensureOperatorMailroom(house.database, mailDomain, () =>
      Date.parse('2026-01-01T00:00:00.000Z'),
    );
    await Promise.all([ensure(), ensure(), ensure()]);
    const rows = await house.rows();
    await ensure();
    expect(await house.rows()).toEqual(rows);
    const holders = await inboxStore(house.database).holders([
      `postmaster@${mailDomain}`,
      `abuse@${mailDomain}`,
    ]);
    expect([...holders.values()].map(({ uid, organization_id }) => [uid, organization_id])).toEqual([
      ['inb_operator', operatorOrganizationId],
      ['inb_operator', operatorOrganizationId],
    ]);
    expect(await store.get(operatorOrganizationId)).toMatchObject({ inbox_count: 1 });
  });
});
