import { GetAccountCommand } from '@aws-sdk/client-sesv2';
import { simpleParser } from 'mailparser';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Zone } from '../../../lib/local/dns/zone.ts';
import { evaluate } from '../../../lib/local/iam/evaluate.ts';
import { lintPolicy } from '../../../lib/local/iam/lint.ts';
import { deploy, removeHome, type StubCloud, testRole } from '../../support/service-endpoint.ts';
import { DOMAIN } from './mail-fixture.ts';
import { FROM, MAIL_FROM, raw, sendingWorld, simple, TO, until } from './sending-fixture.ts';

let mail: Awaited<ReturnType<typeof sendingWorld>>;
let cloud: StubCloud;
beforeAll(async () => {
  mail = await sendingWorld();
  cloud = mail.cloud;
});
afterAll(async () => {
  await mail.close();
  await removeHome(cloud);
});
beforeEach(() => {
  for (const list of [mail.stored, mail.published, cloud.asked, cloud.calls, cloud.printed]) list.length = 0;
  // The bucket of the sending rate is full again.
  cloud.clock.advance(10_000);
});
afterEach(() => {
  cloud.deny = () => false;
});

const identity = (name: string) => `arn:aws:ses:us-east-1:000000000000:identity/${name}`;
const header = ['From: Ann <ann@posthorn.test>', `To: ${TO}`, 'Subject: raw'];

