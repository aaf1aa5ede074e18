import { defaultRates } from '../contract/organization.ts';
import { both } from '../contract/permission.ts';
import type { KeyPrincipal, Scope } from '../contract/principal.ts';
import { Problem } from '../contract/problem.ts';
import { contains } from '../contract/scope.ts';
import type { TokenClaims } from './bearer.ts';
import type { OrganizationFacts, StoredCredential } from './directory.ts';
import type { RateLimits } from './rates.ts';

export const unknownKey = (message: string, fix?: string): Problem =>
  new Problem('unknown_api_key', message, fix === undefined ? {} : { fix });

/** Who a credential stands for, while it and its organization are good. Throws a `Problem`. */
export function principalOf(
  credential: StoredCredential,
  organization: OrganizationFacts | undefined,
  now: number,
): KeyPrincipal {
  const { permissions, api_key_id, keyid, expires_at, state } = credential;
  if (state === 'revoked') throw unknownKey('this key was revoked');
  if (expires_at !== undefined && Date.parse(expires_at) <= now) throw unknownKey('this key has expired');
  if (organization === undefined || organization.state === 'deleting')
    throw unknownKey('the organization of this key is gone');
  if (organization.state === 'suspended')
    throw new Problem('account_suspended', 'the organization is suspended');
  return {
    kind: 'key',
    scope: scopeOf(credential),
    api_key_id,
    keyid,
    ...(permissions && { permissions }),
    ...(expires_at && { expires_at }),
  };
}

/** Where a credential may act. */
export function scopeOf({ organization_id, pod_id, inbox }: StoredCredential): Scope {
  return {
    organization_id,
    ...(pod_id !== undefined && { pod_id }),
    ...(inbox && { inbox: { ...inbox, organization_id, pod_id: pod_id ?? organization_id } }),
  };
}

/** The same, as far as a token of it goes: never more than the key that minted it may do now. Throws a `Problem`. */
export function tokenPrincipal(minter: KeyPrincipal, claims: TokenClaims, now: number): KeyPrincipal {
  const { token_id, expires_at } = claims;
  if (Date.parse(expires_at) <= now) throw unknownKey('this token has expired', 'Mint another.');
  const scope = tokenScope(claims);
  if (!contains(minter.scope, scope)) throw unknownKey('this token reaches further than its key');
  const permissions = both(minter.permissions, claims.permissions);
  const { permissions: _, ...rest } = minter;
  return { ...rest, scope, token_id, expires_at, ...(permissions && { permissions }) };
}

/** Where a token may act, while its credential may act there too. */
export const tokenScope = ({ organization_id, pod_id, inbox }: TokenClaims): Scope => ({
  organization_id,
  ...(pod_id !== undefined && { pod_id }),
  ...(inbox && { inbox }),
});

export const limitsOf = (organization: OrganizationFacts): RateLimits => ({
  organization: organization.requests_per_minute ?? defaultRates.organization,
  key: organization.key_requests_per_minute ?? defaultRates.key,
});
