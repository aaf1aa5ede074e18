import { execFile, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { domain, sharedMailroom } from '../support/mailroom.ts';
import { smtpDialogue } from '../support/smtp-dialogue.ts';

const mailroom = sharedMailroom();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Fetches without a header of ours, as a browser that follows the link, and again when S3 asks to slow down. */
async function follow(url: string): Promise<Response> {
  const response = await fetch(url);
  return response.status === 503 ? follow(url) : response;
}
async function download(url: string) {
  const response = await follow(url);
  expect(response.status).toBe(200);
  return { bytes: Buffer.from(await response.arrayBuffer()), headers: response.headers };
}

describe('a mail with everything', () => {
  const png = randomBytes(8_192);
  const pdf = randomBytes(300_001);
  const html = '<p>Hello <b>Ada</b>, see <img src="cid:logo@sender.test"></p>';

  it('is read back as it was sent', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    await mailroom.send({
      ...{
        from: '"Müller, Alice" <alice@sender.test>',
        to: `Ada <${inbox}>`,
        cc: 'Bob <bob@elsewhere.test>',
        replyTo: 'desk@sender.test',
      },
      ...{ subject: 'Grüße aus Köln ✉', text: 'Hello Ada.\n\nAlice', html, messageId: '<all@sender.test>' },
      headers: { 'Auto-Submitted': 'auto-replied', 'X-Custom': 'yes' },
      attachments: [
        {
          filename: 'logo.png',
          content: png,
          cid: 'logo@sender.test',
          contentType: 'image/png',
          contentDisposition: 'inline',
        },
        { filename: 'Bericht – März.pdf', content: pdf, contentType: 'application/pdf' },
        { filename: 'empty.bin', content: Buffer.alloc(0), contentType: 'application/octet-stream' },
      ],
    });
    const message = await mailroom.message(inbox, 'Grüße aus Köln ✉');
    expect(message).toMatchObject({
      ...{
        organization_id: mailroom.organization_id,
        inbox_id: inbox,
        labels: ['received', 'unread'],
        envelope: 'given',
        envelope_to: [inbox],
      },
      ...{ to: [`Ada <${inbox}>`], cc: ['Bob <bob@elsewhere.test>'], reply_to: ['desk@sender.test'] },
      ...{
        preview: 'Hello Ada. Alice',
        html: expect.stringContaining(html),
        auto_submitted: 'auto-replied',
        rfc822_message_id: '<all@sender.test>',
      },
      attachments: [
        {
          filename: 'logo.png',
          size: 8_192,
          content_type: 'image/png',
          content_disposition: 'inline',
          content_id: 'logo@sender.test',
        },
        {
          filename: 'Bericht – März.pdf',
          size: 300_001,
          content_type: 'application/pdf',
          content_disposition: 'attachment',
        },
        { filename: 'empty.bin', size: 0 },
      ],
    });
    expect(message.from).toMatch(/^"?Müller, Alice"? <alice@sender\.test>$/);
    expect(message.text).toBe('Hello Ada.\n\nAlice');
    expect(message.headers).toMatchObject({ 'X-Custom': 'yes', 'Message-ID': '<all@sender.test>' });
    expect(message.headers!['Return-Path']).toBe('<alice@sender.test>');
    expect(message.message_id).toMatch(/^msg_[0-9a-z]{26}$/);
    expect(message).not.toHaveProperty('tag');
    expect(message).not.toHaveProperty('duplicates');
    expect(message).not.toHaveProperty('parse_error');

    const [logo, report, empty] = message.attachments!;
    for (const [{ attachment_id }, bytes, type] of [
      [logo!, png, 'image/png'],
      [report!, pdf, 'application/pdf'],
      [empty!, Buffer.alloc(0), 'application/octet-stream'],
    ] as const) {
      const { download_url, expires_at, ...about } = await client.inboxes.messages.getAttachment(
        inbox,
        message.message_id,
        attachment_id,
      );
      expect(about).toMatchObject({ attachment_id, size: bytes.length });
      expect(Date.parse(expires_at)).toBeGreaterThan(mailroom.cloud.clock.now());
      const { bytes: got, headers } = await download(download_url);
      expect(sha256(got)).toBe(sha256(bytes));
      expect(headers.get('content-disposition')).toMatch(/^attachment; filename=/);
      expect(headers.get('content-type')).toBe(type);
    }
    const other = await client.inboxes.threads.getAttachment(inbox, message.thread_id, report!.attachment_id);
    expect((await download(other.download_url)).bytes.equals(pdf)).toBe(true);
    await expect(
      client.inboxes.messages.getAttachment(inbox, message.message_id, `${report!.attachment_id}9`),
    ).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is no longer handed out once the URL has expired', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    await mailroom.send({ to: inbox, subject: 'short-lived' });
    const { message_id } = await mailroom.message(inbox, 'short-lived');
    const { download_url } = await client.inboxes.messages.getRaw(inbox, message_id);
    await download(download_url);
    const tampered = await follow(download_url.replace('/raw?', '/body?'));
    expect(tampered.status).toBe(403);
    await mailroom.sleep(61 * 60_000);
    // 400 ExpiredToken where the session ended first, 403 where the URL did.
    expect([400, 403]).toContain((await follow(download_url)).status);
  });
});

