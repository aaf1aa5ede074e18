import type { PublicJwk } from '../contract/credential.ts';
import type { Permissions } from '../contract/permission.ts';
import type { InboxRef } from '../contract/principal.ts';

/** A registered public key and what it may do, as the check of a signature needs it. */
export interface StoredCredential {
  api_key_id: string;
  /** RFC 7638 SHA-256 thumbprint of `public_key`, base64url. */
  keyid: string;
  public_key: PublicJwk;
  organization_id: string;
  pod_id?: string;
  inbox?: { uid: string; inbox_id: string };
  permissions?: Permissions;
  /** ISO 8601; from then on the key signs for nobody. */
  expires_at?: string;
  /** `suspended`: the key is good, but its organization or inbox is stopped. */
  state: 'active' | 'revoked' | 'suspended';
}

export interface Looked {
  credential?: StoredCredential;
  inbox?: InboxRef;
}

/**
 * Port: who signs, and which inbox the path names, in one read. `inbox` is what stands in the path: an inbox's
 * first address, any other address of it, or its uid; never longer than 320 characters.
 */
export interface Directory {
  lookUp(asked: { keyid: string; inbox?: string }): Promise<Looked>;
}
