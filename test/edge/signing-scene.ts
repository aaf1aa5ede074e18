import { expect } from 'vitest';
import { Problem } from '../../lib/contract/problem.ts';
import type { Aim, Authenticate, Caller } from '../../lib/edge/caller.ts';
import type { Asked, Looked, OrganizationFacts, StoredCredential } from '../../lib/edge/directory.ts';
import { readRequest } from '../../lib/edge/http-request.ts';
import { keyCaller } from '../../lib/edge/key-caller.ts';
import { signerOf } from '../../lib/sdk/key.ts';
import { signatureHeaders } from '../../lib/sdk/signing-fetch.ts';
import { apiEvent, type Sent } from './api-event.ts';
import { testKey, type TestKey } from './key-fixture.ts';

export const now = Date.parse('2026-01-31T12:00:00Z');
export const origin = 'https://mail.example.com';
export const key = testKey();
export const p256 = testKey('p256');
export const read: Aim = { purpose: 'read' };

interface Sides {
  /** Milliseconds since the epoch. */
  at?: number;
  origins?: string[];
  credentials?: StoredCredential[];
  organization?: OrganizationFacts;
}

/** Authentication by these credentials, all of one organization. */
export function authentication({
  at = now,
  origins = [origin],
  credentials = [key.credential, p256.credential],
  organization = { state: 'active' },
}: Sides = {}): Authenticate {
  const lookUp = async ({ keyid }: Asked): Promise<Looked> => {
    const credential = credentials.find((one) => one.keyid === keyid);
    return credential ? { credential, organization } : {};
  };
  return keyCaller({ origins, directory: { lookUp, touch: async () => {} }, now: () => at });
}

export function verify(sent: Sent, options: Sides = {}): Promise<Caller> {
  const event = apiEvent(sent);
  return authentication(options)(readRequest(event), read, event);
}

export const refusal = (sent: Sent, options?: Sides): Promise<Problem> =>
  verify(sent, options).then(
    () => expect.fail('was accepted'),
    (error: unknown) => (error instanceof Problem ? error : expect.fail(String(error))),
  );

export const get: Sent = { url: `${origin}/v0/inboxes?limit=5` };
export const post: Sent = {
  method: 'POST',
  url: `${origin}/v0/inboxes`,
  headers: { 'content-type': 'application/json' },
  body: '{"username":"alice"}',
};

/** Signed by our own client. */
export async function ownSigned(sent: Sent, at = now, signer: TestKey = key): Promise<Sent> {
  const body = sent.body === undefined ? undefined : Buffer.from(sent.body);
  const headers = await signatureHeaders(signerOf(signer.jwk), {
    method: sent.method ?? 'GET',
    url: sent.url,
    body,
    created: Math.floor(at / 1000),
  });
  return { ...sent, headers: { ...sent.headers, ...headers } };
}

/** The same request with other values of some headers; `undefined` leaves one out. */
export function withHeaders(sent: Sent, change: Record<string, string | undefined>): Sent {
  const headers = Object.entries({ ...lowerCase(sent.headers), ...change });
  return {
    ...sent,
    headers: Object.fromEntries(headers.filter((one): one is [string, string] => one[1] !== undefined)),
  };
}

const lowerCase = (headers: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** Value of a header of a signed request. */
export const headerOf = (sent: Sent, name: string): string => lowerCase(sent.headers)[name]!;

/**
 * Signs a text of one's own making: what stands in Signature-Input and, where it differs, in the signature base.
 * `lines` are those of the base before the last one.
 */
export async function handSigned(
  sent: Sent,
  input: string,
  { signer = key, lines, signed = input }: { signer?: TestKey; lines?: string[]; signed?: string } = {},
): Promise<Sent> {
  const before = lines ?? [`"@method": ${sent.method ?? 'GET'}`, `"@target-uri": ${sent.url}`];
  const base = [...before, `"@signature-params": ${signed}`].join('\n');
  const signature = Buffer.from(await signerOf(signer.jwk).sign(Buffer.from(base))).toString('base64');
  return withHeaders(sent, { 'signature-input': `sig=${input}`, signature: `sig=:${signature}:` });
}

/** The Signature-Input of a plain GET by `key`, made now; `more` is added to its parameters. */
export const inputOf = (more = '', created: string | number = now / 1000): string =>
  `("@method" "@target-uri");created=${created};nonce="n";keyid="${key.keyid}"${more}`;
