import { createHash, randomBytes } from 'node:crypto';
import { signerOf, type Signer, type SigningJwk } from './key.ts';

/** A key of Posthorn as `local.json` and the answers of the API write it, its private JWK alone, or anything else that can sign. */
export type Key = { private_jwk: SigningJwk; api_key_id?: string; keyid?: string } | SigningJwk | Signer;

export interface SigningOptions {
  fetch?: typeof fetch;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/**
 * A `fetch` that signs each request (RFC 9421) with a nonce and time of its own: call it once an attempt. It
 * takes bodies that are text or bytes; a signature covers all of them, so nothing can be streamed.
 */
export function createSigningFetch(
  key: Key,
  { fetch: send = fetch, now = Date.now }: SigningOptions = {},
): typeof fetch {
  const signer = 'sign' in key ? key : signerOf('private_jwk' in key ? key.private_jwk : key);
  return async (input, init = {}) => {
    if (input instanceof Request)
      throw new TypeError(
        'Give the signing fetch a URL and an init, not a Request: its body could be read only once.',
      );
    const url = new URL(input);
    url.hash = '';
    const method = (init.method ?? 'GET').toUpperCase();
    const headers = new Headers(init.headers);
    const signed = await signatureHeaders(signer, {
      method,
      url: url.href,
      body: bytesOf(init.body),
      created: Math.floor(now() / 1000),
    });
    for (const [name, value] of Object.entries(signed)) headers.set(name, value);
    return send(url.href, { ...init, method, headers });
  };
}

function bytesOf(body: RequestInit['body']): Uint8Array | undefined {
  if (body === undefined || body === null || body === '') return undefined;
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  throw new TypeError('The signing fetch takes a body of text or bytes: a signature covers all of it.');
}

interface Signable {
  method: string;
  /** Absolute and spelled as it is sent. */
  url: string;
  body: Uint8Array | undefined;
  /** Seconds since the epoch. */
  created: number;
}

/** The headers that sign one request. */
export async function signatureHeaders(
  signer: Signer,
  { method, url, body, created }: Signable,
): Promise<Record<string, string>> {
  const digest = body && `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
  const covered = [
    ['@method', method],
    ['@target-uri', url],
    ...(digest ? [['content-digest', digest]] : []),
  ] as const;
  const nonce = randomBytes(16).toString('base64url');
  const parameters = `(${covered.map(([name]) => `"${name}"`).join(' ')});created=${created};keyid="${signer.keyid}";nonce="${nonce}"`;
  const base = [
    ...covered.map(([name, value]) => `"${name}": ${value}`),
    `"@signature-params": ${parameters}`,
  ].join('\n');
  const signature = Buffer.from(await signer.sign(Buffer.from(base))).toString('base64');
  return {
    ...(digest && { 'content-digest': digest }),
    'signature-input': `sig=${parameters}`,
    signature: `sig=:${signature}:`,
  };
}
