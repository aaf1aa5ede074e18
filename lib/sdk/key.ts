import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { keyProofText, type PrivateJwk, type PublicJwk } from '../contract/credential.ts';

/** A private key as a JWK: Ed25519, as the server makes them, or P-256. */
export type SigningJwk = PrivateJwk | { kty: 'EC'; crv: 'P-256'; x: string; y: string; d: string };

/** Whatever can sign for a key: the private key here, or one that never leaves its KMS or hardware. */
export interface Signer {
  /** RFC 7638 SHA-256 thumbprint of the public key. */
  keyid: string;
  /** 64 bytes: an Ed25519 signature, or for P-256 over SHA-256 r and s, 32 bytes each. */
  sign(text: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The public half of a private JWK. */
export function publicJwkOf(jwk: PublicJwk | SigningJwk): PublicJwk {
  return jwk.kty === 'OKP'
    ? { kty: jwk.kty, crv: jwk.crv, x: jwk.x }
    : { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y };
}

/** RFC 7638 SHA-256 thumbprint of a key, base64url: the members it requires, in lexicographic order. */
export function thumbprint(jwk: PublicJwk | SigningJwk): string {
  const members = Object.entries(publicJwkOf(jwk)).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url');
}

/** A signer of a private key held here. Throws when the JWK is not one. */
export function signerOf(jwk: SigningJwk): Signer {
  const key = createPrivateKey({ key: { ...jwk }, format: 'jwk' });
  const keyid = thumbprint(jwk);
  if (jwk.kty === 'OKP') return { keyid, sign: (text) => sign(null, text, key) };
  return { keyid, sign: (text) => sign('sha256', text, { key, dsaEncoding: 'ieee-p1363' }) };
}

/** A new Ed25519 private key. */
export function generateKey(): PrivateJwk {
  const { kty, crv, x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { kty, crv, x, d } as PrivateJwk;
}

/** What registers one's own key: `{type: 'public_key', public_key, proof}`, the proof good for this organization alone. */
export async function proveKey(
  organizationId: string,
  key: SigningJwk,
): Promise<{ type: 'public_key'; public_key: PublicJwk; proof: string }> {
  const signer = signerOf(key);
  const signature = await signer.sign(Buffer.from(keyProofText(organizationId, signer.keyid)));
  return {
    type: 'public_key',
    public_key: publicJwkOf(key),
    proof: Buffer.from(signature).toString('base64url'),
  };
}
