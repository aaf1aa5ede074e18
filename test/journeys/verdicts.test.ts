import { describe, expect, it } from 'vitest';
import { domain, sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();
const pass = { spf: 'PASS', dkim: 'GRAY', dmarc: 'PASS', spam: 'PASS', virus: 'PASS', from_aligned: true };

const signed = () => {
  const { domain: domainName, selector: keySelector, privateKey } = mailroom.cloud.senderKey;
  return { dkim: { domainName, keySelector, privateKey } };
};
const gtube = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X';
// In two pieces, or a virus scanner takes this file away.
const eicar = String.raw`X5O!P%@AP[4\PZX54(P^)7CC)7}$` + 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*';

describe('who sent a mail', () => {
  it.each([
    ['signed by sender.test', {}, 'signed', ['received', 'unread'], { ...pass, dkim: 'PASS' }],
    ['unsigned from sender.test', {}, '', ['received', 'unread'], pass],
    [
      'signed by sender.test from a host that is not its own',
      { envelope: 'x@forger.test' },
      'signed',
      ['received', 'unread'],
      { ...pass, spf: 'FAIL', dkim: 'PASS' },
    ],
    [
      'from forger.test, which nobody may say to be',
      { from: 'ceo@forger.test', envelope: 'ceo@forger.test' },
      '',
      ['received', 'unauthenticated', 'unread'],
      { ...pass, spf: 'FAIL', dmarc: 'FAIL', dmarc_policy: 'reject', from_aligned: false },
    ],
    [
      'in the name of forger.test, from sender.test',
      { from: 'ceo@forger.test' },
      'signed',
      ['received', 'unauthenticated', 'unread'],
      { ...pass, dmarc: 'FAIL', dmarc_policy: 'reject', from_aligned: false },
    ],
    [
      'in the name of sender.test, from forger.test',
      { envelope: 'ceo@forger.test' },
      '',
      ['received', 'unauthenticated', 'unread'],
      { ...pass, spf: 'FAIL', dmarc: 'FAIL', dmarc_policy: 'reject', from_aligned: false },
    ],
    [
      'from nopolicy.test, which says nothing',
      { from: 'x@nopolicy.test', envelope: 'x@nopolicy.test' },
      '',
      ['received', 'unauthenticated', 'unread'],
      { ...pass, spf: 'GRAY', dmarc: 'GRAY', from_aligned: false },
    ],
    [
      'in the name of nopolicy.test, from sender.test',
      { from: 'x@nopolicy.test' },
      'signed',
      ['received', 'unread'],
      { ...pass, dmarc: 'GRAY', from_aligned: false },
    ],
  ])(
    'is told of one %s',
    async (
      subject,
      { from = 'alice@sender.test', envelope = 'alice@sender.test' }: { from?: string; envelope?: string },
      dkim,
      labels,
      authentication,
    ) => {
      const inbox = await mailroom.inbox();
      await mailroom.send({
        ...{ from, to: inbox, subject },
        envelope: { from: envelope, to: inbox },
        ...(dkim === 'signed' && signed()),
      });
      const message = await mailroom.message(inbox, subject);
      expect(message.labels.toSorted()).toEqual(labels);
      expect(message.authentication).toEqual(authentication);
    },
  );

  it('is not told by headers the sender wrote', async () => {
    const inbox = await mailroom.inbox();
    const forged =
      'Authentication-Results: amazonses.com; spf=pass; dkim=pass header.i=@forger.test; dmarc=pass header.from=forger.test;\nX-SES-Spam-Verdict: PASS\nX-SES-Virus-Verdict: PASS\nReceived-SPF: pass';
    await mailroom.sendRaw(
      inbox,
      `${forged}\nFrom: ceo@forger.test\nTo: ${inbox}\nSubject: forged headers\n\n${gtube}\n`,
      'ceo@forger.test',
    );
    const message = await mailroom.message(inbox, 'forged headers');
    expect(message.labels.toSorted()).toEqual(['received', 'spam', 'unauthenticated', 'unread']);
    expect(message.authentication).toMatchObject({
      spf: 'FAIL',
      dmarc: 'FAIL',
      spam: 'FAIL',
      from_aligned: false,
    });
  });
});

describe('spam, forgeries and viruses', () => {
  const send = async (inbox: string) => {
    await mailroom.send({ to: inbox, subject: 'good' });
    await mailroom.send({ to: inbox, subject: 'spam', text: gtube });
    await mailroom.send({
      from: 'ceo@forger.test',
      to: inbox,
      subject: 'forged',
      envelope: { from: 'ceo@forger.test', to: inbox },
    });
    await mailroom.send({
      to: inbox,
      subject: 'virus',
      text: 'See the attachment.',
      attachments: [{ filename: 'eicar.com', content: eicar }],
    });
    const all = { include_spam: true, include_unauthenticated: true, include_blocked: true };
    const messages = await mailroom.messages(inbox, 4, mailroom.client(), all);
    return new Map(messages.map((message) => [message.subject!, message]));
  };
  const subjects = (page: { messages: { subject?: string | undefined }[] }) =>
    page.messages.map(({ subject }) => subject).sort();

  it('are hidden unless asked for, one by one', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    await send(inbox);
    const list = async (query: object) => subjects(await client.inboxes.messages.list(inbox, query));
    expect(await list({})).toEqual(['good']);
    expect(await list({ include_spam: true })).toEqual(['good', 'spam']);
    expect(await list({ include_unauthenticated: true })).toEqual(['forged', 'good']);
    expect(await list({ include_blocked: true })).toEqual(['good', 'virus']);
    expect(await list({ include_trash: true })).toEqual(['good']);
    expect(await list({ labels: ['unread'] })).toEqual(['good']);
    expect(await list({ labels: ['unread'], include_spam: true })).toEqual(['good', 'spam']);
    expect(await list({ labels: ['spam'], include_spam: true })).toEqual(['spam']);
    const threads = async (query: object) =>
      (await client.inboxes.threads.list(inbox, query)).threads.map(({ subject }) => subject).sort();
    expect(await threads({})).toEqual(['good']);
    expect(await threads({ include_spam: true, include_blocked: true })).toEqual(['good', 'spam', 'virus']);
    expect(
      (await client.threads.list({ limit: 100 })).threads
        .filter((thread) => thread.inbox_id === inbox)
        .map(({ subject }) => subject),
    ).not.toContain('spam');
  });

  it('are not there for a key without the permission', async () => {
    const inbox = await mailroom.inbox();
    const messages = await send(inbox);
    const reader = await mailroom.clientWith({
      message_read: true,
      message_update: true,
      label_spam_read: true,
    });
    expect(
      subjects(
        await reader.inboxes.messages.list(inbox, {
          include_spam: true,
          include_unauthenticated: true,
          include_blocked: true,
        }),
      ),
    ).toEqual(['good', 'spam']);
    for (const subject of ['forged', 'virus']) {
      const { message_id, thread_id } = messages.get(subject)!;
      for (const call of [
        () => reader.inboxes.messages.get(inbox, message_id),
        () => reader.inboxes.messages.getRaw(inbox, message_id),
        () =>
          reader.inboxes.messages.update(inbox, message_id, {
            remove_labels: ['unauthenticated', 'blocked'],
          }),
        () => reader.inboxes.threads.get(inbox, thread_id),
        () => reader.threads.get(thread_id),
      ])
        await expect(call()).rejects.toMatchObject({ code: 'not_found', status: 404 });
    }
    const ids = [...messages.values()].map(({ message_id }) => message_id);
    expect(subjects(await reader.inboxes.messages.batchGet(inbox, ids))).toEqual(['good', 'spam']);
    await expect(reader.inboxes.messages.delete(inbox, ids[0]!)).rejects.toMatchObject({
      code: 'missing_permission',
      status: 403,
    });
  });

  it('of a virus nothing is handed out but that it came', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    const { message_id, thread_id } = (await send(inbox)).get('virus')!;
    const message = await client.inboxes.messages.get(inbox, message_id);
    expect(message).toMatchObject({
      subject: 'virus',
      from: 'Alice <alice@sender.test>',
      authentication: { virus: 'FAIL' },
    });
    expect(message.labels.toSorted()).toEqual(['blocked', 'received', 'unread']);
    for (const member of ['text', 'html', 'extracted_text', 'preview', 'attachments', 'text_url'])
      expect(message).not.toHaveProperty(member);
    const quarantined = { code: 'quarantined', status: 403, detail: { fix: expect.any(String) } };
    await expect(client.inboxes.messages.getRaw(inbox, message_id)).rejects.toMatchObject(quarantined);
    await expect(
      client.inboxes.messages.getAttachment(inbox, message_id, `att_${message_id.slice(4)}_0`),
    ).rejects.toMatchObject(quarantined);
    await expect(
      client.inboxes.threads.getAttachment(inbox, thread_id, `att_${message_id.slice(4)}_0`),
    ).rejects.toMatchObject(quarantined);
    // Taking the label away does not open it either.
    await client.inboxes.messages.update(inbox, message_id, { remove_labels: ['blocked'] });
    await expect(client.inboxes.messages.getRaw(inbox, message_id)).rejects.toMatchObject(quarantined);
  });

  it('come back into sight when the label goes', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    const { message_id } = (await send(inbox)).get('spam')!;
    await client.inboxes.messages.update(inbox, message_id, { remove_labels: ['spam'] });
    expect(subjects(await client.inboxes.messages.list(inbox))).toEqual(['good', 'spam']);
    await client.inboxes.messages.update(inbox, message_id, { add_labels: ['trash'] });
    expect(subjects(await client.inboxes.messages.list(inbox))).toEqual(['good']);
    expect(subjects(await client.inboxes.messages.list(inbox, { include_trash: true }))).toEqual([
      'good',
      'spam',
    ]);
  });
});

