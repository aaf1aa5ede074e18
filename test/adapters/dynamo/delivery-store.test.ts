import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deliveryStore } from '../../../lib/adapters/dynamo/delivery-store.ts';
import { inboxKey, wireIdKey } from '../../../lib/adapters/dynamo/keys.ts';
import { updateMessage } from '../../../lib/core/update-messages.ts';
import { maxLabels } from '../../../lib/contract/label.ts';
import { maxWrites } from '../../../lib/core/mail-ports.ts';
import { deleteThread } from '../../../lib/core/change-threads.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { newRemoval } from '../../../lib/core/removal.ts';
import { newUlid } from '../../../lib/adapters/ulids.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import { callIn, newDeed, pass, sampleMail, sampleNotice } from '../../support/mail-samples.ts';
import { address } from '../../support/memory-ports.ts';
import { mailroomHouse, type MailroomHouse } from '../../support/mailroom-house.ts';

let house: MailroomHouse;
beforeEach(async () => {
  house = await mailroomHouse();
});
afterEach(() => house.close());
const reads = () =>
  house
    .counted()
    .filter(({ action }) => action !== 'TransactWriteItems')
    .map(({ action }) => action);

describe('taking a mail in', () => {
  it('costs two reads and one transaction, three where it joins a thread', async () => {
    house.house.forget();
    await house.arrive({ message_id: '<1@b>' });
    expect(house.counted().map(({ action }) => action)).toEqual([
      'BatchGetItem',
      'BatchGetItem',
      'TransactWriteItems',
    ]);
    const first = house.sent.at(-1)!.input.TransactItems.length as number;
    house.house.forget();
    await house.arrive({ message_id: '<2@b>', in_reply_to: '<1@b>', references: ['<0@b>', '<1@b>'] });
    expect(house.counted().map(({ action }) => action)).toEqual([
      'BatchGetItem',
      'BatchGetItem',
      'BatchGetItem',
      'TransactWriteItems',
    ]);
    expect(first).toBe(17);
    // Small rows are what makes it cheap: two units for each of them, none over a kilobyte but its thread's and its own.
    expect(house.counted().at(-1)?.writeUnits).toBeLessThan(2 * (first + 8));
  });

  it('a repeat costs two reads', async () => {
    const notice = await house.arrive({ message_id: '<1@b>' });
    house.objects.arrive(notice.key, sampleMail({ message_id: '<1@b>' }));
    house.house.forget();
    await house.deliver(notice);
    expect(reads()).toEqual(['BatchGetItem', 'BatchGetItem']);
    expect(house.counted()).toHaveLength(2);
  });

  it('writes message, body, thread, lists, event and the line of the ledger together', async () => {
    await house.arrive({ message_id: '<1@b>', references: ['<0@b>'], html: '<b>Hello</b>' });
    const { messages, bodies, threads, names, events, lines } = await house.inside();
    expect(lines).toMatchObject([
      {
        ...{ action: 'messages.receive', outcome: 'allowed', principal: { kind: 'system' } },
        ...{
          inbox_uid: house.inbox.uid,
          resources: [messages[0]?.['message_id'], messages[0]?.['thread_id']],
        },
      },
    ]);
    expect([messages.length, bodies.length, threads.length, names.length, events.length]).toEqual([
      1, 1, 1, 4, 1,
    ]);
    const message_id = String(messages[0]?.['message_id']);
    expect(await house.mailbox.message(house.inbox, message_id)).toMatchObject({
      rfc822_message_id: '<1@b>',
      body: 'row',
    });
    expect((await house.mailbox.bodies(house.inbox, [message_id])).get(message_id)).toMatchObject({
      text: 'Hello',
      html: '<b>Hello</b>',
    });
    const { entries } = await house.mailbox.entries(
      house.inbox,
      { of: 'messages', label: 'unread' },
      { ascending: true, limit: 5 },
    );
    expect(entries).toEqual([
      { ulid: message_id.slice(4), message_id, thread_id: threads[0]?.['thread_id'], hidden: [] },
    ]);
    expect(events[0]).toMatchObject({ event_type: 'message.received', message_id, uid: house.inbox.uid });
    expect(Number(events[0]?.['expires']) * 1000 - house.now()).toBeGreaterThan(29 * 24 * 3600_000);
  });

  it('to an inbox that is gone changes nothing there, and is undeliverable', async () => {
    await house.database.client.send(
      new DeleteCommand({ TableName: 'mailroom', Key: inboxKey(house.inbox) }),
    );
    const before = (await house.rows()).length;
    await house.arrive({ message_id: '<1@b>' });
    const rows = await house.rows();
    expect(rows).toHaveLength(before + 1);
    expect(rows.find(({ pk }) => String(pk).startsWith('LOST#'))).toMatchObject({
      recipient: house.inbox.inbox_id,
      reason: 'inbox_deleted',
    });
    expect(house.objects.kept.size).toBe(0);
  });

  it('to an organization that is being deleted leaves no more than that it came', async () => {
    const { organization_id } = house.inbox;
    const removal = newRemoval(house.now(), { organization_id, what: organization_id });
    await organizationStore(house.database).takeDown(removal, newDeed());
    const before = (await house.rows()).length;
    await house.arrive({ message_id: '<1@b>' });
    const rows = await house.rows();
    expect(rows).toHaveLength(before + 1);
    expect(rows.find(({ pk }) => String(pk).startsWith('LOST#'))).toMatchObject({ reason: 'inbox_deleted' });
    expect(house.objects.kept.size).toBe(0);
  });
});

