import { beforeEach, describe, expect, it } from 'vitest';
import { line as lineSchema } from '../../lib/contract/ledger.ts';
import type { Notice } from '../../lib/contract/notice.ts';
import type { ParsedMail } from '../../lib/core/mail.ts';
import { receiveMail } from '../../lib/core/receive-mail.ts';
import {
  callIn,
  inboxRef,
  keyPrincipal,
  mailDomain,
  modest,
  pass,
  sampleMail,
  sampleNotice,
} from '../support/mail-samples.ts';
import { MemoryMailbox } from '../support/memory-mailbox.ts';
import {
  address,
  counting,
  MemoryInboxes,
  MemoryObjects,
  MemoryUndeliverable,
  plainTokens,
  sha256,
} from '../support/memory-ports.ts';
import {
  getMessage,
  getMessageAttachment,
  getRawMessage,
  listMessages,
} from '../../lib/core/read-messages.ts';

const inbox = inboxRef();
let mailbox: MemoryMailbox;
let objects: MemoryObjects;
let inboxes: MemoryInboxes;
let undeliverable: MemoryUndeliverable;
let ensured: number;
let receive: ReturnType<typeof receiveMail>;
beforeEach(() => {
  [mailbox, objects, inboxes, undeliverable, ensured] = [
    new MemoryMailbox(),
    new MemoryObjects(),
    new MemoryInboxes(),
    new MemoryUndeliverable(),
    0,
  ];
  inboxes.add(inbox);
  receive = receiveMail({
    ...{ inboxes, undeliverable, objects, deliveries: mailbox, mailDomain, sha256 },
    parser: objects.parser,
    ulid: counting(),
    now: () => Date.parse('2026-01-01T00:00:00.000Z'),
    ensureOperatorMailroom: async () => {
      ensured++;
      inboxes.add(inboxRef('postmaster', 'org_operator'), address('abuse'));
    },
  });
});

/** Lets a mail arrive and takes it in. */
async function arrive(mail: Partial<ParsedMail> = {}, notice: Partial<Notice> = {}): Promise<Notice> {
  const told = sampleNotice(notice);
  objects.arrive(told.key, sampleMail(mail));
  await receive(told);
  return told;
}
const stored = (of = inbox) =>
  [...mailbox.of(of).messages.values()].sort((a, b) => (a.message_id < b.message_id ? -1 : 1));
const threads = (of = inbox) => [...mailbox.of(of).threads.values()];
const threadOf = (rfc822: string) =>
  stored().find(({ rfc822_message_id }) => rfc822_message_id === rfc822)?.thread_id;

