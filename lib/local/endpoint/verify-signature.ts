import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../cloud.ts';
import { canonicalRequest } from './canonical-request.ts';
import { SignatureError } from './signature-error.ts';
import { signatureParts, type SignatureParts, type WireRequest } from './signature-parts.ts';

/** Finds the key that signed: its holder and secret, or why it does not count. */
export interface KeySource {
  /** `presignedAt` (milliseconds since the epoch) is when a URL was presigned; undefined for a call. */
  find(
    accessKeyId: string,
    token: string | undefined,
    presignedAt: number | undefined,
  ): { caller: Caller; secret: string } | 'unknown' | 'expired';
}

export interface SignatureRules {
  keys: KeySource;
  clock: { now(): number };
  region: string;
}

export interface Verified {
  caller: Caller;
  /** Service of the credential scope, such as `execute-api`. */
  service: string;
  presigned: boolean;
}

/** Services of the whole partition, signed for us-east-1 wherever one is. */
const globalServices = new Set(['route53', 'iam']);
/** Milliseconds that a signed request may be off the clock: 15 minutes for S3, 5 elsewhere. */
const skewOf = (service: string) => (service === 's3' ? 15 : 5) * 60_000;

/**
 * Verifies a SigV4 signature. `payloadHash` is the SHA-256 of the body in hex; for S3 what x-amz-content-sha256
 * declares, or UNSIGNED-PAYLOAD. Throws SignatureError.
 */
export function verifySignature(request: WireRequest, payloadHash: string, rules: SignatureRules): Verified {
  const parts = signatureParts(request);
  checkScope(parts, rules.region);
  if (!parts.signedHeaders.includes('host'))
    throw new SignatureError('malformed', 'Host must be a signed header');
  const signedAt = timeOf(parts.date);
  const key = rules.keys.find(parts.accessKeyId, parts.token, parts.presigned ? signedAt : undefined);
  if (key === 'unknown') {
    throw new SignatureError('unknown-key', 'The security token included in the request is invalid.');
  }
  if (key === 'expired') {
    throw new SignatureError('expired-token', 'The security token included in the request is expired');
  }
  checkSignature(request, parts, payloadHash, key.secret);
  checkTime(parts, signedAt, rules.clock.now());
  if (parts.service === 's3') checkHeadersSigned(request, parts);
  return { caller: key.caller, service: parts.service, presigned: parts.presigned };
}

function checkScope({ region, service, day, date }: SignatureParts, here: string): void {
  const expected = globalServices.has(service) ? 'us-east-1' : here;
  if (region !== expected) {
    throw new SignatureError(
      'malformed',
      `Credential should be scoped to the region ${expected}, not ${region}.`,
    );
  }
  if (!date.startsWith(day))
    throw new SignatureError('malformed', 'the day of the credential is not that of the date');
}

function checkSignature(
  request: WireRequest,
  parts: SignatureParts,
  payloadHash: string,
  secret: string,
): void {
  const canonical = canonicalRequest(request, parts, payloadHash);
  const scope = `${parts.day}/${parts.region}/${parts.service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', parts.date, scope, sha256(canonical)].join('\n');
  const right = hmac(signingKey(secret, parts), toSign);
  const given = Buffer.from(parts.signature, 'hex');
  if (given.length === right.length && timingSafeEqual(given, right)) return;
  throw new SignatureError(
    'mismatch',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access ' +
      `Key and signing method.\n\nThe Canonical String for this request should have been\n'${canonical}'`,
  );
}

function timeOf(date: string): number {
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)T(..)(..)(..)/.exec(date)!;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function checkTime({ date, expires, service }: SignatureParts, signedAt: number, now: number): void {
  const skew = skewOf(service);
  const at = new Date(now).toISOString();
  if (signedAt > now + skew)
    throw new SignatureError('skewed', `Signature not yet current: ${date} is later than ${at}`);
  if (expires === undefined && signedAt < now - skew) {
    throw new SignatureError(
      'skewed',
      `Signature expired: ${date} is now earlier than ${at} less ${skew / 60_000} min.`,
    );
  }
  if (expires !== undefined && signedAt + expires * 1000 < now) {
    throw new SignatureError('expired-url', 'Request has expired');
  }
}

// A header S3 acts on, added to somebody else's signed URL, would change what was signed.
function checkHeadersSigned({ headers }: WireRequest, { signedHeaders }: SignatureParts): void {
  const loose = Object.keys(headers).filter(
    (name) => name.startsWith('x-amz-') && !signedHeaders.includes(name),
  );
  if (loose.length === 0) return;
  const message = `There were headers present in the request which were not signed: ${loose.join(', ')}`;
  throw new SignatureError('unsigned-headers', message);
}

const signingKeys = new Map<string, Buffer>();

function signingKey(secret: string, { day, region, service }: SignatureParts): Buffer {
  const name = `${secret} ${day} ${region} ${service}`;
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const key = [day, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secret}`));
  // Keys change with the day and with every instance of a function.
  if (signingKeys.size > 1000) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
