import { keyProofText, type CredentialRequest, type IssuedCredential } from '../contract/credential.ts';
import type { Permissions } from '../contract/permission.ts';
import { Problem } from '../contract/problem.ts';
import { defined } from './defined.ts';
import type { Credential, Keys, NewUlid } from './ports.ts';

export interface CredentialScope {
  organization_id: string;
  pod_id?: string;
  inbox?: { uid: string; inbox_id: string };
}

export interface CredentialAbout {
  created_at: string;
  name?: string | undefined;
  permissions?: Permissions | undefined;
  expires_at?: string | undefined;
  client_id?: string | undefined;
  /** The key that asks for it. */
  created_by?: { api_key_id: string } | undefined;
}

/** What is made beside a credential and shown once. */
interface Secret {
  private_jwk?: NonNullable<IssuedCredential['private_jwk']>;
  api_key?: string;
}

/** Characters of a bearer key that tell it from others and open nothing: `ph_` and eight more. */
const prefixLength = 11;

/**
 * Makes the credential a caller asked for, ready to be stored, the answer that tells of it, and what is shown once. A
 * public key has to come with its own signature, so that nobody registers a key that is another's.
 */
export function issueCredential(
  { keys, ulid }: { keys: Keys; ulid: NewUlid },
  request: CredentialRequest | { type: 'bearer' },
  { organization_id, pod_id, inbox }: CredentialScope,
  { name, created_at, ...about }: CredentialAbout,
): { credential: Credential; issued: IssuedCredential; secret: Secret } {
  const { keyid, secret, material } = materialOf(keys, request, organization_id);
  const api_key_id = `key_${ulid()}`;
  const { private_jwk } = secret;
  return {
    credential: {
      ...material,
      api_key_id,
      keyid,
      organization_id,
      ...defined({ pod_id, inbox }),
      name: name ?? `key ${keyid.slice(0, 8)}`,
      ...defined(about),
      state: 'active',
      created_at,
      updated_at: created_at,
    },
    issued: { api_key_id, keyid, ...(private_jwk && { private_jwk }) },
    secret,
  };
}

type Material =
  | Pick<Extract<Credential, { type: 'public_key' }>, 'type' | 'public_key'>
  | Pick<Extract<Credential, { type: 'bearer' }>, 'type' | 'prefix'>;

function materialOf(
  keys: Keys,
  request: CredentialRequest | { type: 'bearer' },
  organizationId: string,
): { keyid: string; secret: Secret; material: Material } {
  if (request.type === 'bearer') {
    const { api_key, keyid } = keys.generateBearer();
    return {
      keyid,
      secret: { api_key },
      material: { type: 'bearer', prefix: api_key.slice(0, prefixLength) },
    };
  }
  if (request.type === 'generate') {
    const { public_key, private_jwk } = keys.generate();
    const material: Material = { type: 'public_key', public_key };
    return { keyid: keys.thumbprint(public_key), secret: { private_jwk }, material };
  }
  const { public_key, proof } = request;
  const keyid = keys.thumbprint(public_key);
  const text = keyProofText(organizationId, keyid);
  if (!keys.verify(public_key, text, proof)) throw unproven(text);
  return { keyid, secret: {}, material: { type: 'public_key', public_key } };
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