describe('a mail', () => {
  it('is stored with its envelope, raw, attachments and event; the incoming object goes last', async () => {
    const attachments = [{ filename: 'a.txt', size: 3, path: '/tmp/x' }];
    const { key, ses_id } = await arrive(
      { message_id: '<1@b>', subject: 'Hi', attachments, auto_submitted: 'auto-replied' },
      { recipients: ['Ada+Shop@MAIL.example.com'] },
    );
    const [message] = stored();
    expect(message).toMatchObject({
      inbox_id: inbox.inbox_id,
      from: 'Bob <bob@sender.test>',
      subject: 'Hi',
      tag: 'Shop',
      envelope_to: ['Ada+Shop@MAIL.example.com'],
      envelope: 'given',
      labels: ['received', 'unread'],
      auto_submitted: 'auto-replied',
      rfc822_message_id: '<1@b>',
      body: 'row',
    });
    expect(message?.attachments).toEqual([
      { attachment_id: `att_${message?.message_id.slice(4)}_0`, filename: 'a.txt', size: 3 },
    ]);
    expect([...objects.kept.keys()].map((name) => name.split('/').at(-1))).toEqual([
      'raw',
      message?.attachments?.[0]?.attachment_id,
    ]);
    expect(objects.incoming.has(key)).toBe(false);
    expect(objects.disposed).toBe(1);
    expect(mailbox.deliveries[0]?.event).toMatchObject({
      event_type: 'message.received',
      message_id: message?.message_id,
      thread_id: message?.thread_id,
      organization_id: inbox.organization_id,
      labels: ['received', 'unread'],
      from: 'Bob <bob@sender.test>',
      subject: 'Hi',
    });
    expect(JSON.stringify(mailbox.deliveries[0]?.event)).not.toContain('Hello');
    // Its line in the ledger: ids only, nothing anybody wrote.
    expect(lineSchema.parse(mailbox.deliveries[0]?.line)).toEqual({
      line_id: expect.stringMatching(/^lin_/) as string,
      time: '2026-01-01T00:00:00.000Z',
      organization_id: inbox.organization_id,
      pod_id: inbox.pod_id,
      inbox_uid: inbox.uid,
      principal: { kind: 'system' },
      action: 'messages.receive',
      resources: [message?.message_id, message?.thread_id],
      outcome: 'allowed',
      request_id: ses_id,
    });
    expect(JSON.stringify(mailbox.deliveries[0]?.line)).not.toMatch(/@|Hi/);
  });

  it('is stored once and fails nowhere when a second copy of its notice overtakes the first', async () => {
    const told = sampleNotice();
    objects.arrive(told.key, sampleMail());
    const keepRaw = objects.keepRaw.bind(objects);
    objects.keepRaw = async (...given) => {
      objects.keepRaw = keepRaw;
      await receive(told);
      return keepRaw(...given);
    };
    await receive(told);
    expect(stored()).toHaveLength(1);
    expect(stored()[0]).not.toHaveProperty('duplicates');
    expect([...objects.kept.keys()].map((name) => name.split('/').at(-1))).toEqual(['raw']);
  });

  it('goes once to each inbox of its envelope, whatever To says', async () => {
    const grace = inboxRef('grace');
    inboxes.add(grace);
    await arrive(
      { to: ['nobody@elsewhere.test'] },
      { recipients: [address('ada'), address('ada+x'), address('grace'), address('ADA')] },
    );
    expect(stored()).toHaveLength(1);
    expect(stored()[0]).toMatchObject({
      envelope_to: [address('ada'), address('ada+x'), address('ADA')],
      tag: 'x',
    });
    expect(stored(grace)).toHaveLength(1);
    expect(stored(grace)[0]?.message_id).not.toBe(stored()[0]?.message_id);
  });

  it('to an address without an inbox leaves a row for the operator, once, and the others get theirs', async () => {
    const notice = await arrive(
      { subject: 'Lost' },
      { recipients: [address('nobody'), address('ada')], source: '' },
    );
    objects.arrive(notice.key, sampleMail({ subject: 'Lost' }));
    await receive(notice);
    expect(stored()).toHaveLength(1);
    expect([...undeliverable.rows.values()]).toEqual([
      expect.objectContaining({
        recipient: address('nobody'),
        sender: '',
        subject: 'Lost',
        ses_message_id: notice.ses_id,
        reason: 'no_such_address',
        spf: 'PASS',
      }),
    ]);
  });

  it('to an inbox that is taken down meanwhile leaves that row too, and no objects', async () => {
    mailbox.gone.add(inbox.uid);
    await arrive();
    expect([...undeliverable.rows.values()]).toMatchObject([{ recipient: address('ada') }]);
    expect(objects.kept.size).toBe(0);
  });

  it('for postmaster or abuse of the base domain makes the operator’s mailroom', async () => {
    await arrive({}, { recipients: [`ABUSE@${mailDomain.toUpperCase()}`] });
    expect(stored(inboxRef('postmaster'))).toHaveLength(1);
    await arrive({}, { recipients: [address('postmaster')] });
    await arrive({}, { recipients: [`postmaster@other.${mailDomain}`, address('hostmaster')] });
    expect(ensured).toBe(1);
    expect(undeliverable.rows.size).toBe(2);
  });

  it('whose object is gone was taken in before: nothing happens', async () => {
    await receive(sampleNotice());
    expect(stored()).toEqual([]);
    expect(undeliverable.rows.size).toBe(0);
  });
});

