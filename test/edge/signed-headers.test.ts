import { describe, expect, it } from 'vitest';
import { readRequest } from '../../lib/edge/http-request.ts';
import { apiEvent, type Sent } from './api-event.ts';
import { librarySigned } from './library-signer.ts';
import {
  authentication,
  get,
  handSigned,
  headerOf,
  key,
  now,
  ownSigned,
  read,
  refusal,
  verify,
  withHeaders,
} from './signing-scene.ts';

const covering = (...names: string[]): string[] => ['@method', '@target-uri', ...names];
const signedWith = (headers: Record<string, string>): Promise<Sent> =>
  librarySigned(key, { ...get, headers }, { now, fields: covering(...Object.keys(headers)) });

describe('a covered header', () => {
  it('may have any case where it is sent, and none but the lower where it is covered', async () => {
    await verify(
      await librarySigned(key, { ...get, headers: { 'X-ExTra': 'a' } }, { now, fields: covering('x-extra') }),
    );
    const lines = [`"@method": GET`, `"@target-uri": ${get.url}`, '"X-Extra": a'];
    const input = `("@method" "@target-uri" "X-Extra");created=${now / 1000};nonce="n";keyid="${key.keyid}"`;
    const upper = await handSigned({ ...get, headers: { 'X-Extra': 'a' } }, input, { lines });
    expect(await refusal(upper)).toMatchObject({
      message: expect.stringContaining('"X-Extra" is not known') as string,
      detail: { fix: expect.stringContaining('lower case') as string },
    });
  });

  it('that was sent twice is the two joined by a comma alone, as API Gateway joins them', async () => {
    const signed = await signedWith({ 'x-extra': 'a,b' });
    await verify(signed);
    for (const value of ['a, b', 'b,a', 'a', 'b', 'a,b,b', 'a,,b'])
      expect((await refusal(withHeaders(signed, { 'x-extra': value }))).message).toContain('does not match');
  });

  it('counts without the spaces and tabs around it, and with all within', async () => {
    const signed = await signedWith({ 'x-extra': 'a b' });
    for (const value of [' a b', 'a b ', '\ta b \t']) await verify(withHeaders(signed, { 'x-extra': value }));
    for (const value of ['a  b', 'a\tb', 'ab', 'A b'])
      expect((await refusal(withHeaders(signed, { 'x-extra': value }))).message).toContain('does not match');
  });

  it.each([
    ['folded', 'a\r\n b'],
    ['with a line break', 'a\n"@method": GET'],
    ['with a carriage return', 'a\rb'],
    ['with a NUL', 'a\0b'],
    ['with a vertical tab at its end', 'a b\v'],
    ['with a no-break space at its end', 'a b\u00a0'],
    ['not in ASCII', 'jürgen'],
    ['with a byte order mark', '\ufeffa b'],
  ])('%s is refused, whatever was signed', async (_, value) => {
    const lines = [`"@method": GET`, `"@target-uri": ${get.url}`];
    const input = `("@method" "@target-uri" "x-extra");created=${now / 1000};nonce="n";keyid="${key.keyid}"`;
    for (const line of [value, value.trim(), value.replace(/\s+/g, ' ')]) {
      const sent = { ...get, headers: { 'x-extra': value } };
      const signed = await handSigned(sent, input, { lines: [...lines, `"x-extra": ${line}`] });
      expect((await refusal(signed)).message).toContain('not one line of visible ASCII');
    }
    await verify(withHeaders(await ownSigned(get), { 'x-extra': value }));
  });

  it('may be empty, and then not absent', async () => {
    const signed = await signedWith({ 'x-extra': '' });
    await verify(signed);
    expect((await refusal(withHeaders(signed, { 'x-extra': undefined }))).message).toContain(
      'covers x-extra, which the request does not have',
    );
  });

  it('is no derived component, whatever it is called', async () => {
    const signed = await ownSigned(get);
    const input = headerOf(signed, 'signature-input').replace('"@method" ', '');
    for (const header of ['@method', '"@method"', 'method'])
      expect(
        (
          await refusal({
            ...signed,
            headers: { ...signed.headers, 'signature-input': input, [header]: 'GET' },
          })
        ).message,
      ).toContain('does not cover @method');
  });

  it('of the signature itself cannot be covered by it', async () => {
    for (const name of ['signature', 'signature-input'])
      expect(
        (
          await refusal(
            await librarySigned(
              key,
              { ...get, headers: { [name]: 'a=()' } },
              { now, fields: covering(name) },
            ),
          )
        ).code,
      ).toBe('invalid_signature');
  });
});

describe('the headers of a signature', () => {
  const authenticate = authentication();
  const answerTo = async (headers: Record<string, string>) => {
    const event = { ...apiEvent(get), headers };
    return authenticate(readRequest(event), read, event);
  };

  it('are found in any case', async () => {
    const signed = await ownSigned(get);
    await answerTo({
      'SIGNATURE-input': headerOf(signed, 'signature-input'),
      sIGNATURE: headerOf(signed, 'signature'),
    });
  });

  it('in two cases are one header that came twice', async () => {
    const [mine, other] = [await ownSigned(get), await ownSigned(get)];
    for (const name of ['signature', 'signature-input'])
      await expect(
        answerTo({
          'signature-input': headerOf(mine, 'signature-input'),
          signature: headerOf(mine, 'signature'),
          [name.toUpperCase()]: headerOf(other, name),
        }),
      ).rejects.toThrow('has sig twice');
  });

  it('may have white space around their members', async () => {
    const signed = await ownSigned(get);
    await answerTo({
      'signature-input': `  ${headerOf(signed, 'signature-input')} \t`,
      signature: ` ${headerOf(signed, 'signature')}  `,
    });
  });
});
