import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { directory } from '../../../lib/adapters/dynamo/directory.ts';
import { exportStore } from '../../../lib/adapters/dynamo/export-store.ts';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { addressKey, organizationEntryKey } from '../../../lib/adapters/dynamo/keys.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { podStore } from '../../../lib/adapters/dynamo/pod-store.ts';
import { removalStore } from '../../../lib/adapters/dynamo/removal-store.ts';
import { nudgeOf } from '../../../lib/adapters/dynamo/task-rows.ts';
import { credentialWrites } from '../../../lib/adapters/dynamo/credential-rows.ts';
import { transact } from '../../../lib/adapters/dynamo/transaction.ts';
import { takeDown } from '../../../lib/core/delete-inbox.ts';
import { newRemoval } from '../../../lib/core/removal.ts';
import type { StoredInbox } from '../../../lib/core/ports.ts';
import { newUlid } from '../../../lib/adapters/ulids.ts';
import { sampleLine } from '../../support/ledger-samples.ts';
import { newDeed, organizationId } from '../../support/mail-samples.ts';
import { settle, storedInbox, tableHouse, type TableHouse } from '../../support/table-house.ts';

const day = 24 * 3600_000;
let house: TableHouse;
let time: number;
const now = () => time;
let serial = 0;
beforeAll(async () => {
  house = await tableHouse();
  await settle(house);
  await settle(house, 'org_other');
  await settle(house, 'org_leaving');
});
afterAll(() => house.close());
beforeEach(() => {
  time = house.now();
});

const provision = (inbox: StoredInbox) => inboxStore(house.database).provision({ inbox });
const fresh = (more: Partial<StoredInbox> = {}) => {
  const name = `inbox${++serial}`;
  return storedInbox(name, { created_at: new Date(time).toISOString(), ...more });
};
const down = (inbox: { organization_id: string; uid: string }, quarantineDays = 30, deed = newDeed()) =>
  takeDown({ inboxes: inboxStore(house.database), now, ulid: newUlid, quarantineDays }, inbox, {
    reason: 'deleted',
    deed,
  });
const row = async (key: { pk: string; sk: string }) =>
  (await house.database.client.send(new GetCommand({ TableName: 'mailroom', Key: key }))).Item;

