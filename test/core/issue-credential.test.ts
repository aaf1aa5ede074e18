import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keys } from '../../lib/adapters/keys.ts';
import { keyProofText, publicJwk, type PublicJwk } from '../../lib/contract/credential.ts';
import { issueCredential } from '../../lib/core/issue-credential.ts';
import type { Credential } from '../../lib/core/ports.ts';
import { inboxRef, organizationId } from '../support/mail-samples.ts';
import { counting } from '../support/memory-ports.ts';

const deps = { keys, ulid: counting() };
const scope = {
  organization_id: organizationId,
  pod_id: organizationId,
  inbox: { uid: inboxRef().uid, inbox_id: inboxRef().inbox_id },
};
const about = { created_at: '2026-01-01T00:00:00.000Z' };

function pair(type: 'Ed25519' | 'P-256') {
  const made =
    type === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = made.publicKey.export({ format: 'jwk' });
  const public_key = publicJwk.parse({ kty, crv, x, ...(y !== undefined && { y }) });
  const prove = (text: string) =>
    sign(type === 'Ed25519' ? null : 'sha256', Buffer.from(text), {
      key: made.privateKey,
      dsaEncoding: 'ieee-p1363',
    }).toString('base64url');
  return { public_key, prove };
}
const issue = (public_key: PublicJwk, proof: string) =>
  issueCredential(deps, { type: 'public_key', public_key, proof }, scope, about);

describe('a public key', () => {
  it.each(['Ed25519', 'P-256'] as const)('%s is registered with its proof', (type) => {
    const { public_key, prove } = pair(type);
    const keyid = keys.thumbprint(public_key);
    const { credential, issued } = issue(public_key, prove(keyProofText(organizationId, keyid)));
    expect(credential).toEqual({
      ...scope,
      ...about,
      type: 'public_key',
      api_key_id: issued.api_key_id,
      keyid,
      public_key,
      name: `key ${keyid.slice(0, 8)}`,
      updated_at: about.created_at,
      state: 'active',
    });
    expect(issued).toEqual({ api_key_id: expect.stringMatching(/^key_/) as string, keyid });
  });

  it('has the thumbprint of RFC 8037 appendix A.3', () => {
    expect(
      keys.thumbprint({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }),
    ).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it.each([
    ['for another organization', (text: string) => text.replace(organizationId, 'org_other')],
    ['for another key', (text: string) => `${text}x`],
    ['for another purpose', (text: string) => text.replace('key-proof', 'token')],
  ])('is refused with a proof %s', (_, change) => {
    const { public_key, prove } = pair('Ed25519');
    const text = keyProofText(organizationId, keys.thumbprint(public_key));
    expect(() => issue(public_key, prove(change(text)))).toThrowError(
      expect.objectContaining({
        code: 'validation_error',
        detail: expect.objectContaining({ fix: expect.stringContaining(text) as string }) as object,
      }),
    );
  });

  it("is refused with another key's proof, and with a point off the curve", () => {
    const [mine, other] = [pair('Ed25519'), pair('Ed25519')];
    const text = keyProofText(organizationId, keys.thumbprint(mine.public_key));
    expect(() => issue(mine.public_key, other.prove(text))).toThrowError(/not a signature/);
    const off = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) } as const;
    expect(() => issue(off, 'A'.repeat(86))).toThrowError(/not a signature/);
  });
});

describe('a key that is made here', () => {
  it('shows its private half once, and signs', () => {
    const { credential, issued } = issueCredential(deps, { type: 'generate' }, scope, {
      ...about,
      name: 'n',
      permissions: { inbox_read: true },
    });
    expect(JSON.stringify(credential)).not.toContain(issued.private_jwk!.d);
    expect(credential).toMatchObject({ name: 'n', permissions: { inbox_read: true }, keyid: issued.keyid });
    const { public_key } = credential as Extract<Credential, { type: 'public_key' }>;
    expect(keys.thumbprint(public_key)).toBe(issued.keyid);
    expect(issued.private_jwk).toMatchObject(public_key);
  });

  it('is another each time', () => {
    const made = Array.from(
      { length: 5 },
      () => issueCredential(deps, { type: 'generate' }, scope, about).issued.keyid,
    );
    expect(new Set(made).size).toBe(5);
  });
});
