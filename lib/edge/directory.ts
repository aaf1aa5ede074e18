import type { PublicJwk } from '../contract/credential.ts';
import type { Permissions } from '../contract/permission.ts';
import type { InboxRef } from '../contract/principal.ts';

/** A credential and what it may do, as the check of a call needs it. */
export interface StoredCredential {
  type: 'public_key' | 'bearer';
  api_key_id: string;
  /** RFC 7638 SHA-256 thumbprint of `public_key`, or SHA-256 of a bearer key, base64url. */
  keyid: string;
  public_key?: PublicJwk;
  organization_id: string;
  pod_id?: string;
  inbox?: { uid: string; inbox_id: string };
  permissions?: Permissions;
  /** ISO 8601; from then on the key opens nothing. */
  expires_at?: string;
  used_at?: string;
  state: 'active' | 'revoked';
}

/** What the check needs to know of an organization. */
export interface OrganizationFacts {
  state: 'active' | 'suspended' | 'deleting';
  bearer_keys?: boolean;
  requests_per_minute?: number | undefined;
  key_requests_per_minute?: number | undefined;
}

export interface Asked {
  keyid: string;
  /** What stands in the path where an inbox is named: its first address, any other address of it, or its uid. */
  inbox?: string;
  /** What stands in the path where a pod is named. */
  pod?: string;
}

/** What is there of what was asked for. A credential whose organization, pod or inbox is gone is gone with it. */
export interface Looked {
  credential?: StoredCredential;
  organization?: OrganizationFacts;
  inbox?: InboxRef;
  pod?: { pod_id: string };
}

/** Port: who calls, and what the path names, in one read. Names are never longer than 320 characters. */
export interface Directory {
  lookUp(asked: Asked): Promise<Looked>;
  /** Notes that the credential is in use, about once an hour. */
  touch(credential: StoredCredential, time: string): Promise<void>;
}