describe('taking an inbox down', () => {
  it('changes all its rows in one transaction, with the line of the ledger', async () => {
    const inbox = fresh({ client_id: 'client' });
    await provision(inbox);
    const before = (await organizationStore(house.database).get(organizationId))!.inbox_count;
    house.forget();
    const line = sampleLine(1, { organization_id: organizationId });
    expect(await down(inbox, 30, newDeed({ line }))).toBe('taken_down');
    expect(house.sent.map(({ name }) => name)).toEqual(['GetItem', 'TransactWrite']);
    const rows = await house.rows();
    const of = (text: string) => rows.filter(({ pk, sk }) => `${pk} ${sk}`.includes(text));
    expect(of(inbox.uid).map(({ sk }) => sk.replace(/^[0-9a-z]{26}$/, 'EVENT'))).toEqual(
      expect.arrayContaining(['EVENT', `REMOVAL#${inbox.uid}`]),
    );
    expect(of(inbox.uid)).toHaveLength(2);
    expect(of('CLIENT#')).toEqual([]);
    expect(of(line.line_id.slice(4))).toHaveLength(1);
    expect(of('watch-removal')).toHaveLength(1);
    expect((await organizationStore(house.database).get(organizationId))!.inbox_count).toBe(before - 1);
    const address = await row(addressKey(inbox.inbox_id));
    expect(address).toEqual({
      ...addressKey(inbox.inbox_id),
      ...{ v: 1, state: 'quarantined', organization_id: organizationId },
      ...{ deleted_at: new Date(time).toISOString(), until: new Date(time + 30 * day).toISOString() },
      expires: expect.any(Number),
    });
    expect(address!['expires'] * 1000).toBeGreaterThanOrEqual(time + 30 * day);
    expect(await down(inbox)).toBe('gone');
  });

  it('asks the worker, once all calls of before have ended', async () => {
    const inbox = fresh();
    await provision(inbox);
    await down(inbox);
    const nudges = house
      .stream()
      .flatMap(({ dynamodb }) => nudgeOf(dynamodb?.OldImage, dynamodb?.NewImage) ?? []);
    expect(nudges.at(-1)).toEqual({
      group: organizationId,
      count: 1,
      not_before: new Date(time + 90_000).toISOString(),
      queue: 'removals',
      job: { organization_id: organizationId, what: inbox.uid },
    });
  });

  it('leaves its address to nobody but its organization, until the quarantine is over', async () => {
    const inbox = fresh();
    const { inbox_id } = inbox;
    const store = inboxStore(house.database);
    await provision(inbox);
    await down(inbox);
    expect(await store.holders([inbox_id])).toEqual(new Map());
    expect(await store.resting([inbox_id, 'never@mail.test'])).toEqual(new Set([inbox_id]));
    const other = { organization_id: 'org_other', pod_id: 'org_other', inbox_id, email: inbox_id };
    expect(await provision(fresh(other))).toEqual({ taken_by: organizationId });
    time += 30 * day;
    const late = fresh(other);
    expect(await provision(late)).toBe('created');
    expect(await store.holders([inbox_id])).toEqual(
      new Map([
        [
          inbox_id,
          {
            ...{ uid: late.uid, inbox_id, organization_id: 'org_other', pod_id: 'org_other' },
            since: late.created_at,
          },
        ],
      ]),
    );
    expect(await row(addressKey(inbox_id))).not.toHaveProperty('expires');
  });

  it('lets its organization have the address again at once, whatever is still to be removed', async () => {
    const inbox = fresh({ client_id: 'again' });
    await provision(inbox);
    await down(inbox);
    time += 1000;
    const { inbox_id } = inbox;
    const second = fresh({ inbox_id, email: inbox_id, client_id: 'again' });
    expect(await provision(second)).toBe('created');
    expect((await inboxStore(house.database).holders([inbox_id])).get(inbox_id)).toMatchObject({
      uid: second.uid,
      since: second.created_at,
    });
    // The removal of the first says nothing of the second.
    expect(await down(inbox)).toBe('gone');
    expect(await down(second)).toBe('taken_down');
  });

  it('without a quarantine frees the address for all, and still knows that it had an inbox', async () => {
    const inbox = fresh();
    await provision(inbox);
    await down(inbox, 0);
    const { inbox_id } = inbox;
    const other = fresh({ organization_id: 'org_other', pod_id: 'org_other', inbox_id, email: inbox_id });
    expect(await provision(other)).toBe('created');
    expect((await inboxStore(house.database).holders([inbox_id])).get(inbox_id)!.since).toBe(
      other.created_at,
    );
  });

  it('ends its keys, and finds it by no name', async () => {
    const inbox = fresh();
    await provision(inbox);
    const { uid, inbox_id } = inbox;
    const key = {
      ...{
        api_key_id: `key_${serial}`,
        keyid: `thumb-${serial}`,
        organization_id: organizationId,
        name: 'k',
      },
      ...{ state: 'active' as const, created_at: 'x', updated_at: 'x', type: 'bearer' as const, prefix: 'p' },
    };
    const own = {
      ...key,
      keyid: `${key.keyid}-own`,
      api_key_id: `${key.api_key_id}o`,
      inbox: { uid, inbox_id },
    };
    for (const one of [key, own])
      await transact(
        house.database,
        credentialWrites({ ...one, created_at: new Date(time).toISOString() }, 'x'),
      );
    const look = (keyid: string, inbox?: string) =>
      directory(house.database, now).lookUp({ keyid, ...(inbox && { inbox }) });
    expect((await look(own.keyid)).credential).toBeDefined();
    await down(inbox);
    expect(await look(own.keyid)).toEqual({});
    for (const name of [inbox_id, uid]) expect(await look(key.keyid, name)).not.toHaveProperty('inbox');
    expect((await look(key.keyid)).credential).toBeDefined();
    // Another inbox under its address is another place.
    time += 1000;
    const second = fresh({ inbox_id, email: inbox_id });
    expect(await provision(second)).toBe('created');
    expect(await look(own.keyid, inbox_id)).toEqual({});
    expect((await look(key.keyid, inbox_id)).inbox).toMatchObject({ uid: second.uid });
  });
});