describe('raw', () => {
  it('is what was sent, below the headers SES put on top', async () => {
    const inbox = await mailroom.inbox();
    const sent = Buffer.concat([
      Buffer.from(
        `From: alice@sender.test\r\nTo: ${inbox}\r\nSubject: raw bytes\r\nX-Odd:  two  spaces\t \r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n`,
      ),
      Buffer.from('.a line that begins with a dot\r\n..\r\ntrailing blank \r\nÄÖÜ ✉\r\n'),
    ]);
    const replies = await smtpDialogue(mailroom.cloud.smtp, {
      from: 'alice@sender.test',
      to: [inbox],
      data: sent,
      parameters: 'BODY=8BITMIME',
    });
    expect(replies.map((line) => line.slice(0, 3))).toEqual(['250', '250', '354', '250']);
    const message = await mailroom.message(inbox, 'raw bytes');
    expect(message.text).toBe('.a line that begins with a dot\n..\ntrailing blank \nÄÖÜ ✉\n');
    const { download_url, size } = await mailroom.client().inboxes.messages.getRaw(inbox, message.message_id);
    const { bytes, headers } = await download(download_url);
    expect(bytes.length).toBe(size);
    expect(headers.get('content-disposition')).toContain('attachment');
    expect(bytes.subarray(-sent.length).equals(sent)).toBe(true);
    const above = bytes.subarray(0, -sent.length).toString();
    expect(above).toMatch(/^Return-Path: <alice@sender\.test>\r\nReceived: /);
    expect(above.replace(/\r\n[ \t]+/g, ' ').trimEnd().split('\r\n').map((line) => line.split(':')[0])).toEqual([
      'Return-Path', 'Received', 'X-SES-Spam-Verdict', 'X-SES-Virus-Verdict', 'Received-SPF', 'Authentication-Results', 'X-SES-RECEIPT', 'X-SES-DKIM-SIGNATURE',
    ]); // prettier-ignore
  });

  it('keeps a line of 10,000 characters whole', async () => {
    const inbox = await mailroom.inbox();
    const line = 'x'.repeat(9_990);
    const data = Buffer.from(
      `From: alice@sender.test\r\nTo: ${inbox}\r\nSubject: long line\r\n\r\n${line}\r\n`,
    );
    expect(
      (await smtpDialogue(mailroom.cloud.smtp, { from: 'alice@sender.test', to: [inbox], data })).at(-1),
    ).toMatch(/^250/);
    expect((await mailroom.message(inbox, 'long line')).text).toBe(`${line}\n`);
  });
});

describe('the envelope', () => {
  it('decides who gets a mail, whatever To and Cc say', async () => {
    const client = mailroom.client();
    const [one, two, bcc, named] = [
      await mailroom.inbox(),
      await mailroom.inbox(),
      await mailroom.inbox(),
      await mailroom.inbox(),
    ];
    const raw = `From: alice@sender.test\nTo: ${one}, ${named}\nCc: list@lists.elsewhere.test\nSubject: by envelope\n\nHello.\n`;
    await mailroom.sendRaw([one, two, bcc], raw);
    for (const inbox of [one, two, bcc]) {
      const message = await mailroom.message(inbox, 'by envelope');
      expect(message).toMatchObject({ to: [one, named], envelope_to: [inbox] });
    }
    await mailroom.quiet();
    expect((await client.inboxes.messages.list(named)).messages).toEqual([]);
    for (const inbox of [one, two, bcc]) expect((await client.inboxes.messages.list(inbox)).count).toBe(1);
  });

  it('with the tag of a plus address and in upper case means the inbox, once', async () => {
    const inbox = await mailroom.inbox();
    const [name] = inbox.split('@') as [string];
    const plus = `${name}+Receipts@${domain}`;
    const upper = `${name.toUpperCase()}@${domain.toUpperCase()}`;
    await mailroom.send({
      to: 'undisclosed-recipients:;',
      envelope: { from: 'alice@sender.test', to: [plus, upper] },
      subject: 'tagged',
    });
    const message = await mailroom.message(inbox, 'tagged');
    expect(message.tag).toBe('Receipts');
    expect(message.envelope_to!.map((address) => address.toLowerCase())).toEqual(
      [plus, upper].map((address) => address.toLowerCase()),
    );
    await mailroom.quiet();
    await mailroom.messages(inbox, 1);
  });

  it('with a domain that is not ours is refused with 550, and the others of the mail get it', async () => {
    const inbox = await mailroom.inbox();
    const data = Buffer.from(`From: alice@sender.test\r\nSubject: mixed\r\n\r\nHello.\r\n`);
    const replies = await smtpDialogue(mailroom.cloud.smtp, {
      from: 'alice@sender.test',
      to: ['a@elsewhere.test', inbox, `b@not${domain}`],
      data,
    });
    expect(replies.map((line) => line.slice(0, 3))).toEqual(['250', '550', '250', '550', '354', '250']);
    expect((await mailroom.message(inbox, 'mixed')).envelope_to).toEqual([inbox]);
    const none = await smtpDialogue(mailroom.cloud.smtp, {
      from: 'alice@sender.test',
      to: ['a@elsewhere.test'],
      data,
    });
    expect(none.map((line) => line.slice(0, 3))).toEqual(['250', '550', '503']);
  });

  it('may have the null sender', async () => {
    const inbox = await mailroom.inbox();
    await mailroom.sendRaw(
      inbox,
      `From: MAILER-DAEMON@sender.test\nTo: ${inbox}\nSubject: null sender\n\nHello.\n`,
      '',
    );
    const { headers } = await mailroom.message(inbox, 'null sender');
    expect(headers!['Return-Path']).toBe('<>');
  });
});

