import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { inboxKey, organizationKey, type Key } from '../../../lib/adapters/dynamo/keys.ts';
import { measurementStore } from '../../../lib/adapters/dynamo/measurement-store.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { newUlid } from '../../../lib/adapters/ulids.ts';
import { takeDown } from '../../../lib/core/delete-inbox.ts';
import { deleteMessage } from '../../../lib/core/delete-message.ts';
import { deleteThread } from '../../../lib/core/change-threads.ts';
import { measureStorage } from '../../../lib/core/measure-storage.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import { callIn, newDeed, organizationId, sampleMail, sampleNotice } from '../../support/mail-samples.ts';
import { MemoryDue } from '../../support/memory-ports.ts';
import { mailroomHouse, type MailroomHouse } from '../../support/mailroom-house.ts';

let house: MailroomHouse;
let deps: Parameters<typeof deleteMessage>[0];
const open = async (more: Parameters<typeof mailroomHouse>[0] = {}) => {
  house = await mailroomHouse(more);
  deps = { mailbox: house.mailbox, now: house.now, ulid: newUlid };
};
beforeEach(() => open());
afterEach(() => house.close());

const row = async (key: Key) =>
  (await house.database.client.send(new GetCommand({ TableName: 'mailroom', Key: key }))).Item;
const inbox = () => row(inboxKey(house.inbox));
/** Every mail of the samples has 500 bytes. */
const limit = async (storage_limit: number | undefined) => {
  const store = inboxStore(house.database);
  const { storage_limit: _, ...rest } = (await store.get(house.inbox))!;
  const changed = { ...rest, ...(storage_limit && { storage_limit }), updated_at: new Date().toISOString() };
  expect(await store.update(changed, rest.updated_at)).toBe('updated');
};
const eventsOf = async (type: string) =>
  (await house.inside()).events.filter(({ event_type }) => event_type === type);
let serial = 0;
const arrive = () => house.arrive({ message_id: `<${++serial}@b>`, subject: `Mail ${serial}` });

describe('what an inbox holds', () => {
  it('is counted with each mail once, and less with each message and thread that is deleted', async () => {
    expect((await inbox())?.['stored_bytes']).toBe(0);
    const notice = await arrive();
    house.objects.arrive(notice.key, sampleMail({ message_id: `<${serial}@b>`, subject: `Mail ${serial}` }));
    await house.deliver(notice);
    for (let n = 0; n < 2; n++) await arrive();
    expect((await inbox())?.['stored_bytes']).toBe(1500);
    expect(await inboxStore(house.database).get(house.inbox)).toMatchObject({ stored_bytes: 1500 });
    const [one, other] = (await house.inside()).messages;
    const path = { inbox_id: house.inbox.inbox_id };
    await deleteMessage(deps)({
      ...callIn(house.inbox),
      ...{ path: { ...path, message_id: one!['message_id'] }, query: undefined, body: undefined },
    });
    expect((await inbox())?.['stored_bytes']).toBe(1000);
    await deleteThread(deps)({
      ...callIn(house.inbox),
      ...{ path: { ...path, thread_id: other!['thread_id'] }, query: undefined, body: undefined },
    });
    expect((await inbox())?.['stored_bytes']).toBe(500);
  });

  it('takes no more reads and writes than before', async () => {
    await limit(10_000);
    house.house.forget();
    await arrive();
    expect(house.counted().map(({ action }) => action)).toEqual([
      'BatchGetItem',
      'BatchGetItem',
      'TransactWriteItems',
    ]);
    expect(house.sent.at(-1)!.input.TransactItems).toHaveLength(17);
  });

  it('is not brought back to life by what is deleted after it', async () => {
    await arrive();
    const [message] = (await house.inside()).messages;
    const thread = (await house.mailbox.thread(house.inbox, message!['thread_id']))!;
    const before = (await house.mailbox.message(house.inbox, message!['message_id']))!;
    await takeDown({ ...deps, inboxes: inboxStore(house.database), quarantineDays: 1 }, house.inbox, {
      reason: 'deleted',
      deed: newDeed(),
    });
    expect(await house.mailbox.change({ before: thread, messages: [{ before }] })).toBe('stale');
    expect(await inbox()).toBeUndefined();
  });
});

