import type { Message } from '../../lib/contract/message.ts';

/** A mail that means harm, and what the agent is to see of it. */
export interface HostileMail {
  raw: Buffer;
  seen?: Partial<Message>;
  parse_error?: RegExp;
  /** How many it has; none when not given. */
  attachments?: number;
}

const head = 'From: Mallory <mallory@sender.test>\r\nTo: someone@else.test\r\nSubject: s\r\n';
const mime = (type: string) => `${head}MIME-Version: 1.0\r\nContent-Type: ${type}\r\n`;
const bytes = (...parts: (string | Buffer)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
const mail = (text: string, more: Omit<HostileMail, 'raw'> = {}): HostileMail => ({
  raw: bytes(text),
  ...more,
});
const times = (count: number, each: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => each(n)).join('');

/** Parts within parts, each boundary another. */
const nested = (levels: number) =>
  `${head}MIME-Version: 1.0\r\n${times(levels, (n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`)}\r\ndeep\r\n`;

const named = (name: string) =>
  `${mime('multipart/mixed; boundary=b')}\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: application/pdf\r\n` +
  `Content-Disposition: attachment; filename*=UTF-8''${encodeURIComponent(name)}\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n`;

/** No line as long as 998, as RFC 5322 has it. */
const folded = (name: string, values: string[], between = '') =>
  `${name}: ${values.join(`${between}\r\n `)}\r\n`;

/** By name. Every one of them has lines that an SMTP server takes. */
export const hostileMails: Record<string, HostileMail> = {
  'parts 10,000 deep': mail(nested(10_000), { parse_error: /nested deeper than 100/ }),
  'a hundred thousand parts': mail(
    `${mime('multipart/mixed; boundary=b')}\r\n${'--b\r\nContent-Type: image/png\r\n\r\nx\r\n'.repeat(100_000)}--b--\r\n`,
    {
      parse_error: /more than 500 attachments; there are more than 1000 parts/,
      attachments: 500,
    },
  ),
  'a bomb of headers': mail(`${head}${times(300_000, (n) => `X-Bomb-${n}: ${n}\r\n`)}\r\nhi\r\n`, {
    parse_error: /a header block is larger/,
  }),
  'ten megabytes of newlines': mail(`${head}\r\n${'\r\n'.repeat(5 * 1024 * 1024)}`, {
    parse_error: /larger than 4194304 bytes/,
  }),
  'garbage for base64': mail(
    `${head}MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n${'!"§$%&/()=?*#~\r\n'.repeat(50_000)}`,
  ),
  'names that are no names': mail(
    `${head}__proto__: polluted\r\nconstructor: polluted\r\ntoString: polluted\r\nhasOwnProperty: polluted\r\n\r\nhi\r\n`,
    {
      seen: { text: 'hi\n' },
    },
  ),
  'NUL bytes': {
    raw: bytes(
      'From: a\0b@sender.test\r\nSubject: nul\0l\r\nX-\0: \0\r\n\r\nbe\0fore',
      Buffer.alloc(2000),
      '\r\nafter\r\n',
    ),
  },
  'lone surrogates': {
    raw: bytes(
      `${head.replace('s\r\n', '=?utf-16be?B?2AAAYQ==?= =?utf-8?Q?=ED=A0=80?=\r\n')}MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>&#xD800; `,
      Buffer.from([0xed, 0xa0, 0x80, 0xff, 0xc0]),
      ' end</p>\r\n',
    ),
  },
  'a thousand recipients in To': mail(
    `From: m@sender.test\r\nSubject: s\r\n${folded(
      'To',
      Array.from({ length: 1000 }, (_, n) => `Person ${n} <person.number.${n}@else.test>`),
      ',',
    )}\r\nhi\r\n`,
  ),
  'no From': mail('To: a@else.test\r\nSubject: s\r\n\r\nhi\r\n', {
    seen: { from: 'alice@sender.test', subject: 's' },
  }),
  'no Date and no Message-ID': mail(`${head}\r\nhi\r\n`, { seen: { subject: 's' } }),
  'three From headers': mail(
    'From: a@sender.test\r\nFrom: b@sender.test\r\nFrom: c@forger.test\r\nSubject: s\r\n\r\nhi\r\n',
    { seen: { subject: 's' }, parse_error: /there are 3 From headers/ },
  ),
  'a huge subject': mail(
    `From: m@sender.test\r\n${folded(
      'Subject',
      Array.from({ length: 60 }, () => 'x'.repeat(900)),
    )}\r\nhi\r\n`,
  ),
  'a subject beyond bounds': mail(
    `From: m@sender.test\r\n${folded(
      'Subject',
      Array.from({ length: 200 }, () => 'x'.repeat(900)),
    )}\r\nhi\r\n`,
    { parse_error: /header Subject is longer/ },
  ),
  'five thousand references': mail(
    `${head}${folded(
      'References',
      Array.from({ length: 5000 }, (_, n) => `<ref.${n}@else.test>`),
    )}In-Reply-To: <ref.4999@else.test>\r\n\r\nhi\r\n`,
    {
      seen: { in_reply_to: '<ref.4999@else.test>' },
    },
  ),
  'a filename with a path': mail(named('../../../etc/passwd\u0000\u202Egpj.exe'), { attachments: 1 }),
  'a filename of Windows': mail(named('C:\\Windows\\system32\\\u2066cmd\u2069.exe\r\nX-Injected: 1'), {
    attachments: 1,
  }),
  'an unending filename': mail(named('n'.repeat(5000)), { attachments: 1 }),
  'nothing at all': { raw: Buffer.alloc(0) },
  'only headers': mail(head, { seen: { subject: 's' } }),
  'only a body': mail('\r\nno header stands above\r\n', {
    seen: { text: 'no header stands above\n', from: 'alice@sender.test' },
  }),
  'headers of SES, forged': mail(
    `X-SES-Virus-Verdict: FAIL\r\nX-SES-Spam-Verdict: FAIL\r\nAuthentication-Results: amazonses.com; spf=fail; dkim=fail; dmarc=fail\r\n${head}\r\nhi\r\n`,
    {
      seen: { labels: ['received', 'unread'] },
    },
  ),
  'a message in a message in a message': mail(
    `${head}MIME-Version: 1.0\r\n${'Content-Type: message/rfc822\r\n\r\n'.repeat(2000)}\r\nhi\r\n`,
    { attachments: 1 },
  ),
  'an id that is a sentence': mail(
    `${head}Message-ID: ${'<<a b@c>> '.repeat(80)}\r\nIn-Reply-To: <${'x'.repeat(900)}>\r\nReferences: <> >< <\r\n\r\nhi\r\n`,
    { seen: { subject: 's' } },
  ),
  'a date of nowhere': mail(`${head}Date: Fri, 99 Foo 99999 99:99:99 +9999\r\n\r\nhi\r\n`, {
    seen: { subject: 's' },
  }),
  'SMTP within': mail(`${head}\r\n.\r\n..\r\nMAIL FROM:<x@y.test>\r\n.QUIT\r\n`),
};
