import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { directory } from '../../../lib/adapters/dynamo/directory.ts';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { nonceStore } from '../../../lib/adapters/dynamo/nonces.ts';
import {
  ensureOperatorMailroom,
  organizationStore,
} from '../../../lib/adapters/dynamo/organization-store.ts';
import { keys } from '../../../lib/adapters/keys.ts';
import { operatorOrganizationId } from '../../../lib/core/operator-mailroom.ts';
import type { Credential, OrganizationStore, Position } from '../../../lib/core/ports.ts';
import { inboxRef, mailDomain, organizationId, ulidAt } from '../../support/mail-samples.ts';
import { settle, storedInbox, tableHouse, type TableHouse } from '../../support/table-house.ts';

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
  inbox_count: 0,
  domain_count: 0,
  updated_at: 'x',
  created_at: 'x',
});
const credential = (more: Partial<Credential> = {}): Credential => {
  const { public_key } = keys.generate();
  return {
    api_key_id: 'key_1',
    keyid: keys.thumbprint(public_key),
    public_key,
    organization_id: organizationId,
    permissions: { inbox_read: true },
    state: 'active',
    created_at: 'x',
    ...more,
  };
};

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

  it('are made once', async () => {
    await store.create(organization('org_1'));
    await expect(store.create({ ...organization('org_1'), name: 'Other' })).rejects.toThrow();
    expect((await store.get('org_1'))?.name).toBe('Example');
  });
});

describe('a key', () => {
  it('belongs to an organization that is there, and to one credential', async () => {
    const one = credential();
    expect(await store.addCredential(one)).toBe('no_organization');
    await store.create(organization(organizationId));
    await store.create(organization('org_2'));
    expect(await store.addCredential(one)).toBe('added');
    expect(await store.addCredential({ ...one, api_key_id: 'key_2', organization_id: 'org_2' })).toBe(
      'key_registered',
    );
    expect((await house.rows()).filter(({ sk }) => String(sk).startsWith('KEY'))).toHaveLength(2);
  });
});

describe('the directory', () => {
  it('tells who signs and which inbox is meant in one read', async () => {
    const inbox = inboxRef();
    await settle(house, organizationId, inbox, inboxRef('grace'));
    const one = credential();
    await store.addCredential(one);
    const { lookUp } = directory(house.database);
    house.forget();
    expect(await lookUp({ keyid: one.keyid, inbox: inbox.inbox_id.toUpperCase() })).toEqual({
      credential: one,
      inbox,
    });
    expect(house.counted().map(({ action }) => action)).toEqual(['BatchGetItem']);
    expect(await lookUp({ keyid: one.keyid, inbox: inbox.uid })).toEqual({ credential: one, inbox });
    expect(await lookUp({ keyid: one.keyid })).toEqual({ credential: one });
    expect(await lookUp({ keyid: one.keyid, inbox: 'nobody@mail.test' })).toEqual({ credential: one });
    expect(await lookUp({ keyid: one.keyid, inbox: 'inb_none' })).toEqual({ credential: one });
    expect(await lookUp({ keyid: 'unknown', inbox: inbox.inbox_id })).toEqual({});
    for (const hostile of ['', '#', `${inbox.uid}#E`, 'x'.repeat(5000), `${'x'.repeat(5000)}@a.test`])
      expect(await lookUp({ keyid: one.keyid, inbox: hostile })).toEqual({ credential: one });
    expect(await lookUp({ keyid: 'k'.repeat(5000) })).toEqual({});
  });

  it('does not find an inbox of another organization by its uid', async () => {
    await settle(house, organizationId);
    await settle(house, 'org_2', inboxRef('other', 'org_2'));
    const one = credential();
    await store.addCredential(one);
    expect(await directory(house.database).lookUp({ keyid: one.keyid, inbox: 'inb_other' })).toEqual({
      credential: one,
    });
    // By its address it is found; that it is out of scope is the caller's to see.
    expect(
      await directory(house.database).lookUp({ keyid: one.keyid, inbox: `other@${mailDomain}` }),
    ).toEqual({ credential: one, inbox: inboxRef('other', 'org_2') });
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

describe('a nonce', () => {
  it('is claimed once, by one of many at once', async () => {
    const nonces = nonceStore(house.database);
    const claims = Array.from({ length: 10 }, () => ({ key: 'n', expires: 2_000_000_000, spent: false }));
    const outcomes = await Promise.all(claims.map((once) => nonces.claim(once)));
    expect(outcomes.filter((outcome) => outcome === 'claimed')).toHaveLength(1);
    expect(claims.filter(({ spent }) => spent)).toHaveLength(1);
    expect((await house.rows()).map(({ expires }) => Number(expires))).toEqual([2_000_000_000]);
  });

  it('spent by a write is not to be had again, and the other way round', async () => {
    await settle(house, organizationId);
    const once = () => ({ key: 'n', expires: 2_000_000_000, spent: false });
    expect(await inboxStore(house.database).provision({ inbox: storedInbox(), once: once() })).toBe(
      'created',
    );
    expect(await nonceStore(house.database).claim(once())).toBe('used');
    await nonceStore(house.database).claim({ ...once(), key: 'm' });
    expect(
      await inboxStore(house.database).provision({
        inbox: storedInbox('grace'),
        once: { ...once(), key: 'm' },
      }),
    ).toBe('nonce_used');
  });
});
