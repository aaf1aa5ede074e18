import type { CreateApiKey, CreatedApiKey } from '../contract/api-key.ts';
import { about, type Deed } from '../contract/call.ts';
import type { Scope } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
import { contains } from '../contract/scope.ts';
import { issueCredential, keyRegistered } from './issue-credential.ts';
import { boundsOf, scopeOfKey, type Parent } from './key-bounds.ts';
import type { AddedKey, ApiKeyStore } from './key-ports.ts';
import type { Keys, NewUlid, Now } from './ports.ts';
import { toApiKey } from './show-api-key.ts';

export interface AddKeyDeps {
  apiKeys: ApiKeyStore;
  keys: Keys;
  now: Now;
  ulid: NewUlid;
}

/** A `client_id` whose key is being revoked is free at once; this often it is tried. */
const attempts = 3;

/**
 * Makes a key of a scope. Repeating it with the same `client_id` answers the key of the first call, without its secret
 * and whatever else the call says.
 */
export async function addApiKey(
  { apiKeys, now, ...deps }: AddKeyDeps,
  { scope, body, parent, deed }: { scope: Scope; body: CreateApiKey; parent: Parent; deed: Deed },
): Promise<CreatedApiKey> {
  const { permissions, expires_at } = boundsOf(parent, body, now());
  const by = parent?.api_key_id;
  const { credential, secret } = issueCredential(deps, body, placeOf(scope), {
    created_at: new Date(now()).toISOString(),
    name: body.name ?? undefined,
    permissions,
    expires_at,
    client_id: body.client_id ?? undefined,
    created_by: by === undefined ? undefined : { api_key_id: by },
  });
  about(deed, [credential.api_key_id], scope.inbox);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const outcome = await apiKeys.add(credential, by, deed);
    if (outcome === 'added') return { ...toApiKey(credential), ...secret };
    if (typeof outcome !== 'object') {
      if (outcome === 'passing') continue;
      throw refusal(outcome);
    }
    const { existing } = outcome;
    if (!contains(scope, scopeOfKey(existing)) || !contains(scopeOfKey(existing), scope)) throw elsewhere();
    // The line tells of the key that is there, not of one that was never made.
    if (deed.line !== undefined)
      deed.line.resources = deed.line.resources.filter((id) => id !== credential.api_key_id);
    about(deed, [existing.api_key_id]);
    return toApiKey(existing);
  }
  throw new Problem('race_condition', 'the key of this client_id is being changed by others');
}

const placeOf = ({ organization_id, pod_id, inbox }: Scope) => ({
  organization_id,
  ...(inbox !== undefined
    ? { pod_id: inbox.pod_id, inbox: { uid: inbox.uid, inbox_id: inbox.inbox_id } }
    : pod_id !== undefined && { pod_id }),
});

const elsewhere = (): Problem =>
  new Problem('conflict', 'this client_id is in use by a key of another scope', {
    fix: 'Choose another client_id.',
  });

function refusal(outcome: Exclude<AddedKey, 'added' | 'passing' | object>): Problem {
  if (outcome === 'key_registered') return keyRegistered();
  if (outcome === 'no_organization') return notFound('Organization');
  if (outcome === 'no_place') return notFound('Pod or inbox');
  if (outcome === 'no_parent') return new Problem('unknown_api_key', 'the calling key has been revoked');
  if (outcome === 'organization_suspended')
    return new Problem('account_suspended', 'the organization is suspended');
  return new Problem('missing_permission', 'the organization does not take bearer keys', {
    fix: 'Register a public key, or switch them on with PATCH /v0/organizations {"bearer_keys": true} and an unrestricted key.',
  });
}
