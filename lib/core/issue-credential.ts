import { keyProofText, type CredentialRequest, type IssuedCredential } from '../contract/credential.ts';
import type { Permissions } from '../contract/permission.ts';
import { Problem } from '../contract/problem.ts';
import type { Credential, Keys, NewUlid } from './ports.ts';

export interface CredentialScope {
  organization_id: string;
  pod_id?: string;
  inbox?: { uid: string; inbox_id: string };
}

/**
 * Makes the credential a caller asked for, ready to be stored, and the answer that tells of it. A public key
 * has to come with its own signature, so that nobody registers a key that is another's.
 */
export function issueCredential(
  { keys, ulid }: { keys: Keys; ulid: NewUlid },
  request: CredentialRequest,
  scope: CredentialScope,
  about: { created_at: string; name?: string | undefined; permissions?: Permissions | undefined },
): { credential: Credential; issued: IssuedCredential } {
  const pair = request.type === 'generate' ? keys.generate() : { public_key: request.public_key };
  const keyid = keys.thumbprint(pair.public_key);
  if (request.type === 'public_key') {
    const text = keyProofText(scope.organization_id, keyid);
    if (!keys.verify(request.public_key, text, request.proof)) throw unproven(text);
  }
  const api_key_id = `key_${ulid()}`;
  const { name, permissions, created_at } = about;
  return {
    credential: {
      api_key_id,
      keyid,
      public_key: pair.public_key,
      ...scope,
      ...(name !== undefined && { name }),
      ...(permissions !== undefined && { permissions }),
      state: 'active',
      created_at,
    },
    issued: { api_key_id, keyid, ...('private_jwk' in pair && { private_jwk: pair.private_jwk }) },
  };
}

const unproven = (text: string): Problem =>
  new Problem('validation_error', 'the proof is not a signature of this key', {
    fix: `Sign the UTF-8 text ${text} with the private key and give the 64-byte signature as unpadded base64url.`,
    errors: [
      { code: 'custom', path: ['credential', 'proof'], message: 'the proof is not a signature of this key' },
    ],
  });

/** The refusal of a key that signs for somebody already. */
export const keyRegistered = (): Problem =>
  new Problem('conflict', 'this public key is registered already', {
    fix: 'Make a new key pair: a key belongs to one credential.',
  });
