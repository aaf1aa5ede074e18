import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AwsError } from '../../../lib/local/aws-error.ts';
import { quoteText } from '../../../lib/local/dns/record-value.ts';
import { Zone } from '../../../lib/local/dns/zone.ts';
import { removeHome } from '../../support/service-endpoint.ts';
import { DOMAIN, mailWorld, signing, TOPIC } from './mail-fixture.ts';

let mail: Awaited<ReturnType<typeof mailWorld>>;
beforeAll(async () => {
  mail = await mailWorld();
  const txt = (name: string, text: string) => ({
    name,
    type: 'TXT' as const,
    ttl: 60,
    values: [quoteText(text)],
  });
  const zone = (name: string, ...records: ReturnType<typeof txt>[]) =>
    mail.world.names.add(new Zone(name, records));
  zone('soft.test', txt('soft.test', 'v=spf1 ~all'));
  zone(
    'lenient.test',
    txt('lenient.test', 'v=spf1 ip4:127.0.0.1 -all'),
    txt('_dmarc.lenient.test', 'v=DMARC1; p=none'),
  );
  zone('watching.test', txt('watching.test', 'v=spf1 -all'), txt('_dmarc.watching.test', 'v=DMARC1; p=none'));
  zone('broken.test', txt('broken.test', 'v=spf1 include:broken.test -all'));
});
afterAll(async () => {
  await mail.close();
  await removeHome(mail.cloud);
});
beforeEach(() => {
  mail.stored.length = 0;
  mail.published.length = 0;
  mail.refuse.put = mail.refuse.publish = undefined;
});

const to = `ann@${DOMAIN}`;
const verdicts = () => {
  const { receipt } = mail.notice();
  return {
    spf: receipt.spfVerdict.status,
    dkim: receipt.dkimVerdict.status,
    dmarc: receipt.dmarcVerdict.status,
    policy: receipt.dmarcPolicy,
  };
};