describe('mail nobody has an address for', () => {
  it('leaves a row for the operator, one for each recipient', async () => {
    const inbox = await mailroom.inbox();
    const lost = [`nobody@${domain}`, `No.Body+tag@${domain}`, `who@deep.sub.${domain}`];
    await mailroom.send({
      to: 'undisclosed-recipients:;',
      envelope: { from: 'alice@sender.test', to: [...lost, inbox] },
      subject: 'whom?',
      ...signed(),
    });
    await mailroom.message(inbox, 'whom?');
    const rows = await mailroom.eventually(async () => {
      const { undeliverable } = await mailroom.operator.undeliverable.list();
      // Others share the mailroom, and the operator sees all of it.
      const own = undeliverable.filter(({ subject }) => subject === 'whom?');
      expect(own).toHaveLength(3);
      return own;
    });
    await mailroom.quiet();
    expect(rows.map(({ recipient }) => recipient.toLowerCase()).sort()).toEqual(
      lost.map((one) => one.toLowerCase()).sort(),
    );
    for (const row of rows) {
      expect(row).toMatchObject({
        sender: 'alice@sender.test',
        subject: 'whom?',
        reason: 'no_such_address',
        spf: 'PASS',
        dkim: 'PASS',
        dmarc: 'PASS',
      });
      expect(Math.abs(Date.parse(row.received_at) - mailroom.cloud.clock.now())).toBeLessThan(3_600_000);
    }
    const pages: string[] = [];
    for await (const { undeliverable_id } of mailroom.operator.undeliverable.all({ limit: 1 }))
      pages.push(undeliverable_id);
    expect(new Set(pages).size).toBe(pages.length);
    expect(pages).toEqual(expect.arrayContaining(rows.map(({ undeliverable_id }) => undeliverable_id)));
  });
});

describe('postmaster@ and abuse@', () => {
  it('reach the operator', async () => {
    for (const [to, subject] of [
      [`Postmaster@${domain}`, 'to postmaster'],
      [`abuse@${domain}`, 'to abuse'],
    ] as const) {
      await mailroom.send({ to, subject });
      // The organization comes into being with its first mail.
      const operator = await mailroom.eventually(() => mailroom.clientWith(undefined, 'org_operator'));
      const message = await mailroom.message(`postmaster@${domain}`, subject, operator);
      expect(message).toMatchObject({ organization_id: 'org_operator', envelope_to: [to] });
    }
    await expect(mailroom.client().inboxes.get(`postmaster@${domain}`)).rejects.toMatchObject({
      code: 'not_found',
    });
    await mailroom.send({ to: `postmaster@sub.${domain}`, subject: 'to a subdomain' });
    await mailroom.eventually(async () => {
      const { undeliverable } = await mailroom.operator.undeliverable.list();
      expect(undeliverable.map(({ subject }) => subject)).toContain('to a subdomain');
    });
  });
});
