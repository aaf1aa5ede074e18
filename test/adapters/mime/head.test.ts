import { describe, expect, it } from 'vitest';
import { headerMap, headerValue, messageIds, splitHead } from '../../../lib/adapters/mime/head.ts';
import { MAIL_LIMITS } from '../../../lib/adapters/mime/limits.ts';
import { fixture, mailOf, parsed } from './mail-source.ts';

const head = (text: string): ReturnType<typeof splitHead> => splitHead(Buffer.from(text, 'latin1'));

describe('splitHead', () => {
  it('ends at the first empty line and unfolds', () => {
    const lines = head('A: 1\r\n\t2\r\nB:3\r\n\r\nC: 4\r\n');
    expect(lines.map(({ name }) => name)).toEqual(['A', 'B']);
    expect(headerValue(lines, 'a')).toBe('1 2');
  });

  it('leaves out what is no header', () => {
    const lines = head('From ada Mon Jun 1\r\nno colon\r\n: empty\r\nä: x\r\n__proto__: x\r\nX : ok\r\n\r\n');
    expect(lines.map(({ name }) => name)).toEqual(['X']);
  });

  it('reads 8-bit values as UTF-8, else as Latin-1', () => {
    expect(headerValue(head('A: d\xc3\xa9j\xc3\xa0\n\n'), 'a')).toBe('déjà');
    expect(headerValue(head('A: d\xe9j\xe0\n\n'), 'a')).toBe('déjà');
  });
});

describe('headerMap', () => {
  it('keeps names as first written and joins repeated ones', async () => {
    const mail = await parsed(await fixture('auto-reply'));
    expect(mail.headers['X-Loop']).toBe('one\ntwo\nthree');
    expect(mail.headers).not.toHaveProperty('x-loop');
    expect(mail.auto_submitted).toBe('auto-replied (vacation)');
  });

  it('is bounded in names and bytes, and says so', async () => {
    const many = Array.from({ length: 300 }, (_, index): [string, string] => [`X-${index}`, 'v']);
    const mail = await parsed(mailOf('hi', Object.fromEntries(many)));
    expect(Object.keys(mail.headers)).toHaveLength(MAIL_LIMITS.headerNames);
    expect(mail.parse_error).toContain('not all headers are kept');
    expect(mail.text).toBe('hi');
    const { map, complete } = headerMap(head(`A: ${'x'.repeat(50)}\nB: y\n\n`), {
      headBytes: 20,
      headerNames: 9,
    });
    expect({ map, complete }).toEqual({ map: { B: 'y' }, complete: false });
  });

  it('does not decode, so that an encoded line break forges no header', () => {
    const { map } = headerMap(head('Subject: =?utf-8?Q?a=0AX-Forged:_b?=\n\n'), MAIL_LIMITS);
    expect(map).toEqual({ Subject: '=?utf-8?Q?a=0AX-Forged:_b?=' });
  });

  it('takes names of the prototype of objects', async () => {
    const mail = await parsed(await fixture('prototype-names'));
    expect(mail.headers['constructor']).toBe('c');
    expect(JSON.parse(JSON.stringify(mail.headers))).toEqual(mail.headers);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('messageIds', () => {
  it.each([
    ['<a@b>', ['<a@b>']],
    ['a@b', ['<a@b>']],
    ['<a@b><c@d> <e@f>', ['<a@b>', '<c@d>', '<e@f>']],
    ['Message of Monday <a@b> "x"', ['<a@b>']],
    ['<<a@b>>', ['<a@b>']],
    ['<a\n b@c>', ['<ab@c>']],
    ['<>', []],
    ['no id here', []],
    ['>>>', []],
    ['<a@b', []],
    [`<${'a'.repeat(997)}>`, []],
    [`<${'a'.repeat(996)}>`, [`<${'a'.repeat(996)}>`]],
    ['<a\u0007@b>', []],
    ['', []],
  ])('of %j', (value, ids) => {
    expect(messageIds(value)).toEqual(ids);
  });

  it('are read from a mail, folded or not', async () => {
    const mail = await parsed(await fixture('folded-message-ids'));
    expect(mail.message_id).toBe('<very-long-part-and-the-rest@sender.test>');
    expect(mail.in_reply_to).toBe('<parent@agents.test>');
    expect(mail.references).toEqual([
      '<root@agents.test>',
      '<mid@agents.test>',
      '<parent@agents.test>',
      '<double@agents.test>',
    ]);
  });

  it('keep the beginning and the end of a long chain', async () => {
    const chain = Array.from({ length: 3_000 }, (_, index) => `<${index}@x>`);
    const mail = await parsed(mailOf('hi', { References: chain.join('\r\n ') }));
    expect(mail.references).toEqual([...chain.slice(0, 50), ...chain.slice(-50)]);
  });
});
