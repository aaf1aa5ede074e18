/**
 * The path as an HTTP API hands it on: percent-decoded once, `+` left alone, and cut at a `?` that was encoded.
 * `undefined` for a malformed one.
 */
export function decodedPath(path: string): string | undefined {
  if (!path.startsWith('/') || /%(?![0-9a-fA-F]{2})/.test(path)) return undefined;
  const bytes: Buffer[] = path.split(/(%[0-9a-fA-F]{2})/).map((part) => {
    return part.startsWith('%') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part);
  });
  return Buffer.concat(bytes).toString('utf8').split('?', 1)[0]!;
}
