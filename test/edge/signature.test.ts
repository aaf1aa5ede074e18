import { describe, expect, it } from 'vitest';
import type { PublicJwk } from '../../lib/contract/credential.ts';
import { Problem } from '../../lib/contract/problem.ts';
import type { Aim, Caller } from '../../lib/edge/caller.ts';
import { checkContentDigest } from '../../lib/edge/content-digest.ts';
import type { StoredCredential } from '../../lib/edge/directory.ts';
import { readRequest } from '../../lib/edge/http-request.ts';
import { signedCaller } from '../../lib/edge/signed-caller.ts';
import type { SignatureClaim } from '../../lib/edge/signature-claim.ts';
import { verifySignature } from '../../lib/edge/signature.ts';
import { signatureHeaders } from '../../lib/sdk/signing-fetch.ts';
import { signerOf } from '../../lib/sdk/key.ts';
import { apiEvent, type Sent } from './api-event.ts';
import { testKey, type TestKey } from './key-fixture.ts';
import { librarySigned } from './library-signer.ts';

const now = Date.parse('2026-01-31T12:00:00Z');
const origin = 'https://mail.example.com';
const key = testKey();
const p256 = testKey('p256');

const directoryOf = (...credentials: StoredCredential[]) => ({
  lookUp: async ({ keyid }: { keyid: string }) => {
    const credential = credentials.find((one) => one.keyid === keyid);
    return credential ? { credential } : {};
  },
});

const read: Aim = { purpose: 'read' };

function verify(
  sent: Sent,
  { at = now, origins = [origin], credentials = [key.credential, p256.credential] } = {},
): Promise<Caller> {
  const authenticate = signedCaller({ origins, directory: directoryOf(...credentials), now: () => at });
  const event = apiEvent(sent);
  return authenticate(readRequest(event), read, event);
}

const refusal = (sent: Sent, options?: Parameters<typeof verify>[1]): Promise<Problem> =>
  verify(sent, options).then(
    () => expect.fail('was accepted'),
    (error: unknown) => (error instanceof Problem ? error : expect.fail(String(error))),
  );

const get: Sent = { url: `${origin}/v0/inboxes?limit=5` };
const post: Sent = {
  method: 'POST',
  url: `${origin}/v0/inboxes`,
  headers: { 'content-type': 'application/json' },
  body: '{"username":"alice"}',
};

async function ownSigned(sent: Sent, at = now, signer: TestKey = key): Promise<Sent> {
  const body = sent.body === undefined ? undefined : Buffer.from(sent.body);
  const headers = await signatureHeaders(signerOf(signer.jwk), {
    method: sent.method ?? 'GET',
    url: sent.url,
    body,
    created: Math.floor(at / 1000),
  });
  return { ...sent, headers: { ...sent.headers, ...headers } };
}

