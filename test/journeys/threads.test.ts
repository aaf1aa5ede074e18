import { beforeAll, describe, expect, it, vi } from 'vitest';
import { mailText, type MailText } from '../support/mail-text.ts';
import { sharedMailroom } from '../support/mailroom.ts';

vi.setConfig({ testTimeout: 60_000 });
const mailroom = sharedMailroom();

/** Sends one mail and waits until it is there. */
async function receive(inbox: string, mail: MailText & { subject: string }) {
  await mailroom.sendRaw(inbox, mailText({ to: inbox, ...mail }));
  return mailroom.message(inbox, mail.subject);
}
const threadsOf = (inbox: string) => mailroom.client().inboxes.threads.list(inbox);

describe('mails join a thread', () => {
  it('by any id in In-Reply-To or References, however few are left of them', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    const first = await receive(inbox, { id: 'c1@sender.test', subject: 'Lunch?' });
    const second = await receive(inbox, {
      id: 'c2@sender.test',
      subject: 'Re: Lunch?',
      inReplyTo: 'c1@sender.test',
      from: 'Bob <bob@sender.test>',
    });
    // A client that cuts References down to the last one, with another subject.
    const third = await receive(inbox, {
      id: 'c3@sender.test',
      subject: 'Dinner then',
      references: ['c2@sender.test'],
    });
    const fourth = await receive(inbox, {
      subject: 'Late answer',
      references: ['unknown@sender.test', 'c1@sender.test', 'other@sender.test'],
    });
    const thread = await client.inboxes.threads.get(inbox, first.thread_id);
    expect(thread.messages.map(({ message_id }) => message_id)).toEqual(
      [first, second, third, fourth].map(({ message_id }) => message_id),
    );
    expect(thread).toMatchObject({
      ...{
        inbox_id: inbox,
        subject: 'Lunch?',
        message_count: 4,
        last_message_id: fourth.message_id,
        labels: ['received', 'unread'],
      },
      ...{
        senders: ['Alice <alice@sender.test>', 'Bob <bob@sender.test>'],
        recipients: [inbox],
        timestamp: fourth.timestamp,
        received_timestamp: fourth.timestamp,
      },
      size: [first, second, third, fourth].reduce((sum, { size }) => sum + size, 0),
    });
    expect(thread.messages[0]!.text).toBe('Hello.\n');
    expect((await threadsOf(inbox)).threads.map(({ thread_id }) => thread_id)).toEqual([first.thread_id]);
  });

  it('when they arrive in the wrong order', async () => {
    const inbox = await mailroom.inbox();
    const third = await receive(inbox, {
      id: 'o3@sender.test',
      subject: 'three',
      references: ['o1@sender.test', 'o2@sender.test'],
    });
    const first = await receive(inbox, { id: 'o1@sender.test', subject: 'one' });
    const second = await receive(inbox, {
      id: 'o2@sender.test',
      subject: 'two',
      inReplyTo: 'o1@sender.test',
    });
    expect(new Set([first, second, third].map(({ thread_id }) => thread_id)).size).toBe(1);
  });

  it('and a late one that ties two threads joins the older; the other keeps its id', async () => {
    const inbox = await mailroom.inbox();
    const older = await receive(inbox, { id: 't1@sender.test', subject: 'older' });
    const newer = await receive(inbox, {
      id: 't3@sender.test',
      subject: 'newer',
      inReplyTo: 't2@sender.test',
    });
    expect(newer.thread_id).not.toBe(older.thread_id);
    const tie = await receive(inbox, { id: 't2@sender.test', subject: 'tie', inReplyTo: 't1@sender.test' });
    expect(tie.thread_id).toBe(older.thread_id);
    expect(
      (await threadsOf(inbox)).threads.map(({ thread_id, message_count }) => [thread_id, message_count]),
    ).toEqual([
      [older.thread_id, 2],
      [newer.thread_id, 1],
    ]);
    const later = await receive(inbox, {
      subject: 'later',
      references: ['t1@sender.test', 't2@sender.test', 't3@sender.test'],
    });
    expect(later.thread_id).toBe(older.thread_id);
  });

  it('but a stranger with the same subject never does', async () => {
    const inbox = await mailroom.inbox();
    const mine = await receive(inbox, { id: 's1@sender.test', subject: 'Invoice 17' });
    await mailroom.sendRaw(
      inbox,
      mailText({
        id: 's2@sender.test',
        to: inbox,
        subject: 'Re: Invoice 17',
        from: 'Mallory <m@sender.test>',
      }),
    );
    await mailroom.sendRaw(
      inbox,
      mailText({ id: 's3@sender.test', to: inbox, subject: 'Invoice 17', from: 'Mallory <m@sender.test>' }),
    );
    const { threads } = await mailroom.eventually(async () => {
      const page = await threadsOf(inbox);
      expect(page.threads).toHaveLength(3);
      return page;
    });
    expect(threads.map(({ message_count }) => message_count)).toEqual([1, 1, 1]);
    expect((await mailroom.client().inboxes.threads.get(inbox, mine.thread_id)).senders).toEqual([
      'Alice <alice@sender.test>',
    ]);
  });

  it('and never that of another inbox', async () => {
    const [one, two] = [await mailroom.inbox(), await mailroom.inbox()];
    const there = await receive(one, { id: 'x1@sender.test', subject: 'here' });
    const here = await receive(two, { id: 'x2@sender.test', subject: 'there', inReplyTo: 'x1@sender.test' });
    expect(here.thread_id).not.toBe(there.thread_id);
    await expect(mailroom.client().inboxes.threads.get(two, there.thread_id)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('of the mail that they report as undeliverable', async () => {
    const inbox = await mailroom.inbox();
    const reported = await receive(inbox, { id: 'd1@sender.test', subject: 'Will bounce' });
    const report = [
      'From: Mail Delivery <MAILER-DAEMON@sender.test>', `To: ${inbox}`, 'Subject: Undelivered', 'Message-ID: <dsn@sender.test>', 'Auto-Submitted: auto-replied', 'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', '', '--b', 'Content-Type: text/plain', '', 'It could not be delivered.', '',
      '--b', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; mx.sender.test', '', 'Final-Recipient: rfc822; nobody@sender.test', 'Action: failed', 'Status: 5.1.1', '',
      '--b', 'Content-Type: text/rfc822-headers', '', `From: ${inbox}`, 'Subject: Will bounce', 'Message-ID: <d1@sender.test>', '', '--b--', '',
    ].join('\n'); // prettier-ignore
    await mailroom.sendRaw(inbox, report, '');
    const message = await mailroom.message(inbox, 'Undelivered');
    expect(message.thread_id).toBe(reported.thread_id);
    expect(message.text).toContain('It could not be delivered.');
  });
});

describe('a thread', () => {
  it('is listed by its last activity, filtered, labelled and found without its inbox', async () => {
    const { client } = await mailroom.organization();
    const inbox = await mailroom.inbox(client);
    const send = async (subject: string, more: MailText = {}) => {
      await mailroom.sendRaw(inbox, mailText({ to: inbox, subject, ...more }));
      return mailroom.message(inbox, subject, client);
    };
    const a = await send('Apples', { id: 'l1@sender.test' });
    const b = await send('Bananas', { from: 'Bob <bob@sender.test>' });
    await send('More apples', { inReplyTo: 'l1@sender.test' });
    const subjects = (page: { threads: { subject?: string | undefined }[] }) =>
      page.threads.map(({ subject }) => subject);
    expect(subjects(await client.inboxes.threads.list(inbox))).toEqual(['Apples', 'Bananas']);
    expect(subjects(await client.inboxes.threads.list(inbox, { ascending: true }))).toEqual([
      'Bananas',
      'Apples',
    ]);
    expect(subjects(await client.inboxes.threads.list(inbox, { senders: ['bob'] }))).toEqual(['Bananas']);
    expect(subjects(await client.inboxes.threads.list(inbox, { subject: ['apples'] }))).toEqual(['Apples']);
    expect(
      (
        await client.inboxes.threads.update(inbox, a.thread_id, {
          add_labels: ['Fruit'],
          remove_labels: ['unread'],
        })
      ).labels,
    ).toEqual(['fruit', 'received']);
    expect(subjects(await client.inboxes.threads.list(inbox, { labels: ['fruit'] }))).toEqual(['Apples']);
    expect(subjects(await client.inboxes.threads.list(inbox, { labels: ['unread'] }))).toEqual(['Bananas']);
    for (const { labels } of (await client.inboxes.threads.get(inbox, a.thread_id)).messages)
      expect(labels.toSorted()).toEqual(['fruit', 'received']);
    // The organization's list is an index, which may be a little behind.
    await mailroom.eventually(async () =>
      expect(subjects(await client.threads.list())).toEqual(['Apples', 'Bananas']),
    );
    expect((await client.threads.get(b.thread_id)).messages.map(({ message_id }) => message_id)).toEqual([
      b.message_id,
    ]);
    expect((await client.threads.update(b.thread_id, { add_labels: ['yellow'] })).labels).toContain('yellow');
    await mailroom.eventually(async () =>
      expect(subjects(await client.threads.list({ labels: ['yellow'] }))).toEqual(['Bananas']),
    );
    const { client: stranger } = await mailroom.organization();
    for (const call of [
      () => stranger.threads.get(b.thread_id),
      () => stranger.threads.update(b.thread_id, { add_labels: ['x'] }),
      () => stranger.threads.delete(b.thread_id),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'not_found', status: 404 });
    }
    expect((await stranger.threads.list()).threads).toEqual([]);
  });

  it('is gone with its messages, rows and objects when it is deleted, and comes anew with the next mail', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    const first = await receive(inbox, { id: 'g1@sender.test', subject: 'going' });
    const second = await receive(inbox, { subject: 'gone', inReplyTo: 'g1@sender.test' });
    expect(await client.threads.delete(first.thread_id)).toBeUndefined();
    for (const { message_id } of [first, second])
      await expect(client.inboxes.messages.get(inbox, message_id)).rejects.toMatchObject({
        code: 'not_found',
      });
    expect(await threadsOf(inbox)).toMatchObject({ count: 0 });
    expect(await client.inboxes.messages.list(inbox)).toMatchObject({ count: 0 });
    await expect(client.threads.delete(first.thread_id)).rejects.toMatchObject({ code: 'not_found' });
    await objectsGone(first.message_id, second.message_id);
    const third = await receive(inbox, { subject: 'back', references: ['g1@sender.test'] });
    expect(third.thread_id).not.toBe(first.thread_id);
    expect((await threadsOf(inbox)).threads.map(({ subject }) => subject)).toEqual(['back']);
  });
});

