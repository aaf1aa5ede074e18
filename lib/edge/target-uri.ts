/** RFC 3986 §3.3: what is not a `pchar` has to be percent-encoded in a path segment. */
const notPchar = /[^A-Za-z0-9\-._~!$&'()*+,;=:@]/gu;
const visibleAscii = /^[!-~]*$/;

/** A verification costs a quarter of a millisecond: a path with more spellings than this tries only the first ones. */
const mostPaths = 64;

/**
 * Every URI a signer may have meant by this request, the likely ones first. An HTTP API hands over the path decoded,
 * so the spelling that was signed is tried from a closed list: each segment as `encodeURIComponent` writes it or with
 * every RFC 3986 pchar left literal, `@` and `+` each either way; and the path as given. As given only where it cannot
 * be mistaken for another URI: with `?` or `#` in it a path could pass for a query that was signed, with `%` for an escape.
 */
export function targetUris(origins: readonly string[], path: string, query: string): string[] {
  if (!path.isWellFormed() || !path.startsWith('/') || !visibleAscii.test(query)) return [];
  let paths = [''];
  for (const segment of path.slice(1).split('/')) {
    paths = spellings(segment)
      .flatMap((spelling) => paths.map((before) => `${before}/${spelling}`))
      .slice(0, mostPaths);
  }
  if (visibleAscii.test(path) && !/[?#%]/.test(path)) paths.push(path);
  const search = query === '' ? '' : `?${query}`;
  return origins.flatMap((origin) => [...new Set(paths)].map((spelling) => `${origin}${spelling}${search}`));
}

/** The ways to write one segment. */
function spellings(segment: string): string[] {
  const [encoded, literal] = [encodeURIComponent(segment), segment.replace(notPchar, encodeURIComponent)];
  const either = (text: string): string[] => [
    text,
    text.replaceAll('%40', '@').replaceAll('+', '%2B'),
    text.replaceAll('@', '%40').replaceAll('%2B', '+'),
  ];
  return [...new Set([...either(encoded), ...either(literal)])];
}
