import { describe, expect, it } from 'vitest';
import { addressTexts, bareAddress, decodeWords, readHeaders } from '../../../lib/local/ses/mail-header.ts';
import { meetsCondition } from '../../../lib/local/ses/recipient-condition.ts';

describe('headers', () => {
  it('are unfolded as SES does it, a DKIM signature without the spaces in its base64', () => {
    const section = [
      'Subject: one',
      '\ttwo',
      'DKIM-Signature: v=1; d=x;',
      '\ts=y; b=AAA',
      '\t BBB; bh=CC',
      ' DD',
      'X-Google-DKIM-Signature: b=AAA',
      ' BBB',
      'no header at all',
      'Empty:',
    ].join('\r\n');
    expect(readHeaders(section)).toEqual([
      { name: 'Subject', value: 'one two' },
      { name: 'DKIM-Signature', value: 'v=1; d=x; s=y; b=AAABBB; bh=CCDD' },
      { name: 'X-Google-DKIM-Signature', value: 'b=AAA BBB' },
      { name: 'Empty', value: '' },
    ]);
  });

  it.each([
    ['a@b, "C, D" <c@d>, e@f (g, h), ,<@i,@j:k@l>', ['a@b', '"C, D" <c@d>', 'e@f (g, h)', '<@i,@j:k@l>']],
    ['"quoted \\" , x" <a@b>', ['"quoted \\" , x" <a@b>']],
    ['', []],
  ])('split addresses of %s', (value, expected) => {
    expect(addressTexts([{ name: 'To', value }], 'to')).toEqual(expected);
  });

  it('give the bare address', () => {
    expect(['"A <x@y>" <a@b>', 'c@d'].map(bareAddress)).toEqual(['a@b', 'c@d']);
  });

  it('decode words, and leave what cannot be decoded', () => {
    expect(decodeWords('=?UTF-8?B?R3LDvA==?= =?utf-8?q?=C3=9Fe_?=x')).toBe('Grüße x');
    expect(decodeWords('=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=')).toBe('日本');
    expect(decodeWords('=?no-such?B?AAAA?= =?broken')).toBe('=?no-such?B?AAAA?= =?broken');
  });

  it('of a hostile mail take no time', () => {
    const started = performance.now();
    readHeaders(`X: ${' '.repeat(500_000)}x\r\n${'Y:\r\n '.repeat(100_000)}`);
    addressTexts([{ name: 'To', value: '<"('.repeat(100_000) }], 'to').map(bareAddress);
    decodeWords('=?a?q?'.repeat(2_000));
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('a recipient condition', () => {
  it.each([
    ['example.com', 'a@example.com', true],
    ['example.com', 'a@EXAMPLE.com', true],
    ['example.com', 'a@sub.example.com', false],
    ['.example.com', 'a@sub.example.com', true],
    ['.example.com', 'a@deep.sub.example.com', true],
    ['.example.com', 'a@example.com', false],
    ['.example.com', 'a@badexample.com', false],
    ['ann@example.com', 'Ann@example.com', true],
    ['ann@example.com', 'ann+label@example.com', true],
    ['ann@example.com', 'anna@example.com', false],
    ['ann+x@example.com', 'ann+x@example.com', true],
    ['ann+x@example.com', 'ann@example.com', false],
    ['ann+x@example.com', 'ann+x+y@example.com', false],
  ])('%s for %s: %s', (condition, address, expected) => {
    expect(meetsCondition(condition, address)).toBe(expected);
  });
});