describe('a signature', () => {
  for (const [name, signer] of [
    ['ed25519', key],
    ['p256', p256],
  ] as const) {
    it(`of the library's signer is accepted: ${name}`, async () => {
      const caller = await verify(await librarySigned(signer, post, { now }));
      expect(caller.principal).toEqual({
        kind: 'key',
        organization_id: 'org_1',
        api_key_id: signer.credential.api_key_id,
      });
    });
    it(`of our own signer is accepted: ${name}`, async () => {
      expect((await verify(await ownSigned(post, now, signer))).principal.api_key_id).toBe(
        signer.credential.api_key_id,
      );
    });
  }

  it('of a GET carries no nonce to spend, of a write one that is the key’s', async () => {
    expect((await verify(await ownSigned(get))).once).toBeUndefined();
    const values = { nonce: 'n1' };
    const first = await verify(await librarySigned(key, post, { now, values }));
    const again = await verify(await librarySigned(key, post, { now: now + 1000, values }));
    const other = await verify(await librarySigned(p256, post, { now, values }));
    expect(first.once).toEqual({
      key: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      expires: now / 1000 + 600,
      spent: false,
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

  it('of several in one request: any that satisfies will do', async () => {
    const stranger = testKey();
    const first = await librarySigned(stranger, get, { now, label: 'proxy' });
    const both = await librarySigned(key, first, { now, label: 'mine' });
    expect((await verify(both)).principal.api_key_id).toBe(key.credential.api_key_id);
    expect((await refusal(first)).code).toBe('unknown_api_key');
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

describe('the path', () => {
  const spelled: [string, string][] = [
    ['%40', `${origin}/v0/inboxes/alice%40mail.example.com`],
    ['@', `${origin}/v0/inboxes/alice@mail.example.com`],
    ['%2B', `${origin}/v0/inboxes/alice%2Btag%40mail.example.com`],
    ['+ and @', `${origin}/v0/inboxes/alice+tag@mail.example.com`],
    [
      '+ and @ with a query',
      `${origin}/v0/inboxes/alice+tag@mail.example.com/messages?labels=a%2Bb&labels=%5B%22x%22%5D`,
    ],
    ['a space', `${origin}/v0/inboxes/al%20ice@mail.example.com`],
    ['a space and %40', `${origin}/v0/inboxes/al%20ice%40mail.example.com`],
    ['unicode', `${origin}/v0/inboxes/j%C3%BCrgen@mail.example.com`],
    ['unicode and %40', `${origin}/v0/inboxes/%E2%9C%89%F0%9F%93%AC%40mail.example.com`],
    ['sub-delims', `${origin}/v0/inboxes/a!$&'()*,;=:b@mail.example.com`],
    ['sub-delims encoded', `${origin}/v0/inboxes/a!%24%26'()*%2C%3B%3D%3Ab%40mail.example.com`],
    ['brackets as given', `${origin}/v0/inboxes/[a]|b@mail.example.com`],
  ];
  for (const [name, url] of spelled) {
    it(`spelled with ${name} verifies by both signers`, async () => {
      await verify(await librarySigned(key, { url }, { now }));
      await verify(await ownSigned({ url }));
    });
  }
  it('with ? # or % in it passes for no other URI', async () => {
    for (const [signed, decoded] of [
      [`${origin}/v0/inboxes?limit=5`, '/v0/inboxes?limit=5'],
      [`${origin}/v0/inboxes/a%40b`, '/v0/inboxes/a%40b'],
    ] as const) {
      const { headers } = apiEvent(await ownSigned({ url: signed }));
      const event = { ...apiEvent({ url: `${origin}/` }), rawPath: decoded, headers };
      const authenticate = signedCaller({
        origins: [origin],
        directory: directoryOf(key.credential),
        now: () => now,
      });
      await expect(authenticate(readRequest(event), read, event)).rejects.toThrow('does not match');
    }
  });
  it('that no client can have sent is refused, not stumbled over', async () => {
    const { headers } = apiEvent(await ownSigned(get));
    for (const rawPath of ['/\ud800', '/v0\n"@method": GET', '', 'x']) {
      const event = { ...apiEvent(get), rawPath, headers };
      const authenticate = signedCaller({
        origins: [origin],
        directory: directoryOf(key.credential),
        now: () => now,
      });
      await expect(authenticate(readRequest(event), read, event)).rejects.toBeInstanceOf(Problem);
    }
  });
  it('and the query count as they are: order and encoding', async () => {
    const signed = await ownSigned({ url: `${origin}/v0/inboxes?a=1&b=%20` });
    await verify(signed);
    for (const query of ['b=%20&a=1', 'a=1&b=+', 'a=1&b=%20&', 'a=1', '']) {
      expect((await refusal({ ...signed, url: `${origin}/v0/inboxes?${query}` })).code).toBe(
        'invalid_signature',
      );
    }
  });
});

describe('the body', () => {
  for (const digest of ['sha-256', 'sha-512'] as const) {
    it(`is held to its ${digest} digest, text or bytes`, async () => {
      const signed = await librarySigned(key, post, { now, digest });
      await verify(signed);
      await verify({ ...signed, body: Buffer.from(post.body as string) });
      const problem = await refusal({ ...signed, body: '{"username":"malory"}' });
      expect(problem.code).toBe('invalid_signature');
      expect(problem.message).toContain(`${digest} is not the digest of the body`);
    });
  }
  it('has to match all its known digests, unknown ones aside', async () => {
    const right = (await librarySigned(key, post, { now })).headers!['content-digest']!;
    expect(() => checkContentDigest(`md5=:AAAA:, ${right}`, Buffer.from(post.body!))).not.toThrow();
    expect(() => checkContentDigest(`${right}, sha-512=:AAAA:`, Buffer.from(post.body!))).toThrow('sha-512');
    for (const header of ['md5=:AAAA:', '', 'sha-256=1', 'sha-256=(:AA==:)', 'sha-256', '{}']) {
      expect(() => checkContentDigest(header, Buffer.from(post.body!))).toThrow(Problem);
    }
  });
  it('without a covered digest is refused', async () => {
    const signed = await librarySigned(key, post, { now, fields: ['@method', '@target-uri'] });
    expect((await refusal(signed)).message).toContain('does not cover content-digest');
  });
  it('slipped under a signature without one is refused', async () => {
    expect((await refusal({ ...(await ownSigned(get)), body: '{}' })).message).toContain('content-digest');
  });
  it('taken away from a signature with one is refused', async () => {
    const { body: _, ...bare } = await ownSigned(post);
    expect((await refusal(bare)).code).toBe('invalid_signature');
  });
});

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
      () => ({ ...get, headers: { signature: 'sig=:AA==:' } }),
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
          signature: 'sig=:AA==:',
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
          signature: 'sig=:AA==:',
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
          signature: 'sig=:AA==:',
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
          signature: 'sig=:AA==:',
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
      () => ({ ...get, headers: { 'signature-input': `a=(${' '.repeat(4096)})`, signature: 'sig=:AA==:' } }),
      'invalid_signature',
      '4096',
    ],
    [
      'five signatures',
      () => ({
        ...get,
        headers: { 'signature-input': 'a=(), b=(), c=(), d=(), e=()', signature: 'sig=:AA==:' },
      }),
      'invalid_signature',
      'more than 4',
    ],
    [
      'an item for a list',
      () => ({ ...get, headers: { 'signature-input': 'sig=1', signature: 'sig=:AA==:' } }),
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

  it('alg and expires are honoured where they are right', async () => {
    const params = ['created', 'expires', 'nonce', 'keyid', 'alg'];
    const signed = await librarySigned(p256, get, {
      now,
      params,
      values: { alg: 'ecdsa-p256-sha256', expires: new Date(now + 10_000) },
    });
    await verify(signed);
    expect((await refusal(signed, { at: now + 10_000 })).code).toBe('signature_expired');
  });
  it('the window is five minutes on both sides, and the answer says the time', async () => {
    const signed = await ownSigned(get);
    await verify(signed, { at: now + 300_000 });
    await verify(signed, { at: now - 300_000 });
    const old = await refusal(signed, { at: now + 301_000 });
    const early = await refusal(signed, { at: now - 301_000 });
    expect([old.code, early.code]).toEqual(['signature_expired', 'signature_expired']);
    expect(old.message).toContain(String(now / 1000 + 301));
    expect(early.message).toContain('future');
  });
  it('keys that were revoked, expired or suspended', async () => {
    const signed = await ownSigned(get);
    const with_ = (change: Partial<StoredCredential>) =>
      refusal(signed, { credentials: [{ ...key.credential, ...change }] });
    expect((await with_({ state: 'revoked' })).message).toContain('revoked');
    expect((await with_({ expires_at: new Date(now).toISOString() })).message).toContain('expired');
    expect((await with_({ state: 'suspended' })).code).toBe('account_suspended');
    await verify(signed, {
      credentials: [{ ...key.credential, expires_at: new Date(now + 1).toISOString() }],
    });
  });
  it('no refusal shows what a forger could use', async () => {
    const problem = await refusal({ ...(await ownSigned(get)), url: `${origin}/v0/other` });
    const text = JSON.stringify([problem.message, problem.detail]);
    expect(text).not.toContain(key.credential.public_key.x);
    expect(text).not.toContain('"@target-uri": ');
  });
});
