import { describe, expect, it } from 'vitest';
import type { Sent } from './api-event.ts';
import { testKey } from './key-fixture.ts';
import { librarySigned } from './library-signer.ts';
import { get, handSigned, inputOf, key, now, ownSigned, refusal, verify } from './signing-scene.ts';

/** Of the right length: what is refused is something else. */
const anySignature = `sig=:${Buffer.alloc(64).toString('base64')}:`;

describe('refused', () => {
  const cases: [string, () => Promise<Sent> | Sent, string, string][] = [
    ['unsigned', () => get, 'missing_authorization', 'not signed'],
    [
      'a bearer',
      () => ({ ...get, headers: { authorization: 'Bearer am_us_1' } }),
      'unknown_api_key',
      'bearer',
    ],
    [
      'half of the headers',
      () => ({ ...get, headers: { signature: anySignature } }),
      'invalid_signature',
      'one is missing',
    ],
    [
      'an unknown key',
      () => librarySigned(testKey(), get, { now }),
      'unknown_api_key',
      'no key has this keyid',
    ],
    [
      'another key’s id',
      () => librarySigned(testKey(), get, { now, values: { keyid: key.keyid } }),
      'invalid_signature',
      'does not match',
    ],
    [
      'no nonce',
      () => librarySigned(key, get, { now, params: ['created', 'keyid'] }),
      'invalid_signature',
      'nonce',
    ],
    [
      'no created',
      () => librarySigned(key, get, { now, params: ['nonce', 'keyid'] }),
      'invalid_signature',
      'created',
    ],
    [
      'no keyid',
      () => librarySigned(key, get, { now, params: ['created', 'nonce'] }),
      'invalid_signature',
      'keyid',
    ],
    [
      'a nonce too long',
      () => librarySigned(key, get, { now, values: { nonce: 'n'.repeat(129) } }),
      'invalid_signature',
      'nonce',
    ],
    [
      'no @method',
      () => librarySigned(key, get, { now, fields: ['@target-uri'] }),
      'invalid_signature',
      '@method',
    ],
    [
      'no @target-uri',
      () => librarySigned(key, get, { now, fields: ['@method', '@path'] }),
      'invalid_signature',
      '@target-uri',
    ],
    [
      'parameters of a component',
      () =>
        librarySigned(
          key,
          { ...get, headers: { a: 'b' } },
          { now, fields: ['@method', '@target-uri', '"a";sf'] },
        ),
      'invalid_signature',
      'has parameters',
    ],
    [
      'an unknown component',
      () => ({
        ...get,
        headers: {
          'signature-input': 'sig=("@method" "@target-uri" "@status");created=1;nonce="a";keyid="b"',
          signature: anySignature,
        },
      }),
      'invalid_signature',
      '@status',
    ],
    [
      'a component twice',
      () => ({
        ...get,
        headers: {
          'signature-input': 'sig=("@method" "@method");created=1;nonce="a";keyid="b"',
          signature: anySignature,
        },
      }),
      'invalid_signature',
      'twice',
    ],
    [
      'an absent header',
      () => ({
        ...get,
        headers: {
          'signature-input': 'sig=("@method" "@target-uri" "__proto__");created=1;nonce="a";keyid="b"',
          signature: anySignature,
        },
      }),
      'invalid_signature',
      '__proto__',
    ],
    [
      'a created that is no number',
      () => ({
        ...get,
        headers: {
          'signature-input': 'sig=("@method" "@target-uri");created="1";nonce="a";keyid="b"',
          signature: anySignature,
        },
      }),
      'invalid_signature',
      'created',
    ],
    [
      'a label without a signature',
      async () => ({ ...get, headers: { ...(await ownSigned(get)).headers, signature: 'other=:AA==:' } }),
      'invalid_signature',
      'label sig',
    ],
    [
      'no structured field',
      () => ({ ...get, headers: { 'signature-input': '=(', signature: ':' } }),
      'invalid_signature',
      'Signature-Input',
    ],
    [
      'too long',
      () => ({ ...get, headers: { 'signature-input': `a=(${' '.repeat(4096)})`, signature: anySignature } }),
      'invalid_signature',
      '4096',
    ],
    [
      'five signatures',
      () => ({
        ...get,
        headers: { 'signature-input': 'a=(), b=(), c=(), d=(), e=()', signature: anySignature },
      }),
      'invalid_signature',
      'more than 4',
    ],
    [
      'an item for a list',
      () => ({ ...get, headers: { 'signature-input': 'sig=1', signature: anySignature } }),
      'invalid_signature',
      'list of components',
    ],
    [
      'an algorithm that is another',
      () =>
        librarySigned(key, get, {
          now,
          params: ['created', 'nonce', 'keyid', 'alg'],
          values: { alg: 'ecdsa-p256-sha256' },
        }),
      'invalid_signature',
      'alg',
    ],
    [
      'HMAC with the public key',
      () =>
        librarySigned(key, get, {
          now,
          params: ['created', 'nonce', 'keyid', 'alg'],
          values: { alg: 'hmac-sha256' },
        }),
      'invalid_signature',
      'alg',
    ],
  ];
  for (const [name, sent, code, said] of cases) {
    it(name, async () => {
      const problem = await refusal(await sent());
      expect([problem.code, problem.status]).toEqual([code, 401]);
      expect(problem.message).toContain(said);
      expect(problem.detail.fix).toBeTruthy();
    });
  }
});

describe('a component', () => {
  it.each([
    '"@query-param";name="limit"',
    '"@query-param"',
    '"@status"',
    '"@signature-params"',
    '"@Method"',
    '"@"',
    '""',
    '"a b"',
  ])('%s is not known here', async (component) => {
    const input = inputOf().replace('"@target-uri"', `"@target-uri" ${component}`);
    expect((await refusal(await handSigned(get, input))).message).toContain('is not known here');
  });

  it.each(['sf', 'bs', 'req', 'tr', 'key="a"', 'foo'])(
    'with ;%s is refused as not understood',
    async (parameter) => {
      for (const name of ['x-a', '@method']) {
        const input = inputOf().replace('"@target-uri"', `"@target-uri" "${name}";${parameter}`);
        const signed = await handSigned({ ...get, headers: { 'x-a': 'a=1' } }, input);
        expect(await refusal(signed)).toMatchObject({
          code: 'invalid_signature',
          message: `the component "${name}" has parameters, which are not understood here`,
        });
      }
    },
  );

  it.each(['1', '@method', ':AA==:', 'a', '?1', '%"@method"'])('%s is no name', async (component) => {
    const input = inputOf().replace('"@target-uri"', `"@target-uri" ${component}`);
    expect((await refusal(await handSigned(get, input))).code).toBe('invalid_signature');
  });

  it('is one of at most 32', async () => {
    const names = Array.from({ length: 31 }, (_, place) => `x-${place}`);
    const headers = Object.fromEntries(names.map((name) => [name, name]));
    const signed = (count: number) =>
      librarySigned(
        key,
        { ...get, headers },
        { now, fields: ['@method', '@target-uri', ...names.slice(0, count)] },
      );
    await verify(await signed(30));
    expect((await refusal(await signed(31))).message).toContain('more than 32 components');
  });
});