describe('what an agent finds in it', () => {
  it('is the new text of a reply, without what it quotes', async () => {
    const inbox = await mailroom.inbox();
    const text =
      'Yes, at noon.\n\nOn Mon, 2 Mar 2026 at 10:00, Ada <ada@example.com> wrote:\n> Shall we meet?\n> Ada\n';
    await mailroom.send({ to: inbox, subject: 'Re: lunch', text });
    const message = await mailroom.message(inbox, 'Re: lunch');
    expect(message.extracted_text).toBe('Yes, at noon.');
    expect(message.text).toBe(text);
  });

  it('is text of an HTML-only mail for the preview, and no script', async () => {
    const inbox = await mailroom.inbox();
    await mailroom.send({
      to: inbox,
      subject: 'only html',
      text: undefined,
      html: '<style>p{}</style><p>Dear Ada,</p><p>the <i>offer</i> stands.</p>',
    });
    const message = await mailroom.message(inbox, 'only html');
    expect(message.preview).toBe('Dear Ada, the offer stands.');
    expect(message.html).toContain('<i>offer</i>');
  });

  it('is readable in ISO-2022-JP, without a Message-ID or a date', async () => {
    const inbox = await mailroom.inbox();
    const raw = Buffer.concat([
      Buffer.from(
        `From: alice@sender.test\r\nTo: ${inbox}\r\nSubject: =?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\r\n`,
      ),
      Buffer.from('GyRCJDMkcyRLJEEkTxsoQg==', 'base64'),
      Buffer.from('\r\n'),
    ]);
    await mailroom.sendRaw(inbox, raw);
    const message = await mailroom.message(inbox, 'こんにちは');
    expect(message.text).toBe('こんにちは\n');
    expect(message).not.toHaveProperty('rfc822_message_id');
    expect(Math.abs(Date.parse(message.timestamp) - mailroom.cloud.clock.now())).toBeLessThan(3_600_000);
  });

  it('is a URL where a body is over 1 MB', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    const text = `${'A line of text that is there to be long. '.repeat(40_000)}\n`;
    await mailroom.send({ to: inbox, subject: 'long body', text, html: '<p>short</p>' });
    const message = await mailroom.message(inbox, 'long body');
    expect(message).toMatchObject({ text_truncated: true, html: expect.stringContaining('<p>short</p>') });
    expect(message).not.toHaveProperty('text');
    const { bytes, headers } = await download(message.text_url!);
    expect(bytes.toString().trim()).toBe(text.trim());
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const { messages } = await client.inboxes.threads.get(inbox, message.thread_id);
    expect(messages[0]).toMatchObject({ text_truncated: true, text_url: expect.any(String) });
  });
});

const hasSwaks = spawnSync('swaks', ['--version']).status === 0;
describe('from swaks', () => {
  it.skipIf(!hasSwaks)('a mail arrives over STARTTLS, with an attachment', async () => {
    const inbox = await mailroom.inbox();
    const { host, port } = mailroom.cloud.smtp;
    const args = [
      '--server',
      host,
      '--port',
      String(port),
      '--helo',
      'sender.test',
      '--tls',
      '--from',
      'alice@sender.test',
      '--to',
      inbox,
    ];
    const { stdout } = await promisify(execFile)('swaks', [
      ...args,
      '--header',
      'Subject: from swaks',
      '--body',
      'Hello from swaks.',
      '--attach-type',
      'text/plain',
      '--attach-name',
      'note.txt',
      '--attach',
      'a note',
    ]);
    expect(stdout).toMatch(/TLS started/);
    const message = await mailroom.message(inbox, 'from swaks');
    expect(message.text).toContain('Hello from swaks.');
    expect(message.attachments).toMatchObject([{ filename: 'note.txt' }]);
  });
});
