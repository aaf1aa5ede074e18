/** RFC 3986 §3.3: what is not a `pchar` has to be percent-encoded in a path segment. */
const notPchar = /[^A-Za-z0-9\-._~!$&'()*+,;=:@]/gu;
const visibleAscii = /^[!-~]*$/;

/**
 * Every URI a signer may have meant by this request. An HTTP API hands over the path decoded, so the spelling
 * that was signed is tried from a closed list: each segment as `encodeURIComponent` writes it, with every RFC
 * 3986 pchar left literal, and as given. As given only where it cannot be mistaken for another URI: with `?` or
 * `#` in it a path could pass for a query that was signed, with `%` for an escape.
 */
export function targetUris(origins: readonly string[], path: string, query: string): string[] {
  if (!path.isWellFormed() || !path.startsWith('/') || !visibleAscii.test(query)) return [];
  const segments = path.split('/');
  const spellings = new Set([
    segments.map(encodeURIComponent).join('/'),
    segments.map((segment) => segment.replace(notPchar, encodeURIComponent)).join('/'),
  ]);
  if (visibleAscii.test(path) && !/[?#%]/.test(path)) spellings.add(path);
  const search = query === '' ? '' : `?${query}`;
  return origins.flatMap((origin) => [...spellings].map((spelling) => `${origin}${spelling}${search}`));
}
