import * as z from 'zod';
import { permissions } from './permission.ts';

/** In its one spelling: with other spare bits at its end the same key would have another thumbprint. */
const coordinate = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'give 32 bytes as unpadded base64url');

/** A public key as a JWK (RFC 7517, RFC 8037). Private and other members are refused, never stored. */
export const publicJwk = z.union([
  z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate }),
  z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate }),
]);
export type PublicJwk = z.infer<typeof publicJwk>;

export const privateJwk = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: coordinate,
  d: coordinate,
});
export type PrivateJwk = z.infer<typeof privateJwk>;

/**
 * How a caller asks for a key: by its own public key, with a proof that it holds the private half, or by
 * having a pair made. The proof is a base64url signature over the UTF-8 text of `keyProofText`.
 */
export const credentialRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('public_key'),
    public_key: publicJwk,
    proof: z.string().regex(/^[A-Za-z0-9_-]{86}$/, 'give the 64-byte signature as unpadded base64url'),
  }),
  z.strictObject({ type: z.literal('generate') }),
]);
export type CredentialRequest = z.infer<typeof credentialRequest>;

/** What a proof signs: a purpose, so that it serves for nothing else, the organization, and the RFC 7638 thumbprint. */
export const keyProofText = (organizationId: string, thumbprint: string): string =>
  `posthorn-key-proof:v1:${organizationId}:${thumbprint}`;

/** The answer to a `credentialRequest`. The private half is shown once, and only when it was made here. */
export const issuedCredential = z.object({
  api_key_id: z.string(),
  /** RFC 7638 SHA-256 thumbprint of the public key: the `keyid` of a signature. */
  keyid: z.string(),
  private_jwk: privateJwk.optional(),
});
export type IssuedCredential = z.infer<typeof issuedCredential>;

export const createOperatorKey = z.intersection(
  credentialRequest,
  z.object({ name: z.string().min(1).max(256).optional(), permissions: permissions.optional() }),
);