describe('verdicts', () => {
  it.each([
    ['sender.test', { spf: 'PASS', dkim: 'GRAY', dmarc: 'PASS', policy: undefined }],
    ['forger.test', { spf: 'FAIL', dkim: 'GRAY', dmarc: 'FAIL', policy: 'reject' }],
    ['nopolicy.test', { spf: 'GRAY', dkim: 'GRAY', dmarc: 'GRAY', policy: undefined }],
    ['soft.test', { spf: 'GRAY', dkim: 'GRAY', dmarc: 'GRAY', policy: undefined }],
    ['lenient.test', { spf: 'PASS', dkim: 'GRAY', dmarc: 'GRAY', policy: undefined }],
    ['watching.test', { spf: 'FAIL', dkim: 'GRAY', dmarc: 'FAIL', policy: 'none' }],
    ['broken.test', { spf: 'PROCESSING_FAILED', dkim: 'GRAY', dmarc: 'GRAY', policy: undefined }],
  ])('of unsigned mail from %s', async (domain, expected) => {
    await mail.send({ from: `bob@${domain}`, to, text: 'hello' });
    expect(verdicts()).toEqual(expected);
  });

  it('of signed mail: aligned passes, even through an envelope of elsewhere', async () => {
    await mail.send({
      from: 'bob@sender.test',
      envelope: { from: 'bob@forger.test', to },
      to,
      text: 'x',
      ...signing(mail.senderKey),
    });
    expect(verdicts()).toEqual({ spf: 'FAIL', dkim: 'PASS', dmarc: 'PASS', policy: undefined });
    expect(await mail.object()).toMatch(
      /\r\n dkim=pass header\.i=@sender\.test;\r\n dmarc=pass header\.from=sender\.test;\r\n/,
    );
  });

  it('of a signature that is not of the From domain', async () => {
    await mail.send({ from: 'bob@nopolicy.test', to, text: 'x', ...signing(mail.senderKey) });
    expect(verdicts()).toEqual({ spf: 'GRAY', dkim: 'GRAY', dmarc: 'GRAY', policy: undefined });
  });

  it('of a forgery: another From under sender.test mail', async () => {
    await mail.send({
      from: 'bob@forger.test',
      envelope: { from: 'bob@sender.test', to },
      to,
      text: 'x',
      ...signing(mail.senderKey),
    });
    expect(verdicts()).toEqual({ spf: 'PASS', dkim: 'GRAY', dmarc: 'FAIL', policy: 'reject' });
  });

  it('of a signature without a key in DNS, and of a body changed after signing', async () => {
    await mail.send({ from: 'bob@forger.test', to, text: 'x', ...signing(mail.senderKey, 'forger.test') });
    expect(verdicts()).toEqual({ spf: 'FAIL', dkim: 'FAIL', dmarc: 'FAIL', policy: 'reject' });

    await mail.send({ from: 'bob@sender.test', to, text: 'pay 10 to Bob', ...signing(mail.senderKey) });
    const signed = await mail.object();
    const original = signed.slice(signed.indexOf('DKIM-Signature:')).replace('pay 10', 'pay 99');
    await mail.send({ envelope: { from: 'bob@nopolicy.test', to }, raw: original });
    expect(verdicts()).toEqual({ spf: 'GRAY', dkim: 'FAIL', dmarc: 'FAIL', policy: 'reject' });
    await mail.send({
      envelope: { from: 'bob@nopolicy.test', to },
      raw: original.replace('pay 99', 'pay 10'),
    });
    expect(verdicts()).toEqual({ spf: 'GRAY', dkim: 'PASS', dmarc: 'PASS', policy: undefined });
  });

  it('of mail without a From, and of headers without an end', async () => {
    await mail.send({ envelope: { from: 'bob@sender.test', to }, raw: 'Subject: nobody\r\n\r\nx\r\n' });
    expect(verdicts()).toMatchObject({ spf: 'PASS', dkim: 'GRAY', dmarc: 'PROCESSING_FAILED' });
    const flood =
      'X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(14_000);
    await mail.send({
      envelope: { from: 'bob@sender.test', to },
      raw: `From: bob@sender.test\r\n${flood}\r\nx\r\n`,
    });
    expect(verdicts()).toMatchObject({ spf: 'PASS', dkim: 'PROCESSING_FAILED', dmarc: 'PROCESSING_FAILED' });
    expect(mail.notice().mail.headersTruncated).toBe(true);
    expect(mail.published.at(-1)!.message.length).toBeLessThan(40_000);
  });

  it('of content: GTUBE is spam, EICAR in an attachment a virus', async () => {
    const gtube = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*' + 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X';
    const eicar = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*';
    const seen = () => [mail.notice().receipt.spamVerdict.status, mail.notice().receipt.virusVerdict.status];
    await mail.send({ from: 'bob@sender.test', to, text: 'hello' });
    expect(seen()).toEqual(['PASS', 'PASS']);
    await mail.send({ from: 'bob@sender.test', to, text: gtube });
    expect(seen()).toEqual(['FAIL', 'PASS']);
    expect(await mail.object()).toContain('\r\nX-SES-Spam-Verdict: FAIL\r\nX-SES-Virus-Verdict: PASS\r\n');
    await mail.send({
      from: 'bob@sender.test',
      to,
      text: 'see',
      attachments: [{ filename: 'eicar.com', content: eicar, encoding: 'utf8' }],
    });
    expect(seen()).toEqual(['PASS', 'FAIL']);
  });
});

