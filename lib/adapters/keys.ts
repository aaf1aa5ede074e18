import { createHash, createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { bearerPrefix } from '../contract/api-key.ts';
import type { PrivateJwk, PublicJwk } from '../contract/credential.ts';
import type { Keys } from '../core/ports.ts';
import { isSafePoint } from './ed25519-point.ts';

/** RFC 7638 §3: the required members in lexical order, without white space. */
function thumbprint(jwk: PublicJwk): string {
  const members =
    jwk.kty === 'OKP'
      ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x }
      : { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

/** Keys by node:crypto: Ed25519 (RFC 8032), and P-256 with SHA-256 and the 64-byte signature of RFC 9421 §3.3.4. */
export const keys: Keys = {
  thumbprint,
  verify(jwk, text, signature) {
    // A proof of such a key proves nothing: anybody can make one.
    if (jwk.kty === 'OKP' && !isSafePoint(jwk.x)) return false;
    try {
      const key = createPublicKey({ key: jwk, format: 'jwk' });
      const digest = jwk.kty === 'OKP' ? null : 'sha256';
      return verify(
        digest,
        Buffer.from(text),
        { key, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      );
    } catch {
      return false; // Coordinates that are no point of the curve.
    }
  },
  generate() {
    const { kty, crv, x, d } = generateKeyPairSync('ed25519').privateKey.export({
      format: 'jwk',
    }) as PrivateJwk;
    return { public_key: { kty, crv, x }, private_jwk: { kty, crv, x, d } };
  },
  generateBearer() {
    const api_key = `${bearerPrefix}${randomBytes(32).toString('base64url')}`;
    return { api_key, keyid: createHash('sha256').update(api_key).digest('base64url') };
  },
};
