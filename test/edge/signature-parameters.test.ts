import { describe, expect, it } from 'vitest';
import { librarySigned } from './library-signer.ts';
import {
  get,
  handSigned,
  headerOf,
  inputOf,
  key,
  now,
  refusal,
  verify,
  withHeaders,
} from './signing-scene.ts';

describe('a parameter', () => {
  it('that is not known is part of what is signed', async () => {
    const params = ['created', 'nonce', 'keyid', 'tag', 'foo'];
    const signed = await librarySigned(key, get, {
      now,
      params,
      values: { tag: 'my-app', foo: 'a "b" \\ c' },
    });
    await verify(signed);
    const input = headerOf(signed, 'signature-input');
    for (const changed of [
      input.replace('my-app', 'my-apq'),
      input.replace(';tag="my-app"', ''),
      `${input};more`,
      input.replace(/;foo="(.*)"$/, ';foo="x"'),
    ]) {
      expect(changed).not.toBe(input);
      expect((await refusal(withHeaders(signed, { 'signature-input': changed }))).message).toContain(
        'does not match',
      );
    }
  });

  it.each([
    ';foo',
    ';foo=1',
    ';foo=1.0',
    ';foo=-0.125',
    ';foo=token/*',
    ';foo=:AQID:',
    ';foo=?0',
    ';foo=@1659578233',
    ';foo=%"f%c3%bc"',
    ';foo="a\\"b;c,d)"',
    ';foo=%"\\";created2="1"',
  ])('of any type is signed as it is written: %s', async (more) => {
    await verify(await handSigned(get, inputOf(more)));
  });

  it('is signed as written, so that no other spelling of it passes', async () => {
    for (const [signed, sent] of [
      [';foo=1', ';foo=01'],
      [';foo=1', ';foo=1.0'],
      [';foo', ';foo=?1'],
      [';foo=:AQ==:', ';foo=:AQ:'],
    ] as const)
      expect(
        (await refusal(await handSigned(get, inputOf(sent), { signed: inputOf(signed) }))).message,
      ).toContain('does not match');
  });

  it('has canonical spacing in what is signed, whatever it is sent with (RFC 8941 §4.1)', async () => {
    const spaced = inputOf(';foo="a;  b"').replace('(', '(  ').replace(' "@t', '   "@t').replace(')', '  )');
    const signed = inputOf(';foo="a;  b"');
    await verify(await handSigned(get, spaced.replaceAll(';n', ';  n'), { signed }));
  });

  it.each(['created', 'nonce', 'keyid', 'foo'])('%s that comes twice is refused', async (name) => {
    const value = { created: String(now / 1000), nonce: '"n"', keyid: `"${key.keyid}"`, foo: '1' }[name]!;
    const input = inputOf(`;foo=1;${name}=${value}`);
    for (const signed of [input, inputOf(';foo=1')])
      expect((await refusal(await handSigned(get, input, { signed }))).message).toBe(
        `Signature-Input has ${name} twice`,
      );
  });

  it.each([
    ['with a line break', 'a\nb'],
    ['with a NUL', 'a\0b'],
    ['with DEL', 'a\x7fb'],
    ['not in ASCII', 'nöncé'],
    ['empty', ''],
    ['of 129 characters', 'n'.repeat(129)],
  ])('nonce %s is refused', async (_, nonce) => {
    const input = inputOf().replace('nonce="n"', `nonce="${nonce}"`);
    expect((await refusal(await handSigned(get, input))).code).toBe('invalid_signature');
  });

  it('nonce of 128 characters, quotes and backslashes among them, is taken', async () => {
    await verify(await handSigned(get, inputOf().replace('nonce="n"', `nonce="${'\\"'.repeat(128)}"`)));
  });

  it.each(['nonce=n', 'nonce=1', 'nonce', 'nonce=:AA==:', 'nonce=%"n"'])(
    'nonce that is no string is refused: %s',
    async (nonce) => {
      const input = inputOf().replace('nonce="n"', nonce);
      expect((await refusal(await handSigned(get, input))).message).toContain('nonce is not a string');
    },
  );
});
