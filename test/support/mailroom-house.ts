import { setTimeout as wait } from 'node:timers/promises';
import { deliveryStore } from '../../lib/adapters/dynamo/delivery-store.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { mailboxStore } from '../../lib/adapters/dynamo/mailbox-store.ts';
import { ensureOperatorMailroom } from '../../lib/adapters/dynamo/organization-store.ts';
import { undeliverableStore } from '../../lib/adapters/dynamo/undeliverable-store.ts';
import { newUlid } from '../../lib/adapters/ulids.ts';
import type { Notice } from '../../lib/contract/notice.ts';
import type { ParsedMail } from '../../lib/core/mail.ts';
import { receiveMail } from '../../lib/core/receive-mail.ts';
import type { Weather } from '../../lib/local/weather.ts';
import { inboxRef, mailDomain, organizationId, sampleMail, sampleNotice } from './mail-samples.ts';
import { MemoryObjects, sha256 } from './memory-ports.ts';
import { settle, tableHouse } from './table-house.ts';

/** The table with an organization, an inbox and everything that takes mail in; objects are in memory. */
export async function mailroomHouse(more: { weather?: Weather } = {}) {
  const house = await tableHouse(more);
  const objects = new MemoryObjects();
  const inbox = inboxRef();
  await settle(house, organizationId, inbox);
  const { database, now } = house;
  const receive = receiveMail({
    inboxes: inboxStore(database),
    undeliverable: undeliverableStore(database, now),
    deliveries: deliveryStore(database, now),
    ensureOperatorMailroom: ensureOperatorMailroom(database, mailDomain, now),
    parser: objects.parser,
    ...{ objects, mailDomain, sha256, now },
    ulid: newUlid,
  });
  /** As SQS does: a notice that failed is delivered again. */
  const deliver = async (notice: Notice): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await receive(notice);
      } catch (error) {
        if (attempt === 5) throw error;
        await wait(Math.random() * 20);
      }
    }
  };
  /** Lets a mail arrive and takes it in. */
  const arrive = async (mail: Partial<ParsedMail> = {}, notice: Partial<Notice> = {}): Promise<Notice> => {
    const told = sampleNotice(notice);
    objects.arrive(told.key, sampleMail(mail));
    await deliver(told);
    return told;
  };
  const mailbox = mailboxStore(database, now);
  /** What the table holds of the inbox, by kind of row. */
  const inside = async () => {
    const rows = await house.rows();
    const of = (prefix: string) =>
      rows.filter(
        ({ pk, sk }) => pk === `O#${organizationId}#I#${inbox.uid}` && String(sk).startsWith(prefix),
      );
    return {
      messages: of('M#'),
      threads: of('T#'),
      bodies: of('B#'),
      names: of('R#'),
      events: rows.filter(({ row_type }) => row_type === 'event'),
      lines: rows.filter(({ row_type }) => row_type === 'line'),
      all: rows,
    };
  };
  return { ...house, ...{ house, objects, inbox, receive, deliver, arrive, mailbox, inside } };
}
export type MailroomHouse = Awaited<ReturnType<typeof mailroomHouse>>;
