import { describe, expect, it } from 'vitest';
import { fixture, mailOf, parsed } from './mail-source.ts';

const toOf = async (value: string): Promise<string[]> => (await parsed(mailOf('', { To: value }))).to;

describe('addresses', () => {
  it('are decoded, quoted where needed, and flattened out of groups', async () => {
    const mail = await parsed(await fixture('encoded-names'));
    expect(mail.from).toBe('"Müller, Jürgen" <jm@sender.test>');
    expect(mail.to).toEqual([
      '"Doe, \\"Jo\\"" <jo@agents.test>',
      'scout@agents.test',
      'André <a@xn--bcher-kva.test>',
    ]);
  });

  it('never take an address out of an encoded name', async () => {
    const mail = await parsed(await fixture('encoded-names'));
    expect(mail).not.toHaveProperty('cc');
    expect(mail.reply_to).toEqual(['"boss@corp.test" <evil@sender.test>']);
    const forged = await parsed(mailOf('', { From: '=?utf-8?B?Ym9zc0Bjb3JwLnRlc3Q=?=' }));
    expect(forged.from).toBe('"boss@corp.test"');
  });

  it('show every author, and say that there are several headers', async () => {
    const mail = await parsed(await fixture('two-authors'));
    expect(mail.from).toBe('ceo@corp.test, Ada Lovelace <ada@sender.test>');
    expect(mail.parse_error).toBe('there are 2 From headers');
  });

  it('are not taken from a header behind a byte order mark', async () => {
    expect((await parsed(await fixture('bom-before-from'))).from).toBe('real@sender.test');
  });

  it('read 8-bit names without an encoding', async () => {
    const mail = await parsed(await fixture('latin1-headers'));
    expect(mail).toMatchObject({ from: 'René <rene@sender.test>', subject: 'Café' });
    expect(mail.headers['X-Note']).toBe('déjà');
  });

  it.each([
    ['a@b.test, c@d.test', ['a@b.test', 'c@d.test']],
    ['undisclosed-recipients:;', []],
    ['a@b.test <a@b.test>', ['a@b.test']],
    ['"x\u0007y" <a@b.test>', ['xy <a@b.test>']],
    [`${'a'.repeat(400)}@b.test`, []],
    ['Bücher <a@bücher.test>', ['Bücher <a@xn--bcher-kva.test>']],
    ['', []],
  ])('of %j', async (value, expected) => {
    expect(await toOf(value)).toEqual(expected);
  });

  it('keep at most 1,000 of one header', async () => {
    const mail = await parsed(mailOf('', { To: 'a@b.c,'.repeat(5_000) }));
    expect(mail.to).toHaveLength(1_000);
    expect(mail.parse_error).toBe('to has more than 1000 addresses');
  });
});
