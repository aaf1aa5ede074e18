import { createPublicKey, type KeyObject } from 'node:crypto';
import { createVerifier, httpbis } from 'http-message-signatures';
import type { PublicJwk } from '../contract/credential.ts';
import { Problem } from '../contract/problem.ts';
import { checkContentDigest } from './content-digest.ts';
import type { HttpRequest } from './http-request.ts';
import { malformed, type SignatureClaim } from './signature-claim.ts';
import { targetUris } from './target-uri.ts';

/** How far `created` may lie from the server's time, in seconds, either way. */
export const signatureWindow = 300;

/** Checks all of a claim that needs no key: what it covers, its times and the digest of the body. Throws a `Problem`. */
export function checkClaim(claim: SignatureClaim, request: HttpRequest, now: number): void {
  const digest = request.headers['content-digest'];
  const required = ['@method', '@target-uri', ...(request.body.length > 0 ? ['content-digest'] : [])];
  const missing = required.filter((name) => !claim.covers.has(name));
  if (missing.length > 0)
    throw malformed(`the signature does not cover ${missing.join(' and ')}`, `Cover ${required.join(', ')}.`);
  for (const name of claim.covers) if (!name.startsWith('@')) checkHeader(name, request.headers[name]);
  checkTimes(claim, Math.floor(now / 1000));
  if (digest !== undefined) checkContentDigest(digest, request.body);
}

/** What a line of the signature base can hold (RFC 9421 §2.1): in another, a line break could pass for a next line. */
const fieldValue = /^[\t -~]*$/;

function checkHeader(name: string, value: string | undefined): void {
  if (value === undefined)
    throw malformed(
      `the signature covers ${name}, which the request does not have`,
      'Send that header, or do not cover it.',
    );
  if (!fieldValue.test(value))
    throw malformed(
      `the signature covers ${name}, whose value is not one line of visible ASCII`,
      'Send it on one line and in ASCII, or do not cover it.',
    );
}

function checkTimes({ created, expires }: SignatureClaim, now: number): void {
  const late = (message: string): Problem =>
    new Problem('signature_expired', `${message}; the server's time is ${now} (${iso(now)})`, {
      fix: 'Sign each attempt anew, with the clock set right.',
    });
  if (created < now - signatureWindow) throw late(`the signature is older than ${signatureWindow} seconds`);
  if (created > now + signatureWindow) throw late('the signature was created in the future');
  if (expires !== undefined && expires <= now) throw late('the signature has expired');
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '');

/**
 * Checks the bytes of a signature with the key it names, for each URI the request may have been signed for.
 * The algorithm is the key's; the request may repeat it, not choose it. Throws a `Problem`.
 */
export async function verifySignature(
  claim: SignatureClaim,
  request: HttpRequest,
  jwk: PublicJwk,
  origins: readonly string[],
): Promise<void> {
  const algorithm = jwk.kty === 'OKP' ? 'ed25519' : 'ecdsa-p256-sha256';
  if (claim.alg !== undefined && claim.alg !== algorithm)
    throw malformed('alg is not the algorithm of this key', `Leave alg out, or give "${algorithm}".`);
  const verifies = createVerifier(publicKey(jwk), algorithm);
  for (const uri of targetUris(origins, request.path, request.query)) {
    if (await verifies(Buffer.from(signatureBase(claim, request, uri)), claim.signature)) return;
  }
  throw malformed(
    'the signature does not match the request',
    `Sign method, URL, body and the covered headers exactly as they are sent, for the origin ${origins.join(' or ')}.`,
  );
}

/** The text that was signed (RFC 9421 §2.5), were `uri` the target. */
function signatureBase(claim: SignatureClaim, request: HttpRequest, uri: string): string {
  const lines = httpbis.createSignatureBase(
    {
      fields: claim.fields,
      componentParser: (name) => fromTarget(name, uri) ?? fromHeader(request.headers[name]),
    },
    { method: request.method, url: uri, headers: {} },
  );
  lines.push(['"@signature-params"', [claim.parameters]]);
  return httpbis.formatSignatureBase(lines);
}

/** Path and query as spelled in the URI: parsing it as a URL would spell them anew. */
function fromTarget(name: string, uri: string): string[] | null {
  const start = uri.indexOf('/', uri.indexOf('://') + 3);
  const mark = uri.indexOf('?');
  const end = mark === -1 ? uri.length : mark;
  if (name === '@path') return [uri.slice(start, end)];
  if (name === '@query') return [mark === -1 ? '?' : uri.slice(mark)];
  if (name === '@request-target') return [uri.slice(start)];
  return null;
}

/** Without the white space around it that HTTP knows (RFC 9110 §5.6.3), and no other. */
const fromHeader = (value: string | undefined): string[] | null =>
  value === undefined ? null : [value.replace(/^[ \t]+|[ \t]+$/g, '')];

const keys = new WeakMap<PublicJwk, KeyObject>();

function publicKey(jwk: PublicJwk): KeyObject {
  const known = keys.get(jwk);
  if (known) return known;
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  keys.set(jwk, key);
  return key;
}
