import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiKeyStore } from '../../../lib/adapters/dynamo/api-key-store.ts';
import { directory } from '../../../lib/adapters/dynamo/directory.ts';
import { keys } from '../../../lib/adapters/keys.ts';
import type { Credential } from '../../../lib/core/ports.ts';
import { inboxRef, mailDomain, organizationId } from '../../support/mail-samples.ts';
import { settle, tableHouse, type TableHouse } from '../../support/table-house.ts';

const time = '2026-01-01T00:00:00.000Z';
let house: TableHouse;
beforeEach(async () => {
  house = await tableHouse();
});
afterEach(() => house.close());

async function registered(): Promise<Credential> {
  const { public_key } = keys.generate();
  const credential: Credential = {
    type: 'public_key',
    api_key_id: 'key_1',
    keyid: keys.thumbprint(public_key),
    public_key,
    organization_id: organizationId,
    name: 'one',
    permissions: { inbox_read: true },
    state: 'active',
    created_at: time,
    updated_at: time,
  };
  expect(await apiKeyStore(house.database).add(credential)).toBe('added');
  return credential;
}

describe('the directory', () => {
  it('tells who signs, for whom, and which inbox is meant', async () => {
    const inbox = inboxRef();
    await settle(house, organizationId, inbox, inboxRef('grace'));
    const credential = await registered();
    const { keyid } = credential;
    const { lookUp } = directory(house.database, house.now);
    const found = await lookUp({ keyid, inbox: inbox.inbox_id.toUpperCase() });
    expect(found).toMatchObject({ credential, organization: { organization_id: organizationId }, inbox });
    expect(await lookUp({ keyid, inbox: inbox.uid })).toMatchObject({ credential, inbox });
    for (const named of ['nobody@mail.test', 'inb_none', '', '#', `${inbox.uid}#E`, 'x'.repeat(5000)]) {
      const looked = await lookUp({ keyid, inbox: named });
      expect(looked.credential).toEqual(credential);
      expect(looked.inbox).toBeUndefined();
    }
    expect(await lookUp({ keyid: 'unknown', inbox: inbox.inbox_id })).toEqual({});
    expect(await lookUp({ keyid: 'k'.repeat(5000) })).toEqual({});
  });

  it('does not find an inbox of another organization by its uid', async () => {
    await settle(house, organizationId);
    await settle(house, 'org_2', inboxRef('other', 'org_2'));
    const { keyid } = await registered();
    const { lookUp } = directory(house.database, house.now);
    expect((await lookUp({ keyid, inbox: 'inb_other' })).inbox).toBeUndefined();
    // By its address it is found; that it is out of scope is the caller's to see.
    expect((await lookUp({ keyid, inbox: `other@${mailDomain}` })).inbox).toEqual(inboxRef('other', 'org_2'));
  });
});
