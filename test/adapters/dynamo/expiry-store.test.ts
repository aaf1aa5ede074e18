import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { dueStore } from '../../../lib/adapters/dynamo/due-store.ts';
import { expiryStore } from '../../../lib/adapters/dynamo/expiry-store.ts';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { newUlid } from '../../../lib/adapters/ulids.ts';
import { takeDown } from '../../../lib/core/delete-inbox.ts';
import { expireInboxes } from '../../../lib/core/expire-inbox.ts';
import { withWaiting } from '../../../lib/core/inbox-lifetime.ts';
import type { DueWork } from '../../../lib/core/due-ports.ts';
import type { StoredInbox } from '../../../lib/core/ports.ts';
import { nextMeasurement, nextRetention } from '../../../lib/core/standing-work.ts';
import { newDeed, organizationId } from '../../support/mail-samples.ts';
import { settle, storedInbox, tableHouse, type TableHouse } from '../../support/table-house.ts';

const minute = 60_000;
let house: TableHouse;
let time: number;
let serial = 0;
const now = () => time;
beforeAll(async () => {
  house = await tableHouse();
  await settle(house);
});
afterAll(() => house.close());
beforeEach(() => {
  time = house.now();
});
const iso = (at: number) => new Date(at).toISOString();
const deps = () => ({
  ...{ inboxes: inboxStore(house.database), now, ulid: newUlid, quarantineDays: 30 },
  expiry: expiryStore(house.database),
});
const run = (work: DueWork) => {
  const works = expireInboxes(deps());
  return works[work.kind as 'expire-inbox'](work as never);
};
/** An inbox that ends in so many minutes. */
async function provision(minutes: number, more: Partial<StoredInbox> = {}): Promise<StoredInbox> {
  const expires_at = iso(time + minutes * minute);
  const asked = {
    expires_at,
    ...(more.retention_days !== undefined && { retention_days: more.retention_days }),
  };
  const made = {
    ...storedInbox(`end${++serial}`),
    created_at: iso(time),
    updated_at: iso(time),
    ...more,
    expires_at,
  };
  const { inbox, due } = withWaiting(made, asked, { now: time, expiryNoticeMinutes: 60 });
  expect(await inboxStore(house.database).provision({ inbox, due })).toBe('created');
  return inbox;
}
/** PATCH, as the use case does it. */
async function change(inbox: StoredInbox, expires_at: string | null): Promise<StoredInbox> {
  const { expires_at: _, ...rest } = (await inboxStore(house.database).get(inbox))!;
  const asked = {
    ...rest,
    updated_at: iso(Date.parse(rest.updated_at) + 1),
    ...(expires_at && { expires_at }),
  };
  const { inbox: changed, due } = withWaiting(asked, { expires_at }, { now: time, expiryNoticeMinutes: 60 });
  expect(await inboxStore(house.database).update(changed, rest.updated_at, newDeed(), undefined, due)).toBe(
    'updated',
  );
  return changed;
}
const dueRows = async ({ uid }: { uid: string }): Promise<DueWork[]> =>
  (await house.rows())
    .filter(({ pk, work }) => String(pk).startsWith('DUE#') && JSON.stringify(work ?? '').includes(uid))
    .map(({ work }) => work as DueWork);
const withdraw = async (of: { uid: string }) => {
  for (const work of await dueRows(of))
    if (work.kind === 'withdraw') await dueStore(house.database, now).withdraw(work.waiting);
};
const kinds = async (of: { uid: string }) => (await dueRows(of)).map(({ kind }) => kind).sort();
const announced = async ({ uid }: { uid: string }) =>
  (await house.rows()).filter((row) => row['event_type'] === 'inbox.expiring' && row['uid'] === uid);