describe('the same mail at once', () => {
  it.each([
    ['calm', undefined],
    [
      'bad',
      badWeather(11, { 'transaction-conflict': 0.25, throttle: 0.05, 'partial-batch': 0.3, reorder: 0.5 }),
    ],
  ])('is one message, each copy counted once, in %s weather', async (_, weather) => {
    const place = await mailroomHouse(weather === undefined ? {} : { weather });
    const notices = Array.from({ length: 10 }, () => sampleNotice());
    const twice = [...notices, ...notices];
    for (const { key } of notices) place.objects.arrive(key, sampleMail({ message_id: '<1@b>' }));
    await Promise.all(twice.map((notice) => place.deliver(notice)));
    const { messages, threads, events, bodies } = await place.inside();
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ duplicates: 9 });
    expect((await place.inside()).lines).toHaveLength(1);
    expect([threads.length, events.length, bodies.length, place.objects.kept.size]).toEqual([1, 1, 1, 1]);
    expect(threads[0]).toMatchObject({ visible: { count: 1 } });
    await place.close();
  });

  it('is a mail of its own after three days', async () => {
    await house.arrive({ message_id: '<1@b>' });
    house.cloud.clock.advance(3 * 24 * 3600_000 - 60_000);
    await house.arrive({ message_id: '<1@b>' });
    expect((await house.inside()).messages).toMatchObject([{ duplicates: 1 }]);
    house.cloud.clock.advance(120_000);
    await house.arrive({ message_id: '<1@b>' });
    expect((await house.inside()).messages).toHaveLength(2);
  });

  it('is a mail of its own after the first was deleted', async () => {
    const first = await house.arrive({ message_id: '<1@b>' });
    const [message] = (await house.inside()).messages;
    await deleteThread({ mailbox: house.mailbox, now: house.now, ulid: newUlid })({
      ...callIn(house.inbox),
      path: { inbox_id: house.inbox.inbox_id, thread_id: String(message?.['thread_id']) },
      query: undefined,
      body: undefined,
    });
    expect((await house.inside()).messages).toEqual([]);
    // Its own notice again brings nothing back.
    house.objects.arrive(first.key, sampleMail({ message_id: '<1@b>' }));
    await house.deliver(first);
    expect((await house.inside()).messages).toEqual([]);
    await house.arrive({ message_id: '<1@b>' });
    expect((await house.inside()).messages).toHaveLength(1);
  });

  it('counted while its labels change loses neither', async () => {
    await house.arrive({ message_id: '<1@b>' });
    const message_id = String((await house.inside()).messages[0]?.['message_id']);
    const deps = { mailbox: house.mailbox, now: () => Date.parse('2026-01-01T00:00:00.000Z'), ulid: newUlid };
    const label = (name: string) =>
      updateMessage(deps)({
        ...callIn(house.inbox),
        path: { inbox_id: house.inbox.inbox_id, message_id },
        query: undefined,
        body: { add: [name], remove: [] },
      });
    await Promise.all(
      Array.from({ length: 6 }, (_, n) => [house.arrive({ message_id: '<1@b>' }), label(`l${n}`)]).flat(),
    );
    expect(await house.mailbox.message(house.inbox, message_id)).toMatchObject({
      duplicates: 6,
      labels: expect.arrayContaining(['l0', 'l1', 'l2', 'l3', 'l4', 'l5']) as string[],
    });
  });
});

