import type { Permission, Permissions } from './permission.ts';

/** Where an inbox stands: what every route below an inbox path is given. */
export interface InboxRef {
  /** Internal and for life; rows hang on it, so that a recreated address cannot show old mail. */
  uid: string;
  /** The inbox's first address. */
  inbox_id: string;
  organization_id: string;
  pod_id: string;
}

/** A part of the mailroom: an organization, one of its pods, or one inbox. */
export interface Scope {
  organization_id: string;
  pod_id?: string;
  inbox?: InboxRef;
}

/** Who calls, whichever way they signed in. */
export interface Principal {
  kind: 'key' | 'operator' | 'human' | 'system';
  /** Where it may act. The operator has none: it stands above all. */
  scope?: Scope;
  /** Absent: everything in scope. */
  permissions?: Permissions;
  api_key_id?: string;
  /** Of the credential behind it: RFC 7638 thumbprint, or SHA-256 of a bearer key. */
  keyid?: string;
  /** The minted token it came with, if it did. */
  token_id?: string;
  /** ISO 8601; what it makes ends no later. */
  expires_at?: string;
}

/** A principal that signed in with a key: it always has a scope. */
export type KeyPrincipal = Principal & { kind: 'key'; scope: Scope; api_key_id: string; keyid: string };

/** Whether the principal may do what the permission names, scope aside. */
export function may(principal: Principal, permission: Permission): boolean {
  return principal.permissions === undefined || principal.permissions[permission] === true;
}

/** May do everything in its organization, and so change how the organization works. A minted token never may. */
export const isUnrestricted = ({ scope, permissions, token_id }: Principal): boolean =>
  scope !== undefined &&
  scope.pod_id === undefined &&
  scope.inbox === undefined &&
  permissions === undefined &&
  token_id === undefined;
