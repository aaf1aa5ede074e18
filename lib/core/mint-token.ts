import { about, type Call, type UseCase } from '../contract/call.ts';
import { permissionNames, within, type Permissions } from '../contract/permission.ts';
import type { InboxRef, Scope } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
import { resolveScope } from '../contract/scope.ts';
import { longestToken } from '../contract/token.ts';
import type { NewUlid, Now } from './ports.ts';

/** What a minted token says of its bearer. */
export interface TokenClaims {
  token_id: string;
  /** The credential that minted it: with that credential the token ends. */
  keyid: string;
  organization_id: string;
  pod_id?: string;
  inbox?: InboxRef;
  /** Absent: everything the credential may do in the token's scope. */
  permissions?: Permissions;
  /** ISO 8601. */
  expires_at: string;
}

/** Port: claims as a text that nobody else can make or read. */
export interface BearerTokens {
  seal(claims: TokenClaims): Promise<string>;
  /** `undefined`: forged or damaged. What is over still opens. */
  open(text: string): Promise<TokenClaims | undefined>;
}

/** Port: what is there of what a token is to be narrowed to. */
export interface Places {
  /** An inbox by its first address, any other address of it, or its uid; it may be another organization's. */
  lookUp(asked: { keyid: string; inbox?: string; pod?: string }): Promise<{
    inbox?: InboxRef;
    pod?: { pod_id: string };
  }>;
}

/** Seconds. */
const usualToken = 900;

/** Mints a bearer token: never more than the key that asks, and over within the hour. */
export const mintToken =
  (deps: { tokens: BearerTokens; places: Places; now: Now; ulid: NewUlid }): UseCase<'auth.token'> =>
  async ({ principal, scope, body, deed }) => {
    const { keyid, token_id: bearer, permissions: held } = principal;
    if (bearer !== undefined)
      throw escalation('a minted token cannot mint another', 'Sign this call with the key.');
    const permissions = body?.permissions ?? held;
    if (!within(permissions, held)) throw beyond(permissions!, held!);
    const { organization_id, pod_id, inbox } = await narrowed(deps.places, keyid, scope, body);
    const token_id = `tok_${deps.ulid()}`;
    const expires_at = endOf(deps.now(), body?.expires_in ?? usualToken, principal.expires_at);
    const token = await deps.tokens.seal({
      token_id,
      keyid,
      organization_id,
      ...(pod_id !== undefined && { pod_id }),
      ...(inbox !== undefined && { inbox }),
      ...(permissions !== undefined && { permissions }),
      expires_at,
    });
    about(deed, [token_id], inbox);
    return { token_id, token, expires_at };
  };

async function narrowed(
  places: Places,
  keyid: string,
  own: Scope,
  body: Call<'auth.token'>['body'],
): Promise<Scope> {
  const { pod_id: pod, inbox_id: inbox } = body ?? {};
  if (pod === undefined && inbox === undefined) return own;
  const found = await places.lookUp({
    keyid,
    ...(pod !== undefined && { pod }),
    ...(inbox !== undefined && { inbox }),
  });
  const scope = resolveScope(own, {
    ...(pod !== undefined && { pod: { id: pod, found: found.pod?.pod_id === pod } }),
    ...(inbox !== undefined && { inbox: { found: found.inbox } }),
  });
  if (scope === undefined) throw notFound(inbox === undefined ? 'Pod' : 'Inbox');
  return scope;
}

function endOf(now: number, seconds: number, last: string | undefined): string {
  const end = now + Math.min(seconds, longestToken) * 1000;
  return new Date(last === undefined ? end : Math.min(end, Date.parse(last))).toISOString();
}

function beyond(asked: Permissions, held: Permissions): Problem {
  const missing = permissionNames.filter((name) => asked[name] === true && held[name] !== true);
  return escalation(
    `this key does not have ${missing.join(', ')}`,
    'Ask for no more permissions than the calling key has.',
  );
}

const escalation = (message: string, fix: string): Problem =>
  new Problem('permission_escalation', message, { fix });