describe('one thread', () => {
  it.each([
    ['calm', undefined],
    ['bad', badWeather(3, { 'transaction-conflict': 0.25, throttle: 0.05, 'partial-batch': 0.3 })],
  ])('takes 20 mails at once in %s weather', async (_, weather) => {
    const place = await mailroomHouse(weather === undefined ? {} : { weather });
    const notices = Array.from({ length: 20 }, () => sampleNotice());
    for (const [n, { key }] of notices.entries())
      place.objects.arrive(
        key,
        sampleMail({ message_id: `<${n}@b>`, references: ['<root@b>'], from: `s${n}@b.test` }),
      );
    await Promise.all(notices.map((notice) => place.deliver(notice)));
    const { messages, threads } = await place.inside();
    expect(messages).toHaveLength(20);
    expect(threads).toHaveLength(1);
    expect(threads[0]).toMatchObject({
      version: 20,
      visible: { count: 20, labels: { received: 20, unread: 20 } },
    });
    expect(new Set((threads[0]?.['visible'] as { senders: string[] }).senders).size).toBe(20);
    const listed = await place.mailbox.entries(
      place.inbox,
      { of: 'threads' },
      { ascending: false, limit: 10 },
    );
    expect(listed.entries).toHaveLength(1);
    expect(`msg_${listed.entries[0]?.ulid}`).toBe(
      (threads[0]?.['visible'] as { last: { message_id: string } }).last.message_id,
    );
    await place.close();
  });

  it('of many mails is tied by ids that are kept where they led', async () => {
    await house.arrive({ message_id: '<1@b>' });
    await house.arrive({ message_id: '<2@b>' });
    await house.arrive({ message_id: '<3@b>', references: ['<2@b>', '<1@b>'] });
    const [one, two, three] = (await house.inside()).messages;
    expect(three?.['thread_id']).toBe(one?.['thread_id']);
    const led = await deliveryStore(house.database, house.now).acquaint(house.inbox, {
      ses_id: 'x',
      rfc822_message_id: '',
      digest: '',
      ids: ['<1@b>', '<2@b>', '<3@b>', '<9@b>'],
    });
    expect(led.threads).toEqual(
      new Map([
        ['<1@b>', one?.['thread_id']],
        ['<2@b>', two?.['thread_id']],
        ['<3@b>', one?.['thread_id']],
      ]),
    );
  });
});

