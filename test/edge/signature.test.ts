import { describe, expect, it } from 'vitest';
import type { PublicJwk } from '../../lib/contract/credential.ts';
import { checkContentDigest } from '../../lib/edge/content-digest.ts';
import type { StoredCredential } from '../../lib/edge/directory.ts';
import { readRequest } from '../../lib/edge/http-request.ts';
import type { SignatureClaim } from '../../lib/edge/signature-claim.ts';
import { verifySignature } from '../../lib/edge/signature.ts';
import { signerOf } from '../../lib/sdk/key.ts';
import { apiEvent } from './api-event.ts';
import { librarySigned } from './library-signer.ts';
import { get, key, now, origin, ownSigned, p256, post, refusal, verify } from './signing-scene.ts';

describe('a signature', () => {
  for (const [name, signer] of [
    ['ed25519', key],
    ['p256', p256],
  ] as const) {
    it(`of the library's signer is accepted: ${name}`, async () => {
      const caller = await verify(await librarySigned(signer, post, { now }));
      expect(caller.principal).toEqual({
        kind: 'key',
        scope: { organization_id: 'org_1' },
        api_key_id: signer.credential.api_key_id,
        keyid: signer.keyid,
      });
    });
    it(`of our own signer is accepted: ${name}`, async () => {
      expect((await verify(await ownSigned(post, now, signer))).principal.api_key_id).toBe(
        signer.credential.api_key_id,
      );
    });
  }

  it('has a nonce to spend that is the key’s', async () => {
    const values = { nonce: 'n1' };
    const first = await verify(await librarySigned(key, post, { now, values }));
    const again = await verify(await librarySigned(key, post, { now: now + 1000, values }));
    const other = await verify(await librarySigned(p256, post, { now, values }));
    expect(first.once).toEqual({
      key: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      expires: now / 1000 + 600,
    });
    expect(again.once?.key).toBe(first.once?.key);
    expect(other.once?.key).not.toBe(first.once?.key);
  });

  it('may cover other components', async () => {
    const fields = [
      '@method',
      '@target-uri',
      '@authority',
      '@scheme',
      '@path',
      '@query',
      'x-extra',
      'content-digest',
    ];
    const sent = { ...post, url: `${origin}/v0/inboxes?limit=5`, headers: { 'X-Extra': '  a, b ' } };
    const signed = await librarySigned(key, sent, { now, fields });
    await verify(signed);
    const changed = { ...signed, headers: { ...signed.headers, 'X-Extra': 'a, c' } };
    expect((await refusal(changed)).code).toBe('invalid_signature');
  });

  it('is made for one of several origins', async () => {
    const origins = ['http://127.0.0.1:8025', origin];
    await verify(await ownSigned({ url: 'http://127.0.0.1:8025/v0/inboxes' }), { origins });
    await verify(await ownSigned(get), { origins });
    expect(
      (await refusal(await ownSigned({ url: 'https://evil.example/v0/inboxes' }), { origins })).code,
    ).toBe('invalid_signature');
  });
});

describe('RFC 9421', () => {
  const jwk: PublicJwk = { kty: 'OKP', crv: 'Ed25519', x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs' };
  const request = readRequest(
    apiEvent({
      method: 'POST',
      url: 'https://example.com/foo?param=Value&Pet=dog',
      headers: {
        date: 'Tue, 20 Apr 2021 02:07:55 GMT',
        'content-type': 'application/json',
        'content-digest':
          'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
        'content-length': '18',
      },
      body: '{"hello": "world"}',
    }),
  );
  const fields = ['"date"', '"@method"', '"@path"', '"@authority"', '"content-type"', '"content-length"'];
  const claim: SignatureClaim = {
    fields,
    covers: new Set(),
    parameters: `(${fields.join(' ')});created=1618884473;keyid="test-key-ed25519"`,
    created: 1618884473,
    nonce: '',
    keyid: 'test-key-ed25519',
    signature: Buffer.from(
      'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
      'base64',
    ),
  };

  it('appendix B.2.6 verifies', async () => {
    await verifySignature(claim, request, jwk, ['https://example.com']);
  });
  it('appendix B.2.6 with another date does not', async () => {
    const changed = { ...request, headers: { ...request.headers, date: 'Tue, 20 Apr 2021 02:07:56 GMT' } };
    await expect(verifySignature(claim, changed, jwk, ['https://example.com'])).rejects.toThrow(
      'does not match',
    );
  });
  it('the content digest of appendix B.2 is that of its body', () => {
    checkContentDigest(request.headers['content-digest']!, request.body);
    expect(() =>
      checkContentDigest(request.headers['content-digest']!, Buffer.from('{"hello": "World"}')),
    ).toThrow('sha-512');
  });
  it('our signer makes the signature of appendix B.2.6', async () => {
    const values = ['Tue, 20 Apr 2021 02:07:55 GMT', 'POST', '/foo', 'example.com', 'application/json', '18'];
    const base = [
      ...fields.map((field, n) => `${field}: ${values[n]}`),
      `"@signature-params": ${claim.parameters}`,
    ].join('\n');
    const signer = signerOf({ ...jwk, d: 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU' });
    expect(Buffer.from(await signer.sign(Buffer.from(base)))).toEqual(claim.signature);
  });
});

describe('a key', () => {
  it('that was revoked, has expired or is of a suspended organization is refused', async () => {
    const signed = await ownSigned(get);
    const with_ = (change: Partial<StoredCredential>) =>
      refusal(signed, { credentials: [{ ...key.credential, ...change }] });
    expect((await with_({ state: 'revoked' })).message).toContain('revoked');
    expect((await with_({ expires_at: new Date(now).toISOString() })).message).toContain('expired');
    expect((await refusal(signed, { organization: { state: 'suspended' } })).code).toBe('account_suspended');
    await verify(signed, {
      credentials: [{ ...key.credential, expires_at: new Date(now + 1).toISOString() }],
    });
  });
  it('no refusal shows what a forger could use', async () => {
    const problem = await refusal({ ...(await ownSigned(get)), url: `${origin}/v0/other` });
    const text = JSON.stringify([problem.message, problem.detail]);
    expect(text).not.toContain(key.credential.public_key!.x);
    expect(text).not.toContain('"@target-uri": ');
  });
});
