import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { testKey } from './key-fixture.ts';
import { librarySigned } from './library-signer.ts';
import {
  get,
  headerOf,
  inputOf,
  key,
  now,
  p256,
  post,
  refusal,
  verify,
  withHeaders,
} from './signing-scene.ts';

const bytesOf = (sent: Parameters<typeof headerOf>[0]): Buffer =>
  Buffer.from(/:(.*):/.exec(headerOf(sent, 'signature'))![1]!, 'base64');
const withBytes = (sent: Parameters<typeof withHeaders>[0], bytes: Uint8Array) =>
  withHeaders(sent, { signature: `sig=:${Buffer.from(bytes).toString('base64')}:` });

/** Order of P-256 (FIPS 186-5) and of Ed25519 (RFC 8032 §5.1). */
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ed25519Order = 2n ** 252n + 27742317777372353535851937790883648493n;

const big = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);
const bytes32 = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
/** r and n - s: what anybody can make of a signature by r and s. */
const flipped = (signature: Buffer): Buffer =>
  Buffer.concat([signature.subarray(0, 32), bytes32(p256Order - big(signature.subarray(32)))]);

describe('an ECDSA signature', () => {
  it('with its s flipped is that of the same signer, and spends the same nonce', async () => {
    const signed = await librarySigned(p256, post, { now });
    const [first, other] = [await verify(signed), await verify(withBytes(signed, flipped(bytesOf(signed))))];
    expect(other.principal).toEqual(first.principal);
    expect(other.once).toEqual(first.once);
  });

  it('in DER is refused, and said to be', async () => {
    const base = [`"@method": GET`, `"@target-uri": ${get.url}`, `"@signature-params": ${inputOf()}`];
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const der = sign('sha256', Buffer.from(base.join('\n')), pair.privateKey);
    const problem = await refusal(
      withBytes(withHeaders(get, { 'signature-input': `sig=${inputOf()}` }), der),
    );
    expect([problem.code, problem.message]).toEqual([
      'invalid_signature',
      `Signature: sig has ${der.length} bytes, not 64`,
    ]);
    expect(problem.detail.fix).toContain('not DER');
  });

  it('of out-of-range numbers is refused, not stumbled over', async () => {
    const signed = await librarySigned(p256, get, { now });
    const [r, s] = [bytesOf(signed).subarray(0, 32), bytesOf(signed).subarray(32)];
    for (const bytes of [
      Buffer.alloc(64),
      Buffer.alloc(64, 0xff),
      Buffer.concat([r, Buffer.alloc(32)]),
      Buffer.concat([Buffer.alloc(32), s]),
      Buffer.concat([r, bytes32(p256Order)]),
      Buffer.concat([s, r]),
    ])
      expect((await refusal(withBytes(signed, bytes))).message).toContain('does not match');
  });
});

describe('an Ed25519 signature', () => {
  it('with the order added to its s is refused (RFC 8032 §5.1.7)', async () => {
    const signed = await librarySigned(key, get, { now });
    const bytes = bytesOf(signed);
    const s = big(Buffer.from(bytes.subarray(32)).reverse()) + ed25519Order;
    const other = Buffer.concat([bytes.subarray(0, 32), bytes32(s).reverse()]);
    expect((await refusal(withBytes(signed, other))).message).toContain('does not match');
  });

  it('of zeros is refused', async () => {
    const signed = await librarySigned(key, get, { now });
    expect((await refusal(withBytes(signed, Buffer.alloc(64)))).message).toContain('does not match');
  });

  it('over the hash of the text is none', async () => {
    const base = [`"@method": GET`, `"@target-uri": ${get.url}`, `"@signature-params": ${inputOf()}`];
    const prehashed = sign(null, createHash('sha512').update(base.join('\n')).digest(), key.privateKey);
    const sent = withHeaders(get, { 'signature-input': `sig=${inputOf()}` });
    await verify(withBytes(sent, sign(null, Buffer.from(base.join('\n')), key.privateKey)));
    expect((await refusal(withBytes(sent, prehashed))).message).toContain('does not match');
  });
});

describe('the bytes of a signature', () => {
  for (const [name, signer] of [
    ['Ed25519', key],
    ['P-256', p256],
  ] as const) {
    it(`are 64, not fewer and not more: ${name}`, async () => {
      const signed = await librarySigned(signer, get, { now });
      const bytes = bytesOf(signed);
      for (const other of [
        Buffer.alloc(0),
        bytes.subarray(0, 63),
        Buffer.concat([bytes, Buffer.alloc(1)]),
        Buffer.concat([bytes, bytes]),
      ])
        expect((await refusal(withBytes(signed, other))).message).toBe(
          `Signature: sig has ${other.length} bytes, not 64`,
        );
    });
  }

  it('are read from base64 with and without padding, as RFC 8941 §4.2.7 wants, and are the same', async () => {
    const signed = await librarySigned(key, post, { now });
    const text = headerOf(signed, 'signature');
    const spelled = [text.replace('==:', ':'), text.replace(/.==:$/, (end) => `${nextTo(end[0]!)}==:`)];
    const { once } = await verify(signed);
    for (const signature of spelled) {
      expect(signature).not.toBe(text);
      expect((await verify(withHeaders(signed, { signature }))).once).toEqual(once);
    }
  });

  it('are nothing else than base64 between colons, with nothing after', async () => {
    const signed = await librarySigned(key, get, { now });
    const text = headerOf(signed, 'signature');
    for (const signature of [
      `${text}x`,
      `${text}:`,
      `${text},`,
      `${text};`,
      `${text} garbage`,
      `${text};a`,
      `${text};a="b"`,
      `${text.slice(0, -1)}`,
      text.replaceAll(':', '"'),
      text.replace('=:', '=: '),
      text.replace(/[+/]|(?<=:)./, '-'),
      text.replace('==:', '=:'),
      `sig=(${text.slice(4)})`,
      'sig',
      'sig=?1',
      'sig=::',
      '',
    ]) {
      const problem = await refusal(withHeaders(signed, { signature }));
      expect([problem.code, signature]).toEqual(['invalid_signature', signature]);
    }
  });

  it('of one key do not verify with another', async () => {
    const other = testKey('ed25519', { keyid: key.keyid });
    expect(
      (await refusal(await librarySigned(key, get, { now }), { credentials: [other.credential] })).message,
    ).toContain('does not match');
  });
});

/** The base64 digit after this one: other spare bits, the same byte. */
const nextTo = (digit: string): string => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return digits[digits.indexOf(digit) + 1]!;
};