describe('a sent mail', () => {
  it('arrives with SPF, DKIM and DMARC passed, and the ids SES gives', async () => {
    const { MessageId } = await mail.send({ FromEmailAddress: `"Ann, of old" <${FROM}>` });
    expect(MessageId).toMatch(/^0100[0-9a-f]{12}-[0-9a-f-]{36}-000000$/);
    await mail.arrived();
    const { receipt, mail: notice } = mail.notice();
    expect([receipt.spfVerdict, receipt.dkimVerdict, receipt.dmarcVerdict]).toEqual(
      Array(3).fill({ status: 'PASS' }),
    );
    expect(receipt.recipients).toEqual([TO]);
    expect(notice.source).toBe(`${MessageId}@${MAIL_FROM}`);
    const read = await simpleParser(await mail.object());
    expect(read).toMatchObject({ subject: 'hello', messageId: `<${MessageId}@email.amazonses.com>` });
    expect(read.text!.trim()).toBe('how are you?');
    expect(read.from!.value).toEqual([{ name: 'Ann, of old', address: FROM }]);
    const domains = [...(await mail.object()).matchAll(/dkim=(\w+) header\.i=@(\S+?);/g)];
    expect(domains.map(([, result, domain]) => [domain, result])).toEqual([
      [DOMAIN, 'pass'],
      ['amazonses.com', 'pass'],
    ]);
    await mail.delivered();
    expect(cloud.calls.map(({ action, by }) => [action, by])).toEqual([
      ['SendEmail', 'tester'],
      ['ReceiveEmail', 'smtp'],
    ]);
  });

  it('has text, HTML, headers and attachments', async () => {
    await mail.send({
      ReplyToAddresses: [`desk@${DOMAIN}`],
      Destination: { ToAddresses: [TO], CcAddresses: [`Cem <cem@${DOMAIN}>`] },
      Content: {
        Simple: {
          Subject: { Data: 'Grüße', Charset: 'UTF-8' },
          Body: {
            Text: { Data: 'Höhe', Charset: 'UTF-8' },
            Html: { Data: '<b>Höhe</b><img src="cid:pic">', Charset: 'UTF-8' },
          },
          Headers: [{ Name: 'In-Reply-To', Value: '<a@b>' }],
          Attachments: [
            { FileName: 'list.csv', RawContent: Buffer.from('a;b'), ContentType: 'text/csv' },
            {
              FileName: 'p.png',
              RawContent: Buffer.from([1, 2, 3]),
              ContentDisposition: 'INLINE',
              ContentId: 'pic',
            },
          ],
        },
      },
    });
    await mail.arrived();
    const read = await simpleParser(await mail.object());
    expect(read).toMatchObject({ subject: 'Grüße', inReplyTo: '<a@b>' });
    expect([read.text!.trim(), read.html]).toEqual(['Höhe', expect.stringContaining('<b>Höhe</b>')]);
    expect(read.replyTo!.text).toBe(`desk@${DOMAIN}`);
    expect(read.attachments.map(({ filename, content }) => [filename, content.toString('hex')])).toEqual([
      ['p.png', '010203'],
      ['list.csv', Buffer.from('a;b').toString('hex')],
    ]);
    expect(mail.notice().receipt.recipients).toEqual([TO, `cem@${DOMAIN}`]);
  });

  it('keeps the bytes of a raw message, save what SES writes itself', async () => {
    const lines = [
      ...header,
      'Bcc: eve@posthorn.test',
      'Message-ID: <own@x>',
      'Date: Mon, 1 Jan 2001 00:00:00 +0000',
    ];
    const body = ['', 'line one', '.starts with a dot', '..', 'ends without a line end'];
    const { MessageId } = await mail.sendRaw([...lines, 'References: <r@x>', ...body]);
    await mail.arrived();
    expect(mail.notice().receipt.recipients).toEqual([TO, `eve@${DOMAIN}`]);
    const object = await mail.object();
    expect(object.slice(object.indexOf('\r\nFrom: '))).not.toMatch(/eve@|^bcc:|own@x|Jan 2001/im);
    expect(object).not.toContain('eve@');
    expect(object).toContain('\r\nReferences: <r@x>\r\n');
    expect(object).toContain(`\r\nMessage-ID: <${MessageId}@email.amazonses.com>\r\n`);
    expect(object.endsWith(`\r\n${body.join('\r\n')}\r\n`)).toBe(true);
    expect(mail.notice().receipt.dkimVerdict.status).toBe('PASS');
  });

  it('has no trace of Bcc, and goes where Destination says whatever the headers name', async () => {
    await mail.send({ Destination: { BccAddresses: [`eve@${DOMAIN}`] } });
    await mail.arrived();
    expect(mail.notice().receipt.recipients).toEqual([`eve@${DOMAIN}`]);
    expect((await mail.object()).replace(/^Received: [^]*?\r\n(?! )/m, '')).not.toMatch(/^b?cc:/im);
    await mail.sendRaw([...header, '', 'x'], { Destination: { ToAddresses: [`dan@${DOMAIN}`] } });
    await mail.arrived(2);
    expect(mail.notice().receipt.recipients).toEqual([`dan@${DOMAIN}`]);
  });

  it('may end its lines with LF alone', async () => {
    await mail.sendRaw([[...header, '', 'a', 'b'].join('\n')]);
    await mail.arrived();
    expect(await mail.object()).toMatch(/\r\n\r\na\r\nb\r\n$/);
  });

  it('of a subdomain goes as the nearest identity that is verified, and asks IAM for the nearest', async () => {
    await deploy(mail.world.ses, 'AWS::SES::EmailIdentity', { EmailIdentity: `eu.${DOMAIN}` });
    for (const [at, from, asked] of [
      [1, `x@sub.${DOMAIN}`, DOMAIN],
      [2, `x@eu.${DOMAIN}`, `eu.${DOMAIN}`],
    ] as const) {
      const { MessageId } = await mail.send({ FromEmailAddress: from });
      await mail.arrived(at);
      expect(mail.notice().mail.source).toBe(`${MessageId}@${MAIL_FROM}`);
      expect(mail.notice().receipt.dmarcVerdict.status).toBe('PASS');
      expect(await mail.object()).toContain(`dkim=pass header.i=@${DOMAIN};`);
      expect(cloud.asked.at(-1)!.resource).toBe(identity(asked));
    }
  });
});

