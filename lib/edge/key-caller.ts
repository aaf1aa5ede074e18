import { createHash } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Once } from '../contract/call.ts';
import type { KeyPrincipal, Scope } from '../contract/principal.ts';
import { Problem } from '../contract/problem.ts';
import { readBearer, type BearerTokens } from './bearer.ts';
import type { Aim, Authenticate, Caller } from './caller.ts';
import { cachedDirectory } from './directory-cache.ts';
import type { Asked, Directory, Looked, StoredCredential } from './directory.ts';
import type { HttpRequest } from './http-request.ts';
import { limitsOf, principalOf, tokenPrincipal, tokenScope, unknownKey } from './key-principal.ts';
import { signatureClaims, type SignatureClaim } from './signature-claim.ts';
import { checkClaim, signatureWindow, verifySignature } from './signature.ts';

export interface KeyCallerOptions {
  /** Origins that signatures are made for, none with a trailing slash. */
  origins: readonly string[];
  directory: Directory;
  /** Without it no minted token opens the door. */
  tokens?: BearerTokens;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** Longest possible address (RFC 5321 §4.5.3.1: 64 and 255 octets around the `@`). */
const longestName = 320;
/** A credential's last use is noted this often, in milliseconds. */
const touchEvery = 3_600_000;
const howToSign =
  'Sign the request (RFC 9421) over "@method" "@target-uri" and, with a body, "content-digest", with the parameters created, nonce and keyid.';

/**
 * Callers with a key: a signature, or where the organization allows it a bearer. Of several signatures any one that
 * satisfies will do; when none does, the refusal is that of the first. A signature goes before a bearer.
 */
export function keyCaller({ origins, directory, tokens, now = Date.now }: KeyCallerOptions): Authenticate {
  const cached = cachedDirectory(directory, { now });
  const lookUp = async (keyid: string, aim: Aim, narrowed?: Scope): Promise<Found> => {
    const looked = await cached.lookUp({ keyid, ...namesOf(aim) }, aim.purpose, narrowed);
    if (looked.credential === undefined)
      throw unknownKey('no key has this keyid', `Use a registered key. ${howToSign}`);
    return { ...looked, credential: looked.credential };
  };
  const admit = async (
    found: Found,
    principal: KeyPrincipal,
    event: APIGatewayProxyEventV2,
  ): Promise<Caller> => {
    await noteUse(directory, found.credential, now());
    const { sourceIp } = event.requestContext.http;
    return {
      principal,
      ...(found.inbox && { inbox: found.inbox }),
      ...(found.pod && { pod: found.pod }),
      limits: limitsOf(found.organization!),
      ...(sourceIp && { personal: { source_ip: sourceIp } }),
    };
  };

  const bySignature = async (
    claim: SignatureClaim,
    request: HttpRequest,
    aim: Aim,
    event: APIGatewayProxyEventV2,
  ) => {
    checkClaim(claim, request, now());
    const found = await lookUp(claim.keyid, aim);
    const { public_key } = found.credential;
    if (public_key === undefined)
      throw unknownKey('no key has this keyid', `Use a registered key. ${howToSign}`);
    await verifySignature(claim, request, public_key, origins);
    const principal = principalOf(found.credential, found.organization, now());
    return { ...(await admit(found, principal, event)), once: onceOf(claim) };
  };

  const byBearer = async (header: string, aim: Aim, event: APIGatewayProxyEventV2): Promise<Caller> => {
    const bearer = readBearer(header);
    if (bearer === undefined) throw unknownKey('this is no bearer of ours', howToSign);
    if (bearer.kind === 'token') {
      const claims = await tokens?.open(bearer.text);
      if (claims === undefined)
        throw unknownKey('this token was not minted here', 'Mint one with POST /v0/auth/token.');
      // A token of an inbox goes with it, also where the path names none.
      const home = aim.inbox === undefined ? claims.inbox : undefined;
      const asked = home === undefined ? aim : { ...aim, inbox: home.inbox_id };
      const found = await lookUp(claims.keyid, asked, tokenScope(claims));
      if (home !== undefined && found.inbox?.uid !== home.uid)
        throw unknownKey('the inbox of this token is gone');
      const minter = principalOf(found.credential, found.organization, now());
      return admit(found, tokenPrincipal(minter, claims, now()), event);
    }
    const found = await lookUp(bearer.keyid, aim);
    if (found.credential.type !== 'bearer') throw unknownKey('no key is this bearer');
    const principal = principalOf(found.credential, found.organization, now());
    if (found.organization!.bearer_keys !== true)
      throw new Problem('invalid_token_type', 'this organization does not take bearer keys');
    return admit(found, principal, event);
  };

  return async (request, aim, event) => {
    const { authorization } = request.headers;
    const claims = claimsOf(request);
    if (claims.length === 0 && authorization !== undefined) return byBearer(authorization, aim, event);
    let refusal: Problem | undefined;
    for (const claim of claims) {
      try {
        return await bySignature(claim(), request, aim, event);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        refusal ??= error;
      }
    }
    throw refusal ?? new Problem('missing_authorization', 'the request is not signed', { fix: howToSign });
  };
}

type Found = Looked & { credential: StoredCredential };

/** What is longer than any name of ours is nobody's, and is not looked up. */
const namesOf = ({ inbox, pod }: Aim): Omit<Asked, 'keyid'> => ({
  ...(inbox !== undefined && inbox.length <= longestName && { inbox }),
  ...(pod !== undefined && pod.length <= longestName && { pod }),
});

async function noteUse(directory: Directory, credential: StoredCredential, now: number): Promise<void> {
  const last = credential.used_at === undefined ? 0 : Date.parse(credential.used_at);
  if (now - last < touchEvery) return;
  const time = new Date(now).toISOString();
  await directory.touch(credential, time);
  credential.used_at = time;
}

function claimsOf({ headers }: HttpRequest): (() => SignatureClaim)[] {
  const { signature, 'signature-input': input } = headers;
  if (signature !== undefined && input !== undefined) return signatureClaims(input, signature);
  if (signature === undefined && input === undefined) return [];
  throw new Problem(
    'invalid_signature',
    'Signature and Signature-Input belong together, and one is missing',
    {
      fix: howToSign,
    },
  );
}

/** A nonce is the key's: two keys may draw the same. It outlives the window on both of its sides. */
function onceOf({ keyid, nonce, created }: SignatureClaim): Once {
  return {
    key: createHash('sha256').update(`${keyid}${nonce}`).digest('base64url'),
    expires: created + 2 * signatureWindow,
  };
}