describe('the notice', () => {
  it('names the envelope as recipients and what the headers claim as destination', async () => {
    const bcc = `Hidden@${DOMAIN}`;
    await mail.send({
      from: 'Bob B. <bob@sender.test>',
      envelope: { from: 'bounce@sender.test', to: [to, `list+tag@sub.${DOMAIN}`, bcc] },
      to: `"Ann, the first" <${to}>, elsewhere@example.com`,
      cc: 'carl@example.com',
      subject: 'Grüße',
      text: 'x',
    });
    expect(mail.published).toHaveLength(1);
    const { caller, topicArn, subject } = mail.published[0]!;
    expect({ topicArn, subject }).toEqual({
      topicArn: TOPIC,
      subject: 'Amazon SES Email Receipt Notification',
    });
    expect(caller).toEqual({
      kind: 'service',
      service: 'ses.amazonaws.com',
      sourceAccount: '000000000000',
      sourceArn: 'arn:aws:ses:us-east-1:000000000000:receipt-rule-set/main:receipt-rule/all',
    });
    const notice = mail.notice();
    expect(notice.receipt.recipients).toEqual([to, `list+tag@sub.${DOMAIN}`, bcc]);
    expect(notice.mail.destination).toEqual([to, 'elsewhere@example.com', 'carl@example.com']);
    expect(notice.mail.source).toBe('bounce@sender.test');
    expect(notice.mail.commonHeaders).toMatchObject({
      returnPath: 'bounce@sender.test',
      from: ['"Bob B." <bob@sender.test>'],
      to: [`"Ann, the first" <${to}>`, 'elsewhere@example.com'],
      cc: ['carl@example.com'],
      subject: 'Grüße',
    });
    expect(JSON.stringify(notice.mail)).not.toContain('Hidden');
  });

  it('points at the object, which is the mail below the trace headers of SES', async () => {
    const raw = `From: bob@sender.test\r\nTo: ${to}\r\nSubject: exact\r\n\r\n.dot\r\n\u00e9 8-bit\r\n..\r\nend\r\n`;
    await mail.send({ envelope: { from: 'bob@sender.test', to }, raw: Buffer.from(raw, 'latin1') });
    const [{ key, bucket, caller }] = mail.stored as [(typeof mail.stored)[0]];
    const { receipt, mail: described } = mail.notice();
    expect(described.messageId).toMatch(/^[0-9a-v]{40}$/);
    expect({ bucket, key }).toEqual({ bucket: 'mail', key: `incoming/${described.messageId}` });
    expect(receipt.action).toEqual({
      type: 'S3',
      topicArn: TOPIC,
      bucketName: 'mail',
      objectKeyPrefix: 'incoming/',
      objectKey: key,
    });
    expect(caller).toEqual(mail.published[0]!.caller);
    const object = await mail.object();
    expect(object.endsWith(raw)).toBe(true);
    expect(object.slice(0, -raw.length)).toMatch(
      new RegExp(
        [
          'Return-Path: <bob@sender\\.test>',
          'Received: from client\\.test \\(localhost \\[127\\.0\\.0\\.1\\]\\)',
          ` by inbound-smtp\\.us-east-1\\.amazonaws\\.com with SMTP id ${described.messageId}`,
          ` for ${to};`,
          ' \\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d \\+0000 \\(UTC\\)',
          'X-SES-Spam-Verdict: PASS',
          'X-SES-Virus-Verdict: PASS',
          'Received-SPF: pass \\(spfCheck: domain of sender\\.test designates 127\\.0\\.0\\.1 as permitted sender\\) client-ip=127\\.0\\.0\\.1; envelope-from=bob@sender\\.test; helo=client\\.test;',
          'Authentication-Results: amazonses\\.com;',
          ' spf=pass \\(.*\\) client-ip=127\\.0\\.0\\.1; envelope-from=bob@sender\\.test; helo=client\\.test;',
          ' dkim=none;',
          ' dmarc=pass header\\.from=sender\\.test;',
          'X-SES-RECEIPT: AEFBQUFBQUFBQUF\\S+',
          'X-SES-DKIM-SIGNATURE: a=rsa-sha256; .*',
          '$',
        ].join('\\r\\n'),
      ),
    );
  });

  it('has the shape of a real one', async (test) => {
    const folder = join(import.meta.dirname, '../../../../shared/corpus/ses-notifications');
    const files = await readdir(folder).catch(() => []);
    const notices = files.filter((file) => file.startsWith('s3_stored') || file.startsWith('dmarc_failed'));
    if (notices.length === 0) return test.skip('3 skipped: no corpus of SES notices beside the project');
    const raw = [
      `Received: by mx.sender.test with SMTP id 1; Mon, 27 Sep 2021 13:16:39 -0700`,
      'MIME-Version: 1.0',
      'In-Reply-To: <a@b>',
      'From: Sender Name <bob@forger.test>',
      'Date: Mon, 27 Sep 2021 15:16:26 -0500',
      'Message-ID: <c@d>',
      'Subject: Re: Test',
      `To: ${to}`,
      'Content-Type: text/plain',
      '',
      'x',
    ].join('\r\n');
    for (const file of notices) {
      const real = JSON.parse(JSON.parse(await readFile(join(folder, file), 'utf8')).Message);
      const domain = file.startsWith('dmarc') ? 'forger.test' : 'sender.test';
      await mail.send({ envelope: { from: `bob@${domain}`, to }, raw: raw.replace('forger.test', domain) });
      expect(shape(mail.notice())).toEqual(shape(real));
      const trace = (notice: any) =>
        notice.mail.headers.slice(0, 9).map(({ name }: { name: string }) => name);
      expect(trace(mail.notice())).toEqual(trace(real));
      const spf = (notice: any) =>
        notice.mail.headers[4].value
          .replace(/envelope-from=\S+;/, '')
          .replace(/\S*\d+\.\d+\.\d+\.\d+\S*|\S+\.(com|test)\S*/g, '…');
      if (domain === 'sender.test') expect(spf(mail.notice())).toEqual(spf(real));
    }
  });

  it('says null sender as SES does, and takes mail that names nobody', async () => {
    await mail.send({ envelope: { from: '', to }, raw: 'Subject: bounce\r\n\r\nx\r\n' });
    expect(mail.notice().mail).toMatchObject({
      source: '',
      destination: [],
      commonHeaders: { returnPath: '', subject: 'bounce' },
    });
    expect(await mail.object()).toMatch(/^Return-Path: <>\r\n/);
  });
});

