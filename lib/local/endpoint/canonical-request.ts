import type { SignatureParts, WireRequest } from './signature-parts.ts';
import { SignatureError } from './signature-error.ts';

/** The text a SigV4 signature covers ("Create a canonical request" in the IAM user guide). */
export function canonicalRequest(request: WireRequest, parts: SignatureParts, payloadHash: string): string {
  const headers = [...parts.signedHeaders].sort();
  return [
    request.method,
    parts.service === 's3' ? s3Path(request.path) : normalizedPath(request.path),
    canonicalQuery(request.rawQuery),
    ...headers.map((name) => `${name}:${canonicalValue(request.headers[name])}`),
    '',
    headers.join(';'),
    payloadHash,
  ].join('\n');
}

/** S3 neither normalizes nor encodes twice: its keys may hold empty and dotted segments. */
function s3Path(path: string): string {
  return path
    .split('/')
    .map((segment) => encode(decode(segment)))
    .join('/');
}

/** Other services drop dotted and empty segments and encode once more what came encoded. */
function normalizedPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encode(segment));
  }
  const end = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${end}`;
}

function canonicalQuery(rawQuery: string): string {
  const pairs = rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => pair.split(/=(.*)/s, 2))
    .map(([name = '', value = '']) => [encode(queryDecode(name)), encode(queryDecode(value))] as const)
    .filter(([name]) => name !== 'X-Amz-Signature');
  pairs.sort(([a, x], [b, y]) => order(a, b) || order(x, y));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function canonicalValue(value: string | undefined): string {
  if (value === undefined) throw new SignatureError('malformed', 'a signed header is not in the request');
  return value.trim().replace(/\s+/g, ' ');
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const queryDecode = (text: string) => decode(text.replaceAll('+', ' '));

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SignatureError('malformed', 'the URL holds an invalid percent-encoding');
  }
}

/** RFC 3986: only unreserved characters stay. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