describe('a limit', () => {
  it('holds in bad weather with mails side by side: what fits is stored, the rest refused once, one warning', async () => {
    await house.close();
    await open({ weather: badWeather(7, { 'transaction-conflict': 0.1, throttle: 0.02 }) });
    await limit(3200);
    const notices = Array.from({ length: 10 }, () => sampleNotice());
    for (const { key } of notices)
      house.objects.arrive(key, sampleMail({ message_id: `<${++serial}@b>`, subject: `Mail ${serial}` }));
    // SQS may deliver each twice.
    await Promise.all([...notices, ...notices.slice(0, 3)].map((notice) => house.deliver(notice)));
    const { messages, all } = await house.inside();
    expect(messages).toHaveLength(6);
    expect(await inbox()).toMatchObject({ stored_bytes: 3000, storage_warned: 3200 });
    expect(await eventsOf('message.refused')).toHaveLength(4);
    expect(await eventsOf('inbox.storage_warning')).toMatchObject([
      { storage_limit: 3200, stored_bytes: 3000, inbox_id: house.inbox.inbox_id },
    ]);
    const lost = all.filter(({ pk }) => String(pk).startsWith('LOST#'));
    expect(lost.map(({ reason }) => reason)).toEqual(Array.from({ length: 4 }, () => 'storage_limit'));
    expect([...house.objects.kept.keys()].filter((name) => name.endsWith('/raw'))).toHaveLength(6);
    expect(house.objects.incoming.size).toBe(0);
  });

  it('that is changed is warned of anew, and one that is gone holds nothing up', async () => {
    await limit(1000);
    for (let n = 0; n < 2; n++) await arrive();
    expect(await eventsOf('inbox.storage_warning')).toHaveLength(1);
    await limit(1800);
    await arrive();
    expect(await eventsOf('inbox.storage_warning')).toHaveLength(2);
    await limit(undefined);
    for (let n = 0; n < 2; n++) await arrive();
    expect((await house.inside()).messages).toHaveLength(5);
    expect(await inbox()).toMatchObject({ stored_bytes: 2500 });
  });

  it('that comes between the look and the write is seen', async () => {
    let changed = false;
    const send = house.database.client.send.bind(house.database.client);
    house.database.client.send = (async (command: { input: { TransactItems?: unknown[] } }) => {
      if (!changed && (command.input.TransactItems?.length ?? 0) > 10) {
        changed = true;
        await limit(100);
      }
      return send(command as never);
    }) as never;
    await arrive();
    house.database.client.send = send as never;
    expect((await house.inside()).messages).toHaveLength(0);
    expect(await eventsOf('message.refused')).toHaveLength(1);
    expect(house.objects.kept.size).toBe(0);
  });
});

describe('what an organization holds', () => {
  const organization = () => organizationStore(house.database).get(organizationId);
  const set = async (storage_limit: number | null) => {
    const gone = storage_limit === null ? { stored_bytes: null, storage_state: null } : {};
    await organizationStore(house.database).update(
      organizationId,
      { storage_limit, ...gone, updated_at: new Date().toISOString() },
      newDeed(),
    );
  };
  const measure = () =>
    measureStorage({
      ...{ inboxes: inboxStore(house.database), organizations: organizationStore(house.database) },
      ...{
        measurements: measurementStore(house.database),
        due: new MemoryDue(),
        now: house.now,
        ulid: newUlid,
      },
    })['measure-storage']({ kind: 'measure-storage', organization_id: organizationId });

  it('is measured against its limit; a full one takes no mail, and takes it again without the limit', async () => {
    await set(1000);
    for (let n = 0; n < 2; n++) await arrive();
    await measure();
    expect(await organization()).toMatchObject({ stored_bytes: 1000, storage_state: 'full' });
    const [warning, ...more] = await eventsOf('organization.storage_warning');
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ pk: `O#${organizationId}#E`, stored_bytes: 1000, storage_limit: 1000 });
    expect(warning).not.toHaveProperty('uid');
    await arrive();
    expect((await house.inside()).messages).toHaveLength(2);
    await measure();
    expect(await eventsOf('organization.storage_warning')).toHaveLength(1);
    await set(null);
    await arrive();
    expect((await house.inside()).messages).toHaveLength(3);
    expect(await row(organizationKey(organizationId))).not.toHaveProperty('storage_state');
  });

  it('is not noted against a limit that has changed meanwhile', async () => {
    await set(1000);
    const stale = { organization_id: organizationId, storage_limit: 900, before: undefined };
    await measurementStore(house.database).note({ ...stale, stored_bytes: 950, storage_state: 'full' });
    expect(await organization()).not.toHaveProperty('storage_state');
  });
});
