import { describe, expect, it } from 'vitest';
import { quoteText, readCharacterStrings, readRecordValue } from '../../../lib/local/dns/record-value.ts';

describe('a record value', () => {
  it('of each type is read as a packet carries it', () => {
    expect(readRecordValue('MX', '10 MX.example.com.')).toEqual({
      preference: 10,
      exchange: 'mx.example.com',
    });
    expect(readRecordValue('SRV', '1 2 587 smtp.example.com.')).toEqual({
      priority: 1,
      weight: 2,
      port: 587,
      target: 'smtp.example.com',
    });
    expect(readRecordValue('CAA', '0 issue "ca.example.net"')).toEqual({
      flags: 0,
      tag: 'issue',
      value: 'ca.example.net',
    });
    expect(readRecordValue('AAAA', '::1')).toBe('::1');
  });

  it.each([
    ['A', '127.0.0'],
    ['AAAA', '127.0.0.1'],
    ['MX', 'mx.example.com'],
    ['MX', '70000 mx.example.com'],
    ['CNAME', 'two names'],
    ['CNAME', `${'a'.repeat(64)}.example.com`],
    ['TXT', 'unquoted'],
    ['TXT', `"${'x'.repeat(256)}"`],
    ['TXT', '"open'],
  ] as const)('%s %s is refused', (type, value) => {
    expect(() => readRecordValue(type, value)).toThrow(/Value|CharacterString/);
  });

  it('of text goes through quoting and back', () => {
    const text = `a "quoted" \\ text ${'x'.repeat(600)}`;
    expect(readCharacterStrings(quoteText(text)).join('')).toBe(text);
    expect(readCharacterStrings(quoteText(text)).length).toBe(3);
    expect(readCharacterStrings('"\\101\\"\\\\"').join('')).toBe('A"\\');
  });
});
