import { createHash } from 'node:crypto';
import { Problem } from '../contract/problem.ts';
import { strictDictionary, type Member } from './strict-dictionary.ts';

const hashes = { 'sha-256': 'sha256', 'sha-512': 'sha512' } as const;

const refuse = (message: string, fix: string): Problem => new Problem('invalid_signature', message, { fix });

/**
 * Checks a Content-Digest (RFC 9530) against the bytes that arrived. Every digest of a known algorithm has to
 * match and one has to be there; none may come twice. Throws a `Problem`.
 */
export function checkContentDigest(header: string, body: Uint8Array): void {
  const digests = parse(header);
  const known = Object.entries(hashes).flatMap(([name, hash]) => {
    const given = digests.get(name);
    return given === undefined ? [] : [{ name, hash, bytes: given.value[0] }];
  });
  if (known.length === 0)
    throw refuse(
      'Content-Digest has no digest this server knows',
      'Give a sha-256 or sha-512 digest, as RFC 9530 writes it.',
    );
  for (const { name, hash, bytes } of known) {
    const right =
      bytes instanceof ArrayBuffer && createHash(hash).update(body).digest().equals(Buffer.from(bytes));
    if (!right)
      throw refuse(
        `Content-Digest: ${name} is not the digest of the body that arrived`,
        'Compute the digest over exactly the bytes that are sent.',
      );
  }
}

function parse(header: string): Map<string, Member> {
  const digests = strictDictionary(header);
  if (digests === undefined)
    throw refuse('Content-Digest is not a dictionary of digests', 'Write it as sha-256=:<base64>:');
  // A body is judged by all of its digests: a reader that took the first of two would judge another body.
  if ('twice' in digests)
    throw refuse(
      `Content-Digest has ${digests.twice} twice`,
      'Send one header, with one digest an algorithm.',
    );
  return digests;
}