describe('is refused', () => {
  it.each([
    ['From', {}, [`From: x@elsewhere.test`, `To: ${TO}`], 'x@elsewhere.test'],
    ['Source', { FromEmailAddress: 'E <x@elsewhere.test>' }, header, 'E <x@elsewhere.test>'],
    ['Sender', {}, [...header, 'Sender: x@elsewhere.test'], 'x@elsewhere.test'],
    ['Return-Path', {}, [...header, 'Return-Path: <x@elsewhere.test>'], '<x@elsewhere.test>'],
  ])('an unverified %s', async (_, input, lines, failed) => {
    await expect(mail.sendRaw([...lines, '', 'x'], input)).rejects.toMatchObject({
      name: 'MessageRejected',
      message: `Email address is not verified. The following identities failed the check in region US-EAST-1: ${failed}`,
      $metadata: { httpStatusCode: 400 },
    });
  });

  const to = (...ToAddresses: string[]) => ({ Destination: { ToAddresses } });
  const content = (more: object) => ({ Content: { Simple: { ...simple('x')!.Simple!, ...more } } });
  it.each([
    [
      '51 recipients',
      to(...Array.from({ length: 51 }, (_, at) => `u${at}@${DOMAIN}`)),
      'Recipient count exceeds 50.',
    ],
    ['nobody', { Destination: {} }, "Missing required header 'To'."],
    ['an empty address', to(''), 'Invalid email address .'],
    ['no domain', to('bob'), "Missing final '@domain'"],
    ['a non-ASCII local part', to(`jürgen@${DOMAIN}`), 'Local address contains control or whitespace'],
    ['a non-ASCII domain', to('bob@grün.test'), 'Domain contains control or whitespace'],
    ['a bare comma in a name', to(`Karen, Chan <${TO}>`), 'Illegal address'],
    ['words after the address', to(`<${TO}> bob`), 'Local address contains illegal character'],
    ['a second address in one', to(`${TO}, eve@${DOMAIN}`), 'Local address contains control or whitespace'],
    ['a line end in an address', to(`${TO}\r\nBcc: eve@${DOMAIN}`), /line end/],
    ['a line end in the name', { FromEmailAddress: `A\nBcc: eve@x <${FROM}>` }, /line end/],
    ['a line end in Reply-To', { ReplyToAddresses: [`${TO}\rX: y`] }, /line end/],
    ['a line end in the subject', { Content: simple('x\r\nBcc: eve@x') }, /line end/],
    [
      'a line end in a header',
      content({ Headers: [{ Name: 'X-A', Value: 'b\r\nBcc: e@x' }] }),
      /Invalid value/,
    ],
    [
      'a colon in a header name',
      content({ Headers: [{ Name: 'Bcc: e@x', Value: '' }] }),
      /Invalid header name/,
    ],
    ['a header of SES', content({ Headers: [{ Name: 'bcc', Value: 'e@x' }] }), /not allowed/],
    ['16 headers', content({ Headers: Array(16).fill({ Name: 'X-A', Value: 'b' }) }), /Headers/],
    ['text that is not ASCII without a charset', { Content: simple('Grüße') }, /Charset UTF-8/],
    [
      'a program',
      content({ Attachments: [{ FileName: 'a.exe', RawContent: Buffer.from('x') }] }),
      /Illegal filename/,
    ],
    ['a template', { Content: { Template: { TemplateName: 't' } } }, /does not send templates/],
    ['two contents', { Content: { ...simple('x'), ...raw(header) } }, /one of Raw, Simple/],
    ['a bad tag', { EmailTags: [{ Name: 'a b', Value: 'c' }] }, /EmailTags.0.Name/],
    ['a long tag', { EmailTags: [{ Name: 'a', Value: 'c'.repeat(257) }] }, /EmailTags.0.Value/],
    ['list management', { ListManagementOptions: { ContactListName: 'l' } }, /does not support/],
    ['feedback forwarding', { FeedbackForwardingEmailAddress: FROM }, /does not support/],
  ])('%s', async (_, input, message) => {
    await expect(mail.send(input)).rejects.toMatchObject({
      name: 'BadRequestException',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    expect(mail.published).toEqual([]);
  });

  it.each([
    ['no From', [`To: ${TO}`, 'Subject: x'], "Missing required header 'From'."],
    ['two subjects', [...header, 'Subject: y'], "Duplicate header 'Subject'."],
    ['a line of over 1,000', [...header, '', 'x'.repeat(999)], /1,000 characters/],
    ['a lone CR', [...header.slice(0, 2), `Subject: x\rBcc: e@x`], /CR without LF/],
    ['something that is no header', [...header, 'no header'], /Illegal header line/],
    ['a note to SES it does not know', [...header, 'X-SES-TENANT: t'], /does not support/],
    ['bad tags', [...header, 'X-SES-MESSAGE-TAGS: a=b c'], /Invalid tag/],
    [
      'a program',
      [
        ...header,
        'Content-Type: application/x;',
        ' name="a.pdf"',
        'Content-Disposition: attachment;',
        ' filename=a.Js',
        '',
        'x',
      ],
      "Illegal filename 'a.Js'.",
    ],
  ])('a raw message with %s', async (_, lines, message) => {
    await expect(mail.sendRaw(lines)).rejects.toMatchObject({
      name: 'BadRequestException',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  it('a mail of over 40 MB in base64', async () => {
    // The limit itself would have to be allowed to pass, so that the refusal is not the transport's.
    const body = `${'x'.repeat(76)}\r\n`.repeat(403_400);
    await expect(mail.sendRaw([...header, '', body])).rejects.toMatchObject({
      message: expect.stringMatching(/^Message length is more than 41943040 bytes long: '\d{8}'\.$/),
    });
  });

  it('an unknown configuration set or tenant, and takes a known one', async () => {
    const missing = { name: 'NotFoundException', $metadata: { httpStatusCode: 404 } };
    await expect(mail.send({ ConfigurationSetName: 'none' })).rejects.toMatchObject({
      ...missing,
      message: 'Configuration set <none> does not exist.',
    });
    await expect(mail.sendRaw([...header, 'X-SES-CONFIGURATION-SET: none'])).rejects.toMatchObject(missing);
    await expect(mail.send({ TenantName: 't' })).rejects.toMatchObject(missing);
    await deploy(mail.world.ses, 'AWS::SES::ConfigurationSet', { Name: 'events' });
    await mail.send({ ConfigurationSetName: 'events', EmailTags: [{ Name: 'org', Value: 'a_1-B' }] });
    await mail.arrived();
    expect(cloud.asked.slice(-2).map(({ resource }) => resource)).toEqual([
      identity(DOMAIN),
      'arn:aws:ses:us-east-1:000000000000:configuration-set/events',
    ]);
  });

  it('a MAIL FROM domain that does not work, where the identity asks for that', async () => {
    await deploy(mail.world.ses, 'AWS::SES::EmailIdentity', {
      EmailIdentity: `strict.${DOMAIN}`,
      MailFromAttributes: { MailFromDomain: `no.strict.${DOMAIN}`, BehaviorOnMxFailure: 'REJECT_MESSAGE' },
    });
    const found = mail.world.ses.identities.find(`strict.${DOMAIN}`)!;
    mail.world.names.add(
      new Zone(
        `strict.${DOMAIN}`,
        mail.world.ses.identities
          .dkimRecords(found)
          .map(({ name, value }) => ({ name, type: 'CNAME' as const, ttl: 60, values: [value] })),
      ),
    );
    await expect(mail.send({ FromEmailAddress: `x@strict.${DOMAIN}` })).rejects.toMatchObject({
      name: 'MailFromDomainNotVerifiedException',
    });
  });
});

describe('IAM', () => {
  it('refuses a caller without the grant, before anything is said of the identity', async () => {
    cloud.deny = ({ action }) => action === 'ses:SendEmail';
    const refused = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 403 } };
    await expect(mail.send({})).rejects.toMatchObject(refused);
    await expect(mail.send({ FromEmailAddress: 'x@elsewhere.test' })).rejects.toMatchObject(refused);
    expect(cloud.asked.map(({ action, resource }) => [action, resource])).toEqual([
      ['ses:SendEmail', identity(DOMAIN)],
      ['ses:SendEmail', identity('x@elsewhere.test')],
    ]);
    // Raw content is another action.
    await mail.sendRaw([...header, '', 'x']);
    expect(cloud.asked.at(-1)!.action).toBe('ses:SendRawEmail');
    await mail.arrived();
  });

  it('is told who sends to whom, and policies can ask for it', async () => {
    await mail.sendRaw(
      [`From: =?UTF-8?Q?=C3=84nn?= <${FROM}>`, `To: ${TO}`, `Return-Path: <back@${DOMAIN}>`, '', 'x'],
      { Destination: { ToAddresses: [TO], BccAddresses: ['eve@sender.test'] } },
    );
    const access = cloud.asked.at(-1)!;
    expect(access.context).toEqual({
      'ses:FromAddress': FROM,
      'ses:FromDisplayName': 'Änn',
      'ses:FeedbackAddress': `back@${DOMAIN}`,
      'ses:Recipients': [TO, 'eve@sender.test'],
    });
    const place = { account: '000000000000', region: 'us-east-1', now: Date.now() };
    const outcome = (Condition: Record<string, Record<string, string>>) => {
      const Action = 'ses:SendRawEmail';
      const statement = { Effect: 'Allow' as const, Action, Resource: identity(DOMAIN), Condition };
      lintPolicy('policy', { Version: '2012-10-17', Statement: statement });
      return evaluate({ ...access, caller: testRole }, [statement], place).outcome;
    };
    expect(outcome({ StringEquals: { 'ses:FromAddress': FROM } })).toBe('allowed');
    expect(outcome({ StringEquals: { 'ses:FromAddress': TO } })).toBe('implicit-deny');
    expect(outcome({ 'ForAllValues:StringLike': { 'ses:Recipients': `*@${DOMAIN}` } })).toBe('implicit-deny');
    expect(outcome({ 'ForAnyValue:StringLike': { 'ses:Recipients': `*@${DOMAIN}` } })).toBe('allowed');
    expect(() => outcome({ StringLike: { 'ses:Recipients': '*' } })).toThrow('ForAllValues:StringLike');
    await mail.arrived();
  });
});

describe('rate and quota', () => {
  it('count recipients, and GetAccount shows them', async () => {
    const before = await mail.client.send(new GetAccountCommand());
    await mail.send({
      Destination: { ToAddresses: Array.from({ length: 14 }, (_, at) => `u${at}@${DOMAIN}`) },
    });
    await expect(mail.send({})).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      message: 'Maximum sending rate exceeded.',
    });
    cloud.clock.advance(1_000);
    await mail.send({ Destination: { ToAddresses: ['success@simulator.amazonses.com', TO] } });
    const after = await mail.client.send(new GetAccountCommand());
    expect(after.SendQuota).toEqual({
      Max24HourSend: 50_000,
      MaxSendRate: 14,
      SentLast24Hours: before.SendQuota!.SentLast24Hours! + 15,
    });
    await mail.arrived(2);
    cloud.clock.advance(86_400_000);
    const nextDay = await mail.client.send(new GetAccountCommand());
    expect(nextDay.SendQuota!.SentLast24Hours).toBe(0);
    mail.world.ses.sending.quota.count(50_000);
    await expect(mail.send({})).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      message: 'Daily message quota exceeded.',
    });
    cloud.clock.advance(86_400_000);
  });
});

