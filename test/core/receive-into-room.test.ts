import { beforeEach, describe, expect, it } from 'vitest';
import { events } from '../../lib/contract/event.ts';
import { receiveMail } from '../../lib/core/receive-mail.ts';
import { inboxRef, mailDomain, sampleMail, sampleNotice } from '../support/mail-samples.ts';
import { MemoryMailbox } from '../support/memory-mailbox.ts';
import {
  address,
  counting,
  MemoryInboxes,
  MemoryObjects,
  MemoryUndeliverable,
  sha256,
} from '../support/memory-ports.ts';

const ada = inboxRef();
const bob = inboxRef('bob');
let mailbox: MemoryMailbox;
let objects: MemoryObjects;
let undeliverable: MemoryUndeliverable;
let receive: ReturnType<typeof receiveMail>;
beforeEach(() => {
  [mailbox, objects, undeliverable] = [new MemoryMailbox(), new MemoryObjects(), new MemoryUndeliverable()];
  const inboxes = new MemoryInboxes();
  for (const one of [ada, bob]) inboxes.add(one);
  receive = receiveMail({
    ...{ inboxes, undeliverable, objects, deliveries: mailbox, mailDomain, sha256 },
    ...{ parser: objects.parser, ulid: counting(), ensureOperatorMailroom: async () => undefined },
    now: () => Date.parse('2026-01-01T00:00:00.000Z'),
  });
});
let serial = 0;
/** A mail of 500 bytes. */
async function arrive(recipients = [address('ada')]) {
  const notice = sampleNotice({ recipients });
  const mail = sampleMail({ subject: `Mail ${++serial}`, message_id: `<${serial}@b>` });
  objects.arrive(notice.key, mail);
  await receive(notice);
  return { notice, mail };
}
const limit = (storage_limit: number, of = ada) => Object.assign(mailbox.of(of).room, { storage_limit });
const stored = (of = ada) => mailbox.of(of).messages.size;

describe('mail for an inbox with a limit', () => {
  it('is counted, refused when it does not fit, and taken again when something was deleted', async () => {
    limit(1200);
    for (let n = 0; n < 2; n++) await arrive();
    const { notice } = await arrive();
    expect([stored(), mailbox.of(ada).room.stored_bytes, objects.incoming.size]).toEqual([2, 1000, 0]);
    expect([...undeliverable.rows.values()]).toMatchObject([
      {
        reason: 'storage_limit',
        recipient: address('ada'),
        ses_message_id: notice.ses_id,
        subject: `Mail ${serial}`,
      },
    ]);
    expect([...objects.kept.keys()].filter((name) => name.endsWith('/raw'))).toHaveLength(2);
    mailbox.of(ada).room.stored_bytes = 0;
    await arrive();
    expect(stored()).toBe(3);
  });

  it('is refused with one event, however often its notice comes, and for good', async () => {
    limit(100);
    const { notice, mail } = await arrive();
    const [event] = mailbox.refusals;
    expect(events['message.refused'].safeParse({ ...event, inbox_uid: ada.uid }).success).toBe(true);
    expect(event).toMatchObject({
      ...{ event_type: 'message.refused', inbox_id: ada.inbox_id, reason: 'storage_limit' },
      ...{ from: 'Bob <bob@sender.test>', subject: `Mail ${serial}`, size: 500 },
      labels: ['received', 'unread'],
    });
    limit(10_000);
    for (let n = 0; n < 2; n++) {
      objects.arrive(notice.key, mail);
      await receive(notice);
    }
    expect([mailbox.refusals.length, undeliverable.rows.size, stored(), objects.incoming.size]).toEqual([
      1, 1, 0, 0,
    ]);
  });

  it('is warned of when four fifths are taken, with the mail that takes them', async () => {
    limit(1250);
    await arrive();
    expect(mailbox.deliveries.at(-1)?.warning).toBeUndefined();
    await arrive();
    const { warning } = mailbox.deliveries.at(-1)!;
    expect(events['inbox.storage_warning'].safeParse({ ...warning, inbox_uid: ada.uid }).success).toBe(true);
    expect(warning).toMatchObject({
      ...{ event_type: 'inbox.storage_warning', inbox_id: ada.inbox_id },
      ...{ stored_bytes: 1000, storage_limit: 1250 },
    });
  });

  it('leaves no objects where another mail took the room while they were put', async () => {
    limit(1000);
    mailbox.of(ada).room.stored_bytes = 400;
    let neighbours = 1;
    mailbox.before = async () => {
      if (neighbours-- > 0) mailbox.of(ada).room.stored_bytes = 900;
    };
    await arrive();
    expect([stored(), mailbox.refusals.length, [...objects.kept]]).toEqual([0, 1, []]);
  });

  it('goes to the others it is for', async () => {
    limit(100);
    await arrive([address('ada'), address('bob')]);
    expect([stored(ada), stored(bob), undeliverable.rows.size]).toEqual([0, 1, 1]);
  });
});

it('mail for an organization that is full is refused in every inbox', async () => {
  Object.assign(mailbox.of(ada).room, { organization_full: true });
  await arrive();
  expect([stored(), mailbox.refusals.length]).toEqual([0, 1]);
});