/** Objects go with the due work of a later minute. */
const objectsGone = (...messageIds: string[]) =>
  mailroom.eventually(async () => {
    const keys = await mailroom.objects(`${mailroom.organization_id}/`);
    expect(keys.filter((key) => messageIds.some((id) => key.includes(id.slice(4))))).toEqual([]);
  });

describe('a long thread', () => {
  // More than are changed at once (20).
  const length = 26;
  let inbox: string;
  let thread_id: string;
  beforeAll(async () => {
    inbox = await mailroom.inbox();
    const mails = Array.from({ length }, (_, n) =>
      mailText({
        id: `long-${n}@sender.test`,
        to: inbox,
        subject: `Long ${n}`,
        references: ['long-0@sender.test'],
      }),
    );
    await Promise.all(mails.map((mail) => mailroom.sendRaw(inbox, mail)));
    await mailroom.messages(inbox, length);
    const { threads } = await threadsOf(inbox);
    expect(threads).toMatchObject([{ message_count: length }]);
    thread_id = threads[0]!.thread_id;
  });

  it('is read page by page, the newest first and old to new within', async () => {
    const client = mailroom.client();
    const newest = await client.inboxes.threads.get(inbox, thread_id, { limit: 20 });
    const rest = await client.inboxes.threads.get(inbox, thread_id, {
      limit: 20,
      page_token: newest.next_page_token!,
    });
    expect([newest.count, rest.count, rest.next_page_token]).toEqual([20, 6, undefined]);
    const ids = [...rest.messages, ...newest.messages].map(({ message_id }) => message_id);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(newest.messages.at(-1)!.message_id).toBe(newest.last_message_id);
    await expect(client.inboxes.threads.get(inbox, thread_id, { limit: 101 })).rejects.toMatchObject({
      code: 'validation_error',
    });
  });

  it('is labelled in the background, and says so', async () => {
    const client = mailroom.client();
    expect(
      await client.inboxes.threads.update(inbox, thread_id, {
        add_labels: ['done'],
        remove_labels: ['unread'],
      }),
    ).toEqual({ thread_id, labels: ['done', 'received'], pending: true });
    await mailroom.eventually(async () => {
      expect((await client.inboxes.messages.list(inbox, { labels: ['done'], limit: 100 })).count).toBe(
        length,
      );
    });
    expect((await client.inboxes.messages.list(inbox, { labels: ['unread'], limit: 100 })).count).toBe(0);
    expect((await client.inboxes.threads.get(inbox, thread_id)).labels).toEqual(['done', 'received']);
  });

  it('is deleted in the background, and out of the lists of threads at once', async () => {
    const client = mailroom.client();
    const ids = (await mailroom.messages(inbox, length)).map(({ message_id }) => message_id);
    expect(await client.inboxes.threads.delete(inbox, thread_id)).toEqual({ thread_id, pending: true });
    await expect(client.inboxes.threads.get(inbox, thread_id)).rejects.toMatchObject({ code: 'not_found' });
    expect((await threadsOf(inbox)).count).toBe(0);
    await mailroom.eventually(async () => {
      expect((await client.inboxes.messages.list(inbox)).count).toBe(0);
    });
    await objectsGone(...ids);
  });
});