describe('a delivery', () => {
  it.each([
    ['without MX', 'bob@nopolicy.test', 'nopolicy.test has no MX in the local DNS'],
    ['to no domain at all', 'bob@nowhere.invalid', 'nowhere.invalid has no MX in the local DNS'],
    [
      'to the world outside',
      'bob@sender.test',
      'the MX of sender.test is mx.sender.test, and nothing leaves this machine',
    ],
    ['that is refused', 'bob@refused.test', /550 .*mailbox unavailable/],
    ['to the simulator', 'bounce+x@simulator.amazonses.com', 'the mailbox simulator was asked to'],
  ])('%s bounces with one line', async (_, address, reason) => {
    mail.world.names.add(
      new Zone('refused.test', [
        { name: 'refused.test', type: 'MX', ttl: 60, values: ['10 inbound-smtp.us-east-1.amazonaws.com.'] },
      ]),
    );
    const { MessageId } = await mail.send({ Destination: { ToAddresses: [address] } });
    await mail.delivered();
    const lines = cloud.printed.filter((line) => line.includes('bounced'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`ses: mail ${MessageId} to ${address} bounced, and nothing listens for it: `);
    expect(lines[0]!.split('nothing listens for it: ')[1]).toMatch(reason);
  });

  it('refused for some recipients reaches the others', async () => {
    mail.world.ses.rules.updateRule('main', {
      ...mail.world.ses.rules.get('main').Rules[0]!,
      Recipients: [TO],
    });
    await mail.send({ Destination: { ToAddresses: [TO, `nobody@${DOMAIN}`] } });
    await mail.arrived();
    await until(() => cloud.printed.some((line) => line.includes(`to nobody@${DOMAIN} bounced`)));
    expect(mail.notice().receipt.recipients).toEqual([TO]);
    mail.world.ses.rules.updateRule('main', {
      ...mail.world.ses.rules.get('main').Rules[0]!,
      Recipients: [DOMAIN, `.${DOMAIN}`],
    });
  });

  it('is tried again while the other side is out of order, and given up after 14 hours', async () => {
    mail.refuse.put = new Error('out of order');
    await mail.send({});
    const tries = () => cloud.calls.filter(({ action }) => action === 'ReceiveEmail').length;
    await until(() => tries() === 1);
    await until(() => waiting()?.attempts === 1);
    mail.refuse.put = undefined;
    cloud.clock.advance(5_000);
    await mail.arrived();
    expect(mail.published).toHaveLength(1);
    await until(() => waiting() === undefined);

    mail.refuse.put = new Error('out of order');
    await mail.send({});
    await until(() => waiting()?.attempts === 1);
    cloud.clock.advance(14 * 3_600_000);
    await until(() => cloud.printed.some((line) => /bounced, and nothing listens for it: .*451/.test(line)));
    expect(waiting()).toBeUndefined();
    mail.refuse.put = undefined;
  });

  const waiting = () => mail.world.ses.sending.waiting()[0];
});