describe('an address that had another inbox before', () => {
  const made = '2026-01-01T00:00:00.000Z';
  const at = (ms: number) => new Date(Date.parse(made) + ms).toISOString();
  const reasons = () => [...undeliverable.rows.values()].map(({ recipient, reason }) => [recipient, reason]);

  it('gets no mail that SES took before its present inbox was made, whatever name it came by', async () => {
    inboxes.addresses.set(inbox.inbox_id, { ...inbox, since: made });
    const grace = inboxRef('grace');
    inboxes.add(grace);
    await arrive({}, { timestamp: at(-1), recipients: [address('ada+x'), address('grace'), address('ADA')] });
    expect([stored().length, stored(grace).length]).toEqual([0, 1]);
    expect(reasons()).toEqual([
      [address('ada+x'), 'arrived_before_inbox'],
      [address('ADA'), 'arrived_before_inbox'],
    ]);
    expect(objects.incoming.size).toBe(0);
  });

  it('gets what came from that moment on', async () => {
    inboxes.addresses.set(inbox.inbox_id, { ...inbox, since: made });
    await arrive({ message_id: '<1@b>' }, { timestamp: at(0) });
    await arrive({ message_id: '<2@b>' }, { timestamp: at(1) });
    expect([stored().length, reasons()]).toEqual([2, []]);
    expect(JSON.stringify(mailbox.deliveries)).not.toContain('since');
  });

  it('has nobody for its mail while it rests, which the operator is told', async () => {
    inboxes.addresses.delete(inbox.inbox_id);
    inboxes.restingAddresses.add(inbox.inbox_id);
    await arrive({}, { recipients: [address('ada'), address('nobody')] });
    expect(reasons()).toEqual([
      [address('ada'), 'inbox_deleted'],
      [address('nobody'), 'no_such_address'],
    ]);
  });
});

it('an organization that is being deleted gets no mail any more, but what it has is not taken for lost', async () => {
  const notice = await arrive({ message_id: '<1@b>' });
  const acquaint = mailbox.acquaint.bind(mailbox);
  mailbox.acquaint = async (...asked) => ({ ...(await acquaint(...asked)), closed: true as const });
  const kept = objects.kept.size;
  await arrive({ message_id: '<2@b>' });
  expect([stored().length, objects.kept.size]).toEqual([1, kept]);
  expect([...undeliverable.rows.values()]).toMatchObject([
    { recipient: address('ada'), reason: 'inbox_deleted' },
  ]);
  await arrive({ message_id: '<1@b>' }, notice);
  expect(undeliverable.rows.size).toBe(1);
});

