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

/** Who calls, whichever way they signed in. */
export interface Principal {
  kind: 'key' | 'operator' | 'human' | 'system';
  /** The scope: an organization, one of its pods, or one inbox. The operator's has none of them. */
  organization_id?: string;
  pod_id?: string;
  inbox?: { uid: string; inbox_id: string };
  /** Absent: everything in scope. */
  permissions?: Permissions;
  api_key_id?: string;
}

/** A principal that signed with a key: it always has an organization. */
export type KeyPrincipal = Principal & { kind: 'key'; organization_id: string; api_key_id: string };

/** Whether the principal may do what the permission names, scope aside. */
export function may(principal: Principal, permission: Permission): boolean {
  return principal.permissions === undefined || principal.permissions[permission] === true;
}

/** Whether the inbox lies in the principal's scope. What does not is 404, never 403. */
export function covers(principal: Principal, inbox: InboxRef): boolean {
  if (principal.kind === 'operator') return true;
  if (principal.organization_id !== inbox.organization_id) return false;
  if (principal.inbox !== undefined) return principal.inbox.uid === inbox.uid;
  return principal.pod_id === undefined || principal.pod_id === inbox.pod_id;
}
