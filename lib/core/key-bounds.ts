import { permissionNames, within, type Permissions } from '../contract/permission.ts';
import type { Principal, Scope } from '../contract/principal.ts';
import { Problem, invalidField } from '../contract/problem.ts';
import type { Credential } from './ports.ts';

/** Whoever makes or changes a key; the operator stands above all keys and has no bounds. */
export type Parent = Pick<Principal, 'permissions' | 'expires_at' | 'token_id' | 'api_key_id'> | undefined;

const everything: Permissions = Object.fromEntries(permissionNames.map((name) => [name, true]));

/**
 * What a parent may hand on. A minted token is never unrestricted, so neither is a key it makes: it hands on each
 * permission by name.
 */
const heldBy = (parent: Parent): Permissions | undefined =>
  parent?.permissions ?? (parent?.token_id === undefined ? undefined : everything);

interface Asked {
  permissions?: Permissions | null | undefined;
  expires_at?: string | null | undefined;
}

/**
 * The permissions and the end of a new key: what was asked, or what its parent has. Throws `permission_escalation`
 * where it would be more than the parent, `validation_error` where it would be over before it began.
 */
export function boundsOf(
  parent: Parent,
  asked: Asked,
  now: number,
): { permissions?: Permissions | undefined; expires_at?: string | undefined } {
  const held = heldBy(parent);
  const permissions = asked.permissions ?? held;
  if (!within(permissions, held))
    throw escalation('the new key would be allowed more than the key that makes it');
  const end = parent?.expires_at;
  if (asked.expires_at == null) return { permissions, expires_at: end };
  // One spelling, so that times compare as texts.
  const expires_at = new Date(asked.expires_at).toISOString();
  if (Date.parse(expires_at) <= now)
    throw invalidField(['expires_at'], 'the time is over', 'Give a later time.');
  if (end !== undefined && Date.parse(expires_at) > Date.parse(end))
    throw escalation(`the new key would outlive the key that makes it, which ends at ${end}`);
  return { permissions, expires_at };
}

/** Throws unless the parent may do all that the key may, and so revoke it or change it. */
export function checkHolds(parent: Parent, { permissions }: Pick<Credential, 'permissions'>): void {
  if (!within(permissions, heldBy(parent)))
    throw escalation('the key is allowed more than the key that calls');
}

/** Throws unless the parent may give the key these permissions. A key that outlives it, it can only take from. */
export function checkMayGive(parent: Parent, key: Credential, permissions: Permissions): void {
  if (!within(permissions, heldBy(parent)))
    throw escalation('the key would be allowed more than the key that calls');
  const end = parent?.expires_at;
  const outlives =
    end !== undefined && (key.expires_at === undefined || Date.parse(key.expires_at) > Date.parse(end));
  if (outlives && !within(permissions, key.permissions))
    throw escalation(`the key outlives the key that calls, which ends at ${end}, and can be given no more`);
}

/** Where a key may act. */
export const scopeOfKey = ({ organization_id, pod_id, inbox }: Credential): Scope => ({
  organization_id,
  ...(pod_id !== undefined && { pod_id }),
  ...(inbox && { inbox: { ...inbox, organization_id, pod_id: pod_id ?? organization_id } }),
});

const escalation = (message: string): Problem => new Problem('permission_escalation', message);