describe('the same mail again', () => {
  it('by the same notice changes nothing at all', async () => {
    const notice = await arrive({ message_id: '<1@b>' });
    const [rows, kept, changes] = [
      structuredClone(stored()),
      [...objects.kept.keys()],
      mailbox.deliveries.length,
    ];
    for (let n = 0; n < 3; n++) {
      objects.arrive(notice.key, sampleMail({ message_id: '<1@b>' }));
      await receive(notice);
    }
    expect(stored()).toEqual(rows);
    expect([...objects.kept.keys()]).toEqual(kept);
    expect(mailbox.deliveries).toHaveLength(changes);
  });

  it('by another delivery is counted once, and stores no objects', async () => {
    await arrive({ message_id: '<1@b>' });
    const kept = [...objects.kept.keys()];
    const again = await arrive({ message_id: '<1@b>' });
    objects.arrive(again.key, sampleMail({ message_id: '<1@b>' }));
    await receive(again);
    await arrive({ message_id: '<1@b>' });
    expect(stored()).toMatchObject([{ duplicates: 2 }]);
    expect([...objects.kept.keys()]).toEqual(kept);
    expect(objects.incoming.size).toBe(0);
  });

  it('ten times at once is one message with nine copies, and its objects alone', async () => {
    const notices = Array.from({ length: 10 }, () => sampleNotice());
    for (const { key } of notices) objects.arrive(key, sampleMail({ message_id: '<1@b>' }));
    await Promise.all(notices.map((notice) => receive(notice)));
    expect(stored()).toMatchObject([{ duplicates: 9 }]);
    expect(objects.kept.size).toBe(1);
    expect([...objects.kept.keys()][0]).toContain(stored()[0]!.message_id);
  });

  it('leaves no object of a copy whose notice came twice at once', async () => {
    const [first, copy] = [sampleNotice(), sampleNotice()];
    for (const { key } of [first, copy]) objects.arrive(key, sampleMail({ message_id: '<1@b>' }));
    const keepRaw = objects.keepRaw.bind(objects);
    let others = true;
    objects.keepRaw = async (key, folder) => {
      const kept = await keepRaw(key, folder);
      if (key !== copy.key || !others) return kept;
      others = false;
      // The first mail comes in meanwhile, and then the other notice of the copy.
      await receive(first);
      await receive(copy);
      return kept;
    };
    await receive(copy);
    expect(stored()).toMatchObject([{ duplicates: 1 }]);
    const raws = [...objects.kept.keys()].filter((name) => name.endsWith('/raw'));
    expect(raws).toEqual([expect.stringContaining(stored()[0]!.message_id.slice(4))]);
  });

  it('ten times the same notice at once is one message with none', async () => {
    const notice = sampleNotice();
    objects.arrive(notice.key, sampleMail({ message_id: '<1@b>' }));
    await Promise.allSettled(Array.from({ length: 10 }, () => receive(notice)));
    expect(stored()).toHaveLength(1);
    expect(stored()[0]).not.toHaveProperty('duplicates');
    expect(objects.kept.size).toBe(1);
  });

  it('is a new message when the first was deleted while it was counted', async () => {
    await arrive({ message_id: '<1@b>' });
    mailbox.before = async () => {
      mailbox.before = async () => undefined;
      mailbox.of(inbox).messages.clear();
      mailbox.of(inbox).claims.clear();
    };
    await arrive({ message_id: '<1@b>', text: 'Hello' });
    expect(stored()).toHaveLength(1);
  });

  it('in name only is another message: a forged Message-ID suppresses nothing', async () => {
    await arrive({ message_id: '<1@b>', text: 'Forged' });
    await arrive({ message_id: '<1@b>', text: 'Real' });
    expect(stored().map(({ duplicates }) => duplicates)).toEqual([undefined, undefined]);
  });
});

