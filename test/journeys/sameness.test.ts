import { describe, expect, it, vi } from 'vitest';
import { mailText } from '../support/mail-text.ts';
import { domain, sharedMailroom } from '../support/mailroom.ts';
import { thorough } from '../support/thorough.ts';

vi.setConfig({ testTimeout: 60_000 });
const mailroom = sharedMailroom({
  // A storm: what strikes now and then elsewhere strikes all the time here, and instances die.
  odds: {
    duplicate: 0.4,
    reorder: 0.5,
    delay: 0.3,
    'index-lag': 0.3,
    'transaction-conflict': 0.15,
    throttle: 0.04,
    'partial-batch': 0.2,
    // Whatever the number of mails, some meet one.
    'instance-death': thorough ? 0.025 : 0.06,
  },
});

describe('the same mail', () => {
  it('sent twice is stored once and counted', async () => {
    const inbox = await mailroom.inbox();
    const raw = mailText({ id: 'same@sender.test', to: inbox, subject: 'same bytes' });
    await mailroom.sendRaw(inbox, raw);
    await mailroom.sendRaw(inbox, raw);
    const client = mailroom.client();
    const message = await mailroom.eventually(async () => {
      const found = await mailroom.message(inbox, 'same bytes');
      expect(found.duplicates).toBe(1);
      return found;
    });
    await mailroom.quiet();
    expect((await client.inboxes.messages.get(inbox, message.message_id)).duplicates).toBe(1);
    expect((await client.inboxes.threads.get(inbox, message.thread_id)).message_count).toBe(1);
    // What was stored for the copy before it was known as one is gone again.
    expect(
      (await mailroom.objects(`${mailroom.organization_id}/`)).map((key) =>
        key.split('/').slice(2).join('/'),
      ),
    ).toEqual([`${message.message_id.slice(4)}/raw`]);
  });

  it('sent by two at once to two inboxes is one in each', async () => {
    const inboxes = [await mailroom.inbox(), await mailroom.inbox()];
    const raw = mailText({ id: 'both@sender.test', to: `list@${domain}`, subject: 'to a list' });
    await Promise.all(Array.from({ length: 4 }, () => mailroom.sendRaw(inboxes, raw)));
    for (const inbox of inboxes) {
      await mailroom.eventually(async () =>
        expect((await mailroom.message(inbox, 'to a list')).duplicates).toBe(3),
      );
    }
    await mailroom.quiet();
    for (const inbox of inboxes) await mailroom.messages(inbox, 1);
  });

  it('is another mail when a forger uses its Message-ID for other bytes', async () => {
    const inbox = await mailroom.inbox();
    await mailroom.sendRaw(
      inbox,
      mailText({ id: 'bank@sender.test', to: inbox, subject: 'first', text: 'forged' }),
      'mallory@sender.test',
    );
    await mailroom.sendRaw(
      inbox,
      mailText({ id: 'bank@sender.test', to: inbox, subject: 'second', text: 'genuine' }),
    );
    const messages = await mailroom.messages(inbox, 2);
    expect(messages.map(({ subject }) => subject).sort()).toEqual(['first', 'second']);
    for (const message of messages) expect(message).not.toHaveProperty('duplicates');
  });

  it('sent again after it was deleted is a new one', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    const raw = mailText({ id: 'again@sender.test', to: inbox, subject: 'again' });
    await mailroom.sendRaw(inbox, raw);
    const [first] = await mailroom.messages(inbox, 1);
    await mailroom.quiet();
    await client.inboxes.messages
      .delete(inbox, first!.message_id)
      .catch(({ code }) => expect(code).toBe('not_found'));
    await mailroom.sendRaw(inbox, raw);
    const [second] = await mailroom.messages(inbox, 1);
    expect(second!.message_id).not.toBe(first!.message_id);
  });
});

describe('in a storm', () => {
  const threadsOfEach = thorough ? [0, 1, 2] : [0, 1];
  it('mails to several inboxes are each there exactly once, in their threads', async () => {
    const client = mailroom.client();
    const inboxes = await Promise.all((thorough ? [1, 2, 3, 4, 5] : [1, 2]).map(() => mailroom.inbox()));
    const id = (box: number, thread: number, n: number) => `storm-${box}-${thread}-${n}@sender.test`;
    const mails = inboxes.flatMap((inbox, box) =>
      threadsOfEach.flatMap((thread) =>
        [0, 1, 2, 3].map((n) => ({
          inbox,
          subject: `box ${box} thread ${thread} mail ${n}`,
          raw: mailText({
            id: id(box, thread, n),
            to: inbox,
            subject: `box ${box} thread ${thread} mail ${n}`,
            references: Array.from({ length: n }, (_, before) => id(box, thread, before)),
          }),
        })),
      ),
    );
    await Promise.all(mails.map(({ inbox, raw }) => mailroom.sendRaw(inbox, raw)));
    for (const inbox of inboxes) await mailroom.messages(inbox, 4 * threadsOfEach.length, client);
    await mailroom.quiet();
    for (const [box, inbox] of inboxes.entries()) {
      const messages = await mailroom.messages(inbox, 4 * threadsOfEach.length, client);
      expect(messages.map(({ subject }) => subject).sort()).toEqual(
        mails
          .filter((mail) => mail.inbox === inbox)
          .map(({ subject }) => subject)
          .sort(),
      );
      for (const message of messages) expect(message, message.subject).not.toHaveProperty('duplicates');
      const { threads } = await client.inboxes.threads.list(inbox);
      expect(threads, `threads of box ${box}`).toHaveLength(threadsOfEach.length);
      for (const { thread_id, message_count, labels } of threads) {
        expect({ message_count, labels }).toEqual({ message_count: 4, labels: ['received', 'unread'] });
        const thread = await client.inboxes.threads.get(inbox, thread_id);
        expect(new Set(thread.messages.map(({ subject }) => /thread \d/.exec(subject!)![0])).size).toBe(1);
        expect(thread.messages).toHaveLength(4);
      }
    }
    expect(
      mailroom.printed.filter((line) => line.includes('signal: killed')).length,
      'instances that died',
    ).toBeGreaterThan(0);
  });
});