describe('taking an organization down', () => {
  it('is done once, lets nobody change it back, and leaves a removal and its watch', async () => {
    const store = organizationStore(house.database);
    const at = new Date(time).toISOString();
    const removal = {
      ...{ organization_id: 'org_leaving', what: 'org_leaving', count: 1 },
      ...{ taken_down_at: at, begins_at: at, settles_at: at, moved_at: at },
    };
    expect(await store.takeDown(removal, newDeed())).toBe('taken_down');
    expect(await store.takeDown(removal, newDeed())).toBe('deleting');
    expect(await store.takeDown({ ...removal, organization_id: 'org_none' }, newDeed())).toBe('gone');
    expect(await store.get('org_leaving')).toMatchObject({ state: 'deleting' });
    expect(await store.update('org_leaving', { state: 'active' }, newDeed())).toBe('deleting');
    expect(await store.update('org_none', { state: 'active' }, newDeed())).toBeUndefined();
    const inbox = fresh({ organization_id: 'org_leaving', pod_id: 'org_leaving' });
    expect(await provision(inbox)).toBe('organization_suspended');
    expect(await removalStore(house.database).load(removal)).toEqual(removal);
    time += 30 * 60_000;
    expect(await house.dueAt(time)).toContainEqual({
      ...{ kind: 'watch-removal', organization_id: 'org_leaving', what: 'org_leaving' },
    });
    expect(await podStore(house.database).get('org_leaving', 'org_leaving')).toBeDefined();
  });
});

describe('the row of a removal', () => {
  it('is nudged once for each count, moves, and goes when it is done', async () => {
    const store = removalStore(house.database);
    const inbox = fresh();
    await provision(inbox);
    await down(inbox);
    const job = { organization_id: organizationId, what: inbox.uid };
    const removal = (await store.load(job))!;
    const later = new Date(time + 5000).toISOString();
    await store.move(removal, later);
    expect(await store.load(job)).toEqual({ ...removal, moved_at: later });
    await store.again(removal, later, later);
    await store.again(removal, later, later);
    expect(await store.load(job)).toEqual({ ...removal, moved_at: later, count: 2 });
    expect(await store.hasOthers(organizationId)).toBe(true);
    await store.watch(removal, time + 3600_000);
    await store.finish(removal, later);
    expect(await store.load(job)).toBeUndefined();
    // What is done is not brought back by who comes late.
    await store.again(removal, later);
    await store.move(removal, later);
    expect(await store.load(job)).toBeUndefined();
  });

  it('of an organization goes with it; the export of its ledger still finds it for 30 days', async () => {
    await settle(house, 'org_over');
    const removal = newRemoval(time, { organization_id: 'org_over', what: 'org_over' });
    const organizations = organizationStore(house.database);
    await organizations.takeDown(removal, newDeed());
    await removalStore(house.database).finish(removal, new Date(time).toISOString());
    expect(await organizations.get('org_over')).toBeUndefined();
    expect(await removalStore(house.database).load(removal)).toBeUndefined();
    const { items } = await organizations.list({ limit: 100, ascending: true });
    expect(items.map(({ organization_id }) => organization_id)).not.toContain('org_over');
    expect(await Array.fromAsync(exportStore(house.database).organizations())).toContain('org_over');
    expect(await row(organizationEntryKey('org_over'))).toMatchObject({
      deleted_at: new Date(time).toISOString(),
      expires: Math.floor(time / 1000) + 30 * 24 * 3600,
    });
  });
});