describe('threads', () => {
  it('join by In-Reply-To and References in this inbox, never by subject', async () => {
    const grace = inboxRef('grace');
    inboxes.add(grace);
    await arrive({ message_id: '<1@b>', subject: 'Hi' });
    await arrive({ message_id: '<2@b>', in_reply_to: '<1@b>' });
    await arrive({ message_id: '<3@b>', references: ['<0@b>', '<2@b>'] });
    await arrive({ message_id: '<4@b>', subject: 'Hi' });
    await arrive({ message_id: '<5@b>', in_reply_to: '<1@b>' }, { recipients: [address('grace')] });
    expect(threads()).toHaveLength(2);
    expect(threads()[0]?.visible.count).toBe(3);
    expect(threads(grace)).toHaveLength(1);
    expect(threads()[0]?.thread_id).toBe(`thr_${stored()[0]!.message_id.slice(4)}`);
  });

  it('come together in whatever order the mails arrive', async () => {
    await arrive({ message_id: '<3@b>', references: ['<1@b>', '<2@b>'] });
    await arrive({ message_id: '<1@b>' });
    await arrive({ message_id: '<2@b>', in_reply_to: '<1@b>' });
    expect(threads()).toHaveLength(1);
    expect(threads()[0]?.visible.count).toBe(3);
  });

  it('tied by a late mail stay two: it joins the oldest, and so does what follows it', async () => {
    await arrive({ message_id: '<1@b>' });
    await arrive({ message_id: '<2@b>' });
    await arrive({ message_id: '<3@b>', references: ['<2@b>', '<1@b>'] });
    expect(threadOf('<3@b>')).toBe(threadOf('<1@b>'));
    await arrive({ message_id: '<4@b>', in_reply_to: '<2@b>' });
    expect(threadOf('<4@b>')).toBe(threadOf('<2@b>'));
    await arrive({ message_id: '<5@b>', in_reply_to: '<3@b>' });
    expect(threadOf('<5@b>')).toBe(threadOf('<1@b>'));
  });

  it('of a mail take its delivery report', async () => {
    await arrive({ message_id: '<1@b>' });
    await arrive(
      { message_id: '<dsn@mx>', from: 'MAILER-DAEMON <>', reported_message_id: '<1@b>' },
      { source: '' },
    );
    expect(threads()).toHaveLength(1);
  });

  it('that were deleted are not brought back: the next mail begins another', async () => {
    await arrive({ message_id: '<1@b>' });
    const [old] = threads();
    mailbox.of(inbox).threads.set(old!.thread_id, { ...old!, deleting: true });
    await arrive({ message_id: '<2@b>', in_reply_to: '<1@b>' });
    expect(threadOf('<2@b>')).not.toBe(old!.thread_id);
    mailbox.of(inbox).threads.delete(old!.thread_id);
    await arrive({ message_id: '<3@b>', in_reply_to: '<1@b>' });
    expect(threadOf('<3@b>')).toBe(threadOf('<2@b>'));
  });

  it('take twenty mails at once', async () => {
    await arrive({ message_id: '<0@b>' });
    const notices = Array.from({ length: 20 }, () => sampleNotice());
    for (const [n, { key }] of notices.entries())
      objects.arrive(key, sampleMail({ message_id: `<${n + 1}@b>`, in_reply_to: '<0@b>' }));
    await Promise.all(notices.map((notice) => receive(notice)));
    expect(threads()).toHaveLength(1);
    expect(threads()[0]?.visible.count).toBe(21);
  });

  it('know the first and the last 20 of many references', async () => {
    await arrive({ message_id: '<x@b>', references: Array.from({ length: 100 }, (_, n) => `<${n}@b>`) });
    const known = mailbox.deliveries[0]!.leads.map(({ id }) => id);
    expect(known.slice(0, 3)).toEqual(['<x@b>', '<99@b>', '<98@b>']);
    expect(new Set(known)).toEqual(
      new Set(['<x@b>', ...Array.from({ length: 20 }, (_, n) => [`<${n}@b>`, `<${99 - n}@b>`]).flat()]),
    );
  });
});

