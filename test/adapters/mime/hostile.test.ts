import { describe, expect, it } from 'vitest';
import type { ParsedMail } from '../../../lib/core/mail.ts';
import { mailOf, parsed, repeated } from './mail-source.ts';

const MB = 1024 * 1024;
const mixed = mailOf('', { 'Content-Type': 'multipart/mixed; boundary=b' });
const html = mailOf('', { 'Content-Type': 'text/html' });
const plain = mailOf('');

function nested(levels: number, boundary: (level: number) => string): Buffer {
  const parts = Array.from({ length: levels }, (_, level) => {
    const name = boundary(level);
    return `Content-Type: multipart/mixed; boundary=${name}\r\n\r\n--${name}\r\n`;
  });
  return Buffer.from(`From: a@sender.test\r\nSubject: s\r\n${parts.join('')}\r\ndeep`);
}

/** Whatever a mail does, the mail is described, in bounds, and JSON takes it. */
function expectSane(mail: ParsedMail): void {
  expect(JSON.parse(JSON.stringify(mail))).toEqual(mail);
  expect(mail.from).toBe('a@sender.test');
  expect(mail.subject).toBe('s');
  expect(mail.attachments.length).toBeLessThanOrEqual(500);
  expect(JSON.stringify(mail.headers).length).toBeLessThan(MB);
}

describe('a mail built to exhaust the parser', () => {
  const cases: [string, Uint8Array | (() => Iterable<Uint8Array>), string | undefined][] = [
    ['10,000 levels of parts', nested(10_000, (level) => `b${level}`), 'parts are nested deeper than 100'],
    ['10,000 levels with one boundary', nested(10_000, () => 'b'), 'parts are nested deeper than 100'],
    [
      '100,000 parts',
      () => repeated(mixed, '--b\r\nContent-Type: image/png\r\n\r\nx\r\n', 3.5 * MB),
      'there are more than 500 attachments; there are more than 1000 parts',
    ],
    ['100,000 text parts', () => repeated(mixed, '--b\r\n\r\nx\r\n', MB), 'there are more than 1000 parts'],
    [
      'a header block without end',
      () => repeated(plain.subarray(0, -2), 'X-A: b\r\n', 8 * MB),
      'a header block is larger',
    ],
    ['a preamble without end', () => repeated(mixed, '--a\r\n', 4 * MB), 'it says it has parts'],
    ['one line of 4 MB', () => repeated(plain, 'a', 3.9 * MB), undefined],
    [
      '20 MB of text',
      () => repeated(plain, 'word word\r\n', 20 * MB),
      'the text/plain body is larger than 4194304 bytes',
    ],
    [
      '20 MB of HTML',
      () => repeated(html, '<p>word</p>\r\n', 20 * MB),
      'the text/html body is larger than 4194304 bytes',
    ],
    ['elements never closed', () => repeated(html, '<b>', MB), undefined],
    ['tags never ended', () => repeated(html, '<a b', MB), undefined],
    ['comments never ended', () => repeated(html, '<!--', MB), undefined],
    ['entities', () => repeated(html, '&lt;&#x41;', 0.5 * MB), undefined],
    [
      'no base64',
      () => repeated(mailOf('', { 'Content-Transfer-Encoding': 'base64' }), '!@#=', 2 * MB),
      undefined,
    ],
    ['a header of quotes', mailOf('', { To: '"'.repeat(60_000) }), undefined],
    ['a header of comments', mailOf('', { To: '('.repeat(60_000) }), undefined],
    ['a header of groups', mailOf('', { To: 'a:'.repeat(30_000) }), undefined],
    ['a header of brackets', mailOf('', { To: '<@'.repeat(30_000) }), undefined],
    ['encoded words never ended', mailOf('', { To: '=?utf-8?B?'.repeat(6_000) }), undefined],
    ['6,000 encoded words', mailOf('', { To: '=?utf-8?Q?a?= '.repeat(4_500) }), undefined],
    ['a header too long to decode', mailOf('', { To: 'a@b.c, '.repeat(20_000) }), 'the header To is longer'],
    [
      'parameter continuations',
      mailOf('', { 'Content-Type': `text/plain;${' a*1*=b;'.repeat(8_000)}` }),
      undefined,
    ],
    ['encodings of comments', mailOf('', { 'Content-Transfer-Encoding': '('.repeat(60_000) }), undefined],
    ['ids of brackets', mailOf('', { References: '>'.repeat(200_000) }), undefined],
    ['attributions', () => repeated(plain, 'On 2026-01-01 10:00 <a@b.c> \n', 250_000), undefined],
    [
      'answered attributions',
      () => repeated(plain, 'On 2026-01-01 10:00 <a@b.c> wrote:\n> a\nb\n', 250_000),
      undefined,
    ],
    ['attributions of the library', mailOf('Op \nschreef\n'.repeat(1_300)), undefined],
    ['white space', mailOf(`x${'\n'.repeat(16_000)}y${' '.repeat(100_000)}z`), undefined],
    ['code fences', mailOf('```\n'.repeat(60_000)), undefined],
  ];

  it.each(cases)('%s', async (_what, mail, problem) => {
    const result = await parsed(typeof mail === 'function' ? mail() : mail);
    expectSane(result);
    if (problem === undefined) expect(result).not.toHaveProperty('parse_error');
    else expect(result.parse_error).toContain(problem);
  });

  it.each([
    ['4 million lines', plain, '\n'],
    [
      '4 MB in a charset decoded number by number',
      mailOf('', { 'Content-Type': 'text/plain; charset=iso-2022-jp' }),
      'abcdef\n',
    ],
  ])('stays within the heap with %s', async (_what, head, text) => {
    const result = await parsed(repeated(head, text, 3.9 * MB));
    expectSane(result);
    expect(result).not.toHaveProperty('parse_error');
    expect(result.text!.length).toBeGreaterThan(3.5 * MB);
  });

  it.each([
    ['quotations', '<blockquote>'],
    ['lists', '<ul><li>'],
  ])('does not grow nested %s into more text than there is', async (_what, element) => {
    const page = mailOf(element.repeat(240) + 'x<br>'.repeat(40_000), { 'Content-Type': 'text/html' });
    const result = await parsed(page);
    expectSane(result);
    expect(JSON.stringify(result).length).toBeLessThan(3 * page.byteLength);
    expect(result).not.toHaveProperty('parse_error');
  });

  it('keeps what came before the limit', async () => {
    const parts = await parsed(repeated(mixed, '--b\r\nContent-Type: image/png\r\n\r\nxy\r\n', 0.5 * MB));
    expect(parts.attachments).toHaveLength(500);
    expect(parts.attachments.every(({ size }) => size === 2)).toBe(true);
    const long = await parsed(repeated(plain, 'word word\r\n', 20 * MB));
    expect(long.text!.length).toBeGreaterThan(3.5 * MB);
    const texts = await parsed(repeated(mixed, '--b\r\n\r\nx\r\n', 0.5 * MB));
    expect(texts.text).toMatch(/^(x\n){900}/);
  });

  it('reads 41 MB of a mail and says that there is more', async () => {
    const mail = await parsed(repeated(plain, 'word\r\n', 2 * MB), { limits: { rawBytes: MB } });
    expect(mail.parse_error).toContain('the mail is larger than 1048576 bytes; the rest was not read');
    expect(mail.text!.length).toBeLessThan(MB);
  });
});
