import { describe, expect, it } from 'vitest';
import { keyProofText } from '../../lib/contract/credential.ts';
import { readRequest } from '../../lib/edge/http-request.ts';
import { keyCaller } from '../../lib/edge/key-caller.ts';
import { generateKey, proveKey, publicJwkOf, signerOf, thumbprint } from '../../lib/sdk/key.ts';
import { createSigningFetch } from '../../lib/sdk/signing-fetch.ts';
import { createPublicKey, verify } from 'node:crypto';
import { httpbis, createVerifier } from 'http-message-signatures';
import { apiEvent } from '../edge/api-event.ts';
import { testKey } from '../edge/key-fixture.ts';

const url = 'https://mail.example.com/v0/inboxes/alice%40mail.example.com?a=%20b#here';

function recording() {
  const sent: { url: string; init: RequestInit & { headers: Headers } }[] = [];
  const send = (async (to: string, init: RequestInit & { headers: Headers }) => (
    sent.push({ url: to, init }),
    new Response('{}')
  )) as unknown as typeof fetch;
  return { sent, send };
}

describe('a key', () => {
  it('has the thumbprint of RFC 8037 A.3 and RFC 7638', () => {
    expect(thumbprint({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' })).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });
  it('proves itself to one organization', async () => {
    const jwk = generateKey();
    const proved = await proveKey('org_1', jwk);
    const key = createPublicKey({ key: { ...proved.public_key }, format: 'jwk' });
    const good = (organization: string) =>
      verify(
        null,
        Buffer.from(keyProofText(organization, thumbprint(jwk))),
        key,
        Buffer.from(proved.proof, 'base64url'),
      );
    expect([good('org_1'), good('org_2')]).toEqual([true, false]);
    expect(proved).toEqual({
      type: 'public_key',
      public_key: publicJwkOf(jwk),
      proof: expect.stringMatching(/^[A-Za-z0-9_-]{86}$/),
    });
    expect('d' in proved.public_key).toBe(false);
  });
});

describe('a signing fetch', () => {
  const key = testKey();

  it('signs what the library verifies, over the URL as it is sent', async () => {
    const { sent, send } = recording();
    await createSigningFetch({ private_jwk: key.jwk }, { fetch: send })(url, {
      method: 'post',
      body: '{"a":"ü"}',
    });
    const { url: to, init } = sent[0]!;
    expect([to, init.method]).toEqual([url.replace('#here', ''), 'POST']);
    const verified = await httpbis.verifyMessage(
      {
        keyLookup: async ({ keyid }) => ({
          id: keyid!,
          algs: ['ed25519'],
          verify: createVerifier(createPublicKey({ key: { ...key.jwk }, format: 'jwk' }), 'ed25519'),
        }),
        requiredFields: ['@method', '@target-uri', 'content-digest'],
        requiredParams: ['created', 'nonce', 'keyid'],
      },
      { method: 'POST', url: to, headers: Object.fromEntries(init.headers) },
    );
    expect(verified).toBe(true);
  });
  it('signs each attempt anew and keeps the headers it was given', async () => {
    const { sent, send } = recording();
    const signing = createSigningFetch({ private_jwk: key.jwk }, { fetch: send });
    await signing(url, { headers: { 'X-A': 'b' } });
    await signing(url, { headers: { 'X-A': 'b' } });
    const inputs = sent.map(({ init }) => init.headers.get('signature-input'));
    expect(inputs[0]).not.toBe(inputs[1]);
    expect(sent[0]!.init.headers.get('x-a')).toBe('b');
    expect(sent[0]!.init.headers.has('content-digest')).toBe(false);
  });
  it('takes bytes, and refuses what it cannot sign', async () => {
    const { sent, send } = recording();
    const signing = createSigningFetch({ private_jwk: key.jwk }, { fetch: send });
    const bytes = new Uint8Array([9, 0xff, 0x00, 9]).subarray(1, 3);
    await signing(url, { method: 'POST', body: bytes });
    const event = apiEvent({
      method: 'POST',
      url,
      headers: Object.fromEntries(sent[0]!.init.headers),
      body: bytes,
    });
    const authenticate = keyCaller({
      origins: ['https://mail.example.com'],
      directory: {
        lookUp: async () => ({ credential: key.credential, organization: { state: 'active' } }),
        touch: async () => {},
      },
    });
    expect(
      (await authenticate(readRequest(event), { purpose: 'write' }, event)).principal.scope?.organization_id,
    ).toBe('org_1');
    await expect(signing(url, { method: 'POST', body: new FormData() })).rejects.toThrow('text or bytes');
    await expect(signing(new Request(url))).rejects.toThrow('not a Request');
  });
  it('signs with a key that is elsewhere', async () => {
    const { sent, send } = recording();
    const { keyid, sign } = signerOf(key.jwk);
    await createSigningFetch({ keyid, sign: async (text) => sign(text) }, { fetch: send })(url);
    expect(sent[0]!.init.headers.get('signature-input')).toContain(`keyid="${keyid}"`);
  });
});