describe('what is hidden', () => {
  it.each([
    ['spam', { spam: 'FAIL' }, 'message.received.spam'],
    ['unauthenticated', { dmarc: 'FAIL', dmarc_policy: 'none' }, 'message.received.unauthenticated'],
  ] as const)('%s is stored whole, out of the ordinary lists', async (label, verdicts, event) => {
    await arrive({}, { verdicts: { ...pass, ...verdicts } });
    expect(mailbox.list(inbox, { of: 'messages' })).toEqual([]);
    expect(mailbox.list(inbox, { of: 'hidden-messages', label })).toHaveLength(1);
    expect(mailbox.deliveries[0]?.event.event_type).toBe(event);
    expect(stored()[0]).toMatchObject({ body: 'row', preview: 'Hello', authentication: verdicts });
  });

  it('a virus is kept for the operator, and nothing of it is given out', async () => {
    await arrive(
      {
        html: '<b>x</b>',
        attachments: [{ filename: 'evil.exe', size: 3, path: '/tmp/x' }],
        subject: 'Invoice',
      },
      { verdicts: { ...pass, virus: 'FAIL' } },
    );
    const message = stored()[0]!;
    expect(message).toMatchObject({
      labels: ['received', 'unread', 'blocked'],
      quarantined: true,
      subject: 'Invoice',
    });
    expect(message).not.toHaveProperty('attachments');
    expect(message).not.toHaveProperty('preview');
    expect([...objects.kept.keys()].every((name) => name.endsWith('/raw'))).toBe(true);
    expect([...mailbox.of(inbox).bodies.values()]).toEqual([{ headers: {} }]);
    const deps = { mailbox, objects, tokens: plainTokens };
    const path = { inbox_id: inbox.inbox_id, message_id: message.message_id };
    const call = { ...callIn(inbox), query: undefined, body: undefined };
    await expect(getMessage(deps)({ ...call, path })).resolves.not.toHaveProperty('text');
    await expect(getRawMessage(deps)({ ...call, path })).rejects.toMatchObject({ code: 'quarantined' });
    await expect(
      getMessageAttachment(deps)({
        ...call,
        path: { ...path, attachment_id: `att_${message.message_id.slice(4)}_0` },
      }),
    ).rejects.toMatchObject({ code: 'quarantined' });
    await expect(getMessage(deps)({ ...call, principal: modest, path })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('bodies', () => {
  it('too large for a row lie in an object, over 1 MB behind a URL each', async () => {
    await arrive({ message_id: '<1@b>', text: 'x'.repeat(8000) });
    await arrive({
      message_id: '<2@b>',
      text: 'y'.repeat(1_000_001),
      html: '<p>small</p>',
      extracted_text: 'z'.repeat(1_000_001),
    });
    await arrive({ message_id: '<3@b>', text: '\u0001'.repeat(200_000) });
    const [middle, large, escaped] = stored();
    expect(middle).toMatchObject({ body: 'object' });
    expect(middle).not.toHaveProperty('large');
    expect(large).toMatchObject({ body: 'object', large: ['text'] });
    // A control character is six bytes of JSON: what counts is the answer.
    expect(escaped).toMatchObject({ large: ['text'] });
    const read = (message_id: string) =>
      getMessage({ mailbox, objects, tokens: plainTokens })({
        ...callIn(inbox),
        path: { inbox_id: inbox.inbox_id, message_id },
        query: undefined,
        body: undefined,
      });
    expect(await read(middle!.message_id)).toMatchObject({ text: 'x'.repeat(8000) });
    const answer = await read(large!.message_id);
    expect(answer).toMatchObject({
      text_truncated: true,
      text_url: expect.stringContaining('/text') as string,
      html: '<p>small</p>',
    });
    expect(answer).not.toHaveProperty('text');
    expect(answer).not.toHaveProperty('extracted_text');
  });

  it('of the most hostile mail leave a small row', async () => {
    const many = Array.from(
      { length: 1000 },
      (_, n) => `"${'é'.repeat(400)}" <${'a'.repeat(200)}${n}@b.test>`,
    );
    await arrive({
      from: many.join(', '),
      ...{ to: many, cc: many, bcc: many, reply_to: many },
      subject: 'ß'.repeat(998),
      references: Array.from({ length: 100 }, (_, n) => `<${'r'.repeat(990)}${n}@b>`),
      attachments: Array.from({ length: 500 }, (_, n) => ({
        filename: '💣'.repeat(120),
        content_id: 'c'.repeat(990),
        size: n,
        path: '/tmp/x',
      })),
      parse_error: 'e'.repeat(5000),
    });
    const [message] = stored();
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThan(220_000);
    expect(message?.attachments?.length).toBeGreaterThan(50);
    expect(message?.parse_error).toMatch(/\d+ attachments are only in the raw mail$/);
    // The chain keeps both its ends.
    expect(message?.references?.[0]).toContain('r0@b');
    expect(message?.references?.at(-1)).toContain('r99@b');
    expect(objects.kept.size).toBeGreaterThan(message!.attachments!.length);
  });
});

it('the list of an inbox hides what it should', async () => {
  await arrive({ message_id: '<1@b>' });
  await arrive({ message_id: '<2@b>' }, { verdicts: { ...pass, spam: 'FAIL' } });
  const list = async (query: object, principal = keyPrincipal()) =>
    (
      await listMessages({ mailbox, tokens: plainTokens })({
        ...callIn(inbox, principal),
        path: { inbox_id: inbox.inbox_id },
        query,
        body: undefined,
      })
    ).count;
  expect(await list({})).toBe(1);
  expect(await list({ include_spam: true })).toBe(2);
  expect(await list({ include_trash: true })).toBe(1);
  expect(await list({ include_spam: true }, modest)).toBe(1);
  expect(await list({ labels: ['SPAM'] })).toBe(0);
  expect(await list({ labels: ['SPAM'], include_spam: true })).toBe(1);
});
