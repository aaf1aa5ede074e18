import { describe, expect, it } from 'vitest';
import { addressOf, normalizeUsername, parseRecipient, reservedUsernames } from '../../lib/core/address.ts';

describe('a username', () => {
  it.each([
    ['ada', 'ada'],
    ['  Ada.Lovelace ', 'ada.lovelace'],
    ['A_b-C.9', 'a_b-c.9'],
    ['a'.repeat(64), 'a'.repeat(64)],
  ])('%j is stored as %j', (given, stored) => {
    expect(normalizeUsername(given)).toBe(stored);
  });

  it.each([
    ['', 'may have'],
    ['a'.repeat(65), 'at most 64'],
    ['.ada', 'may have'],
    ['ada.', 'may have'],
    ['a..b', 'may have'],
    ['a b', 'may have'],
    ['a@b', 'may have'],
    ['"ada"', 'may have'],
    ['ada+tag', 'must not contain +'],
    ['ada\u0000', 'may have'],
    ['adä', 'may have'],
    ['аda', 'may have'], // a Cyrillic а
    ['a/b', 'may have'],
    ['Postmaster', 'is reserved'],
    ['ABUSE', 'is reserved'],
    ['no-reply', 'is reserved'],
  ])('%j is refused', (given, why) => {
    expect(() => normalizeUsername(given)).toThrowError(
      expect.objectContaining({ code: 'validation_error', message: expect.stringContaining(why) as string }),
    );
  });

  it('leaves ordinary words free and reserves every mailbox of RFC 2142', () => {
    for (const name of ['hello', 'team', 'contact', 'agent']) expect(normalizeUsername(name)).toBe(name);
    const rfc2142 = [
      'info',
      'marketing',
      'sales',
      'support',
      'abuse',
      'noc',
      'security',
      'postmaster',
      'hostmaster',
      'usenet',
      'news',
      'webmaster',
      'www',
      'uucp',
      'ftp',
    ];
    expect(rfc2142.filter((name) => !reservedUsernames.has(name))).toEqual([]);
  });

  it('makes an address of at most 254 characters', () => {
    const domain = `${'d'.repeat(60)}.${'e'.repeat(60)}.${'f'.repeat(60)}.test`;
    expect(addressOf('a', domain)).toBe(`a@${domain}`);
    expect(() => addressOf('a'.repeat(64), domain.padStart(200, 'x'))).toThrowError(
      expect.objectContaining({ code: 'validation_error' }),
    );
  });
});

describe('an envelope recipient', () => {
  it.each([
    ['ada@mail.test', 'ada@mail.test', undefined],
    ['Ada@MAIL.Test', 'ada@mail.test', undefined],
    ['ada+Shop@mail.test', 'ada@mail.test', 'Shop'],
    ['ada+a+b@mail.test', 'ada@mail.test', 'a+b'],
    ['ada+@mail.test', 'ada@mail.test', ''],
    ['+ada@mail.test', '+ada@mail.test', undefined],
    ['"ada"@mail.test', 'ada@mail.test', undefined],
    ['"a\\da"@mail.test', 'ada@mail.test', undefined],
    ['"ada+x"@mail.test', 'ada@mail.test', 'x'],
    ['"a@b"@mail.test', 'a@b@mail.test', undefined],
    ['ada@mail.test.', 'ada@mail.test', undefined],
    ['ada', '@ada', undefined],
  ])('%s is for %s', (envelope, address, tag) => {
    expect(parseRecipient(envelope)).toEqual({ envelope, address, ...(tag !== undefined && { tag }) });
  });
});