/** Names and kinds at every depth; of a list its kind of member. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([name, inner]) => [name, shape(inner)]);
}

describe('what may go wrong', () => {
  it('answers 451 and says why when S3 refuses, and leaves nothing behind', async () => {
    mail.refuse.put = new AwsError('AccessDenied', 'no statement allows s3:PutObject', { status: 403 });
    await expect(mail.send({ from: 'bob@sender.test', to, text: 'x' })).rejects.toMatchObject({
      responseCode: 451,
    });
    expect(mail.published).toEqual([]);
    expect(mail.cloud).toMatchObject({
      printed: expect.arrayContaining([expect.stringMatching(/s3:\/\/mail\/incoming\/\w{40}: AccessDenied/)]),
    });
    expect(await readdir(join(mail.cloud.home, 'smtp', 'spool'))).toEqual([]);
  });

  it('loses the notice, not the mail, when the topic refuses', async () => {
    mail.refuse.publish = new AwsError('AuthorizationError', 'not allowed to publish', { status: 403 });
    await mail.send({ from: 'bob@sender.test', to, text: 'x' });
    expect(mail.stored).toHaveLength(1);
    expect(mail.cloud).toMatchObject({
      printed: expect.arrayContaining([expect.stringMatching(/notice of mail \w{40} is lost/)]),
    });
  });

  it('asks to come again when the topic breaks', async () => {
    mail.refuse.publish = new Error('disk full');
    await expect(mail.send({ from: 'bob@sender.test', to, text: 'x' })).rejects.toMatchObject({
      responseCode: 451,
    });
  });

  it('is answered 250 only after object and notice are safe', async () => {
    const order: string[] = [];
    const { objects, topics } = mail;
    const [put, publish] = [objects.putObject, topics.publish];
    objects.putObject = async (request) => (await put(request), void order.push('stored'));
    topics.publish = async (request) => (await publish(request), void order.push('announced'));
    await mail
      .send({ from: 'bob@sender.test', to, text: 'x' })
      .finally(() => Object.assign(objects, { putObject: put }));
    order.push('acknowledged');
    topics.publish = publish;
    expect(order).toEqual(['stored', 'announced', 'acknowledged']);
  });
});

describe('recipients', () => {
  it('are refused where no rule of the active set takes them', async () => {
    await expect(
      mail.send({ from: 'bob@sender.test', to: 'x@elsewhere.test', text: 'x' }),
    ).rejects.toMatchObject({
      responseCode: 550,
      response: '550 5.1.1 mailbox unavailable',
    });
    const mixed = await mail.send({ from: 'bob@sender.test', to: [to, 'x@elsewhere.test'], text: 'x' });
    expect(mixed.rejected).toEqual(['x@elsewhere.test']);
    expect(mail.notice().receipt.recipients).toEqual([to]);
    mail.world.ses.rules.activate(undefined);
    try {
      await expect(mail.send({ from: 'bob@sender.test', to, text: 'x' })).rejects.toMatchObject({
        responseCode: 550,
      });
    } finally {
      mail.world.ses.rules.activate('main');
    }
  });

  it('are refused while DNS does not show that the domain is ours', async () => {
    const other = await mailWorld({ dkimRecords: false });
    try {
      await expect(other.send({ from: 'bob@sender.test', to, text: 'x' })).rejects.toMatchObject({
        responseCode: 550,
      });
      expect(other.cloud).toMatchObject({
        printed: [expect.stringMatching(/posthorn\.test is not verified, DNS lacks \w{32}\._domainkey/)],
      });
    } finally {
      await other.close();
      await removeHome(other.cloud);
    }
  });

  it('need TLS where the rule requires it', async () => {
    const strict = await mailWorld({ rule: { TlsPolicy: 'Require', ScanEnabled: false } });
    try {
      await expect(strict.send({ from: 'bob@sender.test', to, text: 'x' })).rejects.toMatchObject({
        responseCode: 530,
      });
      const { createTransport } = await import('nodemailer');
      const secure = createTransport({
        host: '127.0.0.1',
        port: strict.smtp.port,
        requireTLS: true,
        tls: { rejectUnauthorized: false },
      });
      await secure.sendMail({ from: 'bob@sender.test', to, text: 'x' });
      const { receipt } = strict.notice();
      expect([receipt.spamVerdict.status, receipt.virusVerdict.status]).toEqual(['DISABLED', 'DISABLED']);
      expect(await strict.object()).not.toContain('X-SES-Spam-Verdict');
    } finally {
      await strict.close();
      await removeHome(strict.cloud);
    }
  });
});

it('takes mail from swaks', async (test) => {
  const run = promisify(execFile);
  if (
    await run('swaks', ['--version']).then(
      () => false,
      () => true,
    )
  )
    return test.skip('1 skipped: no swaks');
  const { stdout } = await run('swaks', [
    ...[
      '--server',
      '127.0.0.1',
      '--port',
      String(mail.smtp.port),
      '--helo',
      'client.test',
      '--pipeline',
      '--tls-optional',
    ],
    ...[
      '--from',
      'bob@sender.test',
      '--to',
      `${to},bcc@${DOMAIN}`,
      '--header',
      'Subject: from swaks',
      '--body',
      'hi',
    ],
  ]);
  expect(stdout).toMatch(/<~\s+250 2\.6\.0/);
  expect(mail.notice()).toMatchObject({
    mail: { commonHeaders: { subject: 'from swaks' } },
    receipt: { recipients: [to, `bcc@${DOMAIN}`] },
  });
});