describe('the writes of one transaction', () => {
  const many = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}${n}`);

  it('are never too many, whatever a mail refers to and a thread carries', async () => {
    await house.arrive({ message_id: '<0@b>' }, { verdicts: { ...pass, spam: 'FAIL', dmarc: 'FAIL' } });
    const [message] = (await house.inside()).messages;
    const deps = { mailbox: house.mailbox, now: house.now, ulid: newUlid };
    const path = { inbox_id: house.inbox.inbox_id, message_id: String(message?.['message_id']) };
    // A thread with every label of its own there may be, and every word of the mailroom's.
    await updateMessage(deps)({
      ...callIn(house.inbox),
      path,
      query: undefined,
      body: { add: [...many('label', maxLabels), 'trash', 'blocked'], remove: [] },
    });
    const stored = (await house.mailbox.message(house.inbox, path.message_id))!;
    const thread = (await house.mailbox.thread(house.inbox, stored.thread_id))!;
    const words = [
      'sent',
      'delivered',
      'opened',
      'bounced',
      'complained',
      'delayed',
      'rejected',
      'scheduled',
    ];
    await house.database.client.send(
      new PutCommand({
        TableName: 'mailroom',
        Item: {
          pk: `O#${thread.organization_id}#I#${thread.uid}`,
          sk: `T#${thread.thread_id}`,
          v: 1,
          ...thread,
          hidden: {
            ...thread.hidden,
            labels: { ...thread.hidden.labels, ...Object.fromEntries(words.map((word) => [word, 1])) },
          },
        },
      }),
    );
    house.house.forget();
    await house.arrive(
      { message_id: '<9@b>', in_reply_to: '<0@b>', references: many('<r', 100).map((id) => `${id}@b>`) },
      { verdicts: { ...pass, spam: 'FAIL', dmarc: 'FAIL' } },
    );
    const items = house.sent.findLast(({ name }) => name === 'TransactWrite')!.input.TransactItems as {
      Put?: { Item: Record<string, unknown> };
    }[];
    expect(items).toHaveLength(maxWrites);
    const { messages, names } = await house.inside();
    expect(messages).toHaveLength(2);
    // What is kept of the ids is the mail's own and the newest of its chain.
    const kept = new Set(names.map(({ sk }) => sk));
    for (const id of ['<9@b>', '<r99@b>', '<r90@b>'])
      expect(kept.has(wireIdKey(house.inbox, id).sk)).toBe(true);
    expect(kept.size).toBeGreaterThan(25);
    await house.arrive({ message_id: '<10@b>', references: ['<r99@b>'] });
    expect(new Set((await house.inside()).messages.map((row) => row['thread_id'])).size).toBe(1);
  });

  it('are all there for an ordinary mail with a long chain', async () => {
    await house.arrive({ message_id: '<9@b>', references: many('<r', 60).map((id) => `${id}@b>`) });
    const kept = new Set((await house.inside()).names.map(({ sk }) => sk));
    for (const id of ['<r0@b>', '<r19@b>', '<r40@b>', '<r59@b>'])
      expect(kept.has(wireIdKey(house.inbox, id).sk)).toBe(true);
    expect(kept.has(wireIdKey(house.inbox, '<r30@b>').sk)).toBe(false);
  });
});

describe('rows', () => {
  it('stay small for the most hostile mail', async () => {
    const addresses = Array.from(
      { length: 1000 },
      (_, n) => `"${'é'.repeat(400)}" <${'a'.repeat(200)}${n}@b.test>`,
    );
    for (let n = 0; n < 4; n++) {
      await house.arrive({
        message_id: `<${n}@b>`,
        references: Array.from({ length: 100 }, (_, at) => `<${'r'.repeat(960)}${at}@b>`),
        ...{ to: addresses, cc: addresses, bcc: addresses, reply_to: addresses, from: addresses.join(', ') },
        subject: 'ß'.repeat(998),
        attachments: Array.from({ length: 500 }, (_, at) => ({
          filename: '💣'.repeat(120),
          content_id: 'c'.repeat(990),
          size: at,
          path: '/tmp/x',
        })),
      });
    }
    const sizes = (await house.rows())
      .map((row) => [Buffer.byteLength(JSON.stringify(row)), `${row['sk']}`] as const)
      .sort(([a], [b]) => b - a);
    expect(sizes[0]![0]).toBeLessThan(300_000);
    expect((await house.inside()).messages).toHaveLength(4);
  });

  it('of ordinary mail are a kilobyte or two', async () => {
    await house.arrive(
      { message_id: '<1@b>', text: 'Dear Ada, '.repeat(500), subject: 'Hello' },
      { recipients: [address('ada'), address('nobody')] },
    );
    const { all } = await house.inside();
    for (const row of all)
      expect([JSON.stringify(row).length, row['sk']]).toEqual([expect.any(Number), row['sk']]);
    expect(Math.max(...all.map((row) => JSON.stringify(row).length))).toBeLessThan(2500);
  });
});
