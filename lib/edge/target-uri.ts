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
  const segments = path.slice(1).split('/').map(spellings);
  const consistent = ways.map((_, way) => segments.map((each) => `/${each[way]}`).join(''));
  let mixed = [''];
  for (const each of segments) {
    mixed = [...new Set(each)]
      .flatMap((spelling) => mixed.map((before) => `${before}/${spelling}`))
      .slice(0, mostPaths);
  }
  const paths = [...new Set([...consistent, ...mixed])].slice(0, mostPaths);
  if (visibleAscii.test(path) && !/[?#%]/.test(path)) paths.push(path);
  // An event does not tell an empty query from none.
  const searches = query === '' ? ['', '?'] : [`?${query}`];
  return origins.flatMap((origin) =>
    searches.flatMap((search) => [...new Set(paths)].map((spelling) => `${origin}${spelling}${search}`)),
  );
}

const encoded = (segment: string): string => encodeURIComponent(segment);
const literal = (segment: string): string => segment.replace(notPchar, encodeURIComponent);
const asAt = (text: string): string => text.replaceAll('%40', '@').replaceAll('+', '%2B');
const asPlus = (text: string): string => text.replaceAll('@', '%40').replaceAll('%2B', '+');

/** The ways to write one segment: a signer has one of them for all. */
const ways: ((segment: string) => string)[] = [
  encoded,
  literal,
  (segment) => asAt(encoded(segment)),
  (segment) => asPlus(encoded(segment)),
  (segment) => asAt(literal(segment)),
  (segment) => asPlus(literal(segment)),
];

const spellings = (segment: string): string[] => ways.map((way) => way(segment));
