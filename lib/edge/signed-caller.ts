import { createHash } from 'node:crypto';
import type { Once } from '../contract/call.ts';
import type { Principal } from '../contract/principal.ts';
import { Problem } from '../contract/problem.ts';
import type { Aim, Authenticate, Caller } from './caller.ts';
import { cachedDirectory } from './directory-cache.ts';
import type { Directory, StoredCredential } from './directory.ts';
import type { HttpRequest } from './http-request.ts';
import { signatureClaims, type SignatureClaim } from './signature-claim.ts';
import { checkClaim, signatureWindow, verifySignature } from './signature.ts';

export interface SignedCallerOptions {
  /** Origins that signatures are made for, none with a trailing slash. */
  origins: readonly string[];
  directory: Directory;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** Longest possible address (RFC 5321 §4.5.3.1: 64 and 255 octets around the `@`). */
const longestInbox = 320;
const howToSign =
  'Sign the request (RFC 9421) over "@method" "@target-uri" and, with a body, "content-digest", with the parameters created, nonce and keyid.';

/**
 * Callers that sign with HTTP message signatures. Of several signatures any one that satisfies will do; when
 * none does, the refusal is that of the first.
 */
export function signedCaller({ origins, directory, now = Date.now }: SignedCallerOptions): Authenticate {
  const cached = cachedDirectory(directory, { now });

  const check = async (claim: SignatureClaim, request: HttpRequest, aim: Aim): Promise<Caller> => {
    checkClaim(claim, request, now());
    const inbox = aim.inbox !== undefined && aim.inbox.length <= longestInbox ? { inbox: aim.inbox } : {};
    const looked = await cached.lookUp({ keyid: claim.keyid, ...inbox }, aim.purpose);
    if (looked.credential === undefined) throw unknownKey('no key has this keyid');
    await verifySignature(claim, request, looked.credential.public_key, origins);
    return {
      principal: principalOf(looked.credential, now()),
      ...(looked.inbox && { inbox: looked.inbox }),
      ...(request.method !== 'GET' && { once: onceOf(claim) }),
    };
  };

  return async (request, aim) => {
    let refusal: Problem | undefined;
    for (const claim of claimsOf(request)) {
      try {
        return await check(claim(), request, aim);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        refusal ??= error;
      }
    }
    throw refusal ?? new Problem('missing_authorization', 'the request is not signed', { fix: howToSign });
  };
}

function claimsOf({ headers }: HttpRequest): (() => SignatureClaim)[] {
  const { signature, 'signature-input': input, authorization } = headers;
  if (signature !== undefined && input !== undefined) return signatureClaims(input, signature);
  if (signature !== undefined || input !== undefined) {
    throw new Problem(
      'invalid_signature',
      'Signature and Signature-Input belong together, and one is missing',
      { fix: howToSign },
    );
  }
  if (authorization !== undefined) throw unknownKey('a bearer key does not open this door');
  return [];
}

const unknownKey = (message: string): Problem =>
  new Problem('unknown_api_key', message, { fix: `Use a registered key. ${howToSign}` });

function principalOf(credential: StoredCredential, now: number): Principal {
  const { organization_id, pod_id, inbox, permissions, api_key_id, expires_at, state } = credential;
  if (state === 'revoked') throw unknownKey('this key was revoked');
  if (expires_at !== undefined && Date.parse(expires_at) <= now) throw unknownKey('this key has expired');
  if (state === 'suspended')
    throw new Problem('account_suspended', 'this key is suspended', { fix: 'Ask the operator.' });
  return {
    kind: 'key',
    organization_id,
    api_key_id,
    ...(pod_id && { pod_id }),
    ...(inbox && { inbox }),
    ...(permissions && { permissions }),
  };
}

/** A nonce is the key's: two keys may draw the same. It outlives the window on both of its sides. */
function onceOf({ keyid, nonce, created }: SignatureClaim): Once {
  return {
    key: createHash('sha256').update(`${keyid}${nonce}`).digest('base64url'),
    expires: created + 2 * signatureWindow,
    spent: false,
  };
}