it('an end is filed with the inbox, announced once, and takes it down with a line of the system', async () => {
  const inbox = await provision(90);
  expect(await kinds(inbox)).toEqual(['announce-expiry', 'expire-inbox']);
  const [announcement, end] = (await dueRows(inbox)).toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
  for (let n = 0; n < 2; n++) await run(announcement!);
  expect(await announced(inbox)).toMatchObject([{ expires_at: inbox.expires_at, inbox_id: inbox.inbox_id }]);
  expect(await inboxStore(house.database).get(inbox)).toEqual(inbox);
  for (let n = 0; n < 2; n++) await run(end!);
  expect(await inboxStore(house.database).get(inbox)).toBeUndefined();
  const rows = await house.rows();
  const about = rows.filter((row) => row['uid'] === inbox.uid && row['event_type'] === 'inbox.deleted');
  expect(about).toMatchObject([{ reason: 'expired' }]);
  expect(
    rows.filter((row) => row['action'] === 'inboxes.expire' && row['inbox_uid'] === inbox.uid),
  ).toMatchObject([
    { principal: { kind: 'system' }, outcome: 'allowed', resources: [inbox.uid], pod_id: inbox.pod_id },
  ]);
});

it('an end that was moved or taken away is neither announced nor kept', async () => {
  const inbox = await provision(90);
  const old = await dueRows(inbox);
  const moved = await change(inbox, iso(time + 300 * minute));
  for (const work of old) await run(work);
  expect([await announced(inbox), await inboxStore(house.database).get(inbox)]).toEqual([[], moved]);
  await withdraw(inbox);
  expect((await kinds(inbox)).filter((kind) => kind !== 'withdraw')).toEqual([
    'announce-expiry',
    'expire-inbox',
  ]);
  await change(moved, null);
  await withdraw(inbox);
  expect((await kinds(inbox)).filter((kind) => kind !== 'withdraw')).toEqual([]);
  expect((await inboxStore(house.database).get(inbox))!).not.toHaveProperty('waiting');
});

it('the withdrawal of an end leaves the same end alone that was set again', async () => {
  const inbox = await provision(90);
  const other = await change(inbox, iso(time + 300 * minute));
  await change(other, inbox.expires_at!);
  await withdraw(inbox);
  expect((await kinds(inbox)).filter((kind) => kind !== 'withdraw')).toEqual([
    'announce-expiry',
    'expire-inbox',
  ]);
});

it('an end that moves while it is taken up does not take the inbox down', async () => {
  const inbox = await provision(90);
  const seen = (await inboxStore(house.database).get(inbox))!;
  await change(inbox, null);
  const stale = { ...deps(), inboxes: { ...deps().inboxes, get: async () => seen } };
  const order = { reason: 'expired', expires_at: inbox.expires_at!, deed: newDeed() } as const;
  expect(await takeDown(stale, inbox, order)).toBe('gone');
  expect(await inboxStore(house.database).get(inbox)).toBeDefined();
});

it('an inbox that is taken down takes what waited for it along', async () => {
  const inbox = await provision(90, { retention_days: 3 });
  expect(await kinds(inbox)).toEqual(['announce-expiry', 'expire-inbox', 'retain-mail']);
  await takeDown(deps(), inbox, { reason: 'deleted', deed: newDeed() });
  await withdraw(inbox);
  expect(await kinds(inbox)).toEqual(['watch-removal', 'withdraw']);
});

it('standing work of an organization is filed once, however often it is set', async () => {
  const store = organizationStore(house.database);
  for (let n = 0; n < 3; n++) {
    time += 1;
    const change = { retention_days: 5 + n, storage_limit: 1000 + n, updated_at: iso(time) };
    const due = [nextRetention(organizationId, undefined, time), nextMeasurement(organizationId, time)];
    await store.update(organizationId, change, newDeed(), due);
  }
  const filed = (await house.rows()).filter(
    ({ work }) => /retain-mail|measure-storage/.test(work?.kind) && !work.uid,
  );
  expect(filed.map(({ work }) => work.kind).sort()).toEqual(['measure-storage', 'retain-mail']);
  expect(await store.get(organizationId)).toMatchObject({ retention_days: 7, storage_limit: 1002 });
});

it('work that came back from the table is the same work', async () => {
  const due = dueStore(house.database, now);
  const work = { kind: 'retain-mail', organization_id: 'org_1', uid: 'inb_order' } as const;
  const turned = { uid: 'inb_order', kind: 'retain-mail', organization_id: 'org_1' } as const;
  const at = time + 600 * minute;
  await due.file({ work, at });
  await due.file({ work: turned, at });
  expect(await kinds({ uid: 'inb_order' })).toEqual(['retain-mail']);
  await due.withdraw([{ work: turned, at }]);
  expect(await kinds({ uid: 'inb_order' })).toEqual([]);
});
