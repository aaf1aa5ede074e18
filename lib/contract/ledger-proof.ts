import type { Line, Seal } from './ledger.ts';

/** SHA-256, given from outside: what proves the ledger runs wherever somebody wants to check it. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** How long a line may wait for its seal, milliseconds; and how far its time may lie from when it was written. */
export const sealLag = 10 * 60_000;

/** JSON in the one form of RFC 8785, for what lines and seals are made of: strings, whole numbers, lists and objects. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      // By UTF-16 code units (RFC 8785 §3.2.3), as strings compare in JavaScript.
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
  }
  if (typeof value === 'string' || Number.isSafeInteger(value)) return JSON.stringify(value);
  throw new TypeError(`a ledger holds no ${value === null ? 'null' : typeof value} such as ${String(value)}`);
}

const encoder = new TextEncoder();
const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** Merkle tree hash (RFC 9162 §2.1.1). The prefixes keep a node from passing for a leaf. */
export function merkleRoot(leaves: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return sha256(prefixed(0, leaves[0]!));
  const half = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  const [left, right] = [leaves.slice(0, half), leaves.slice(half)].map((part) => merkleRoot(part, sha256));
  return sha256(prefixed(1, left!, right!));
}

/** Not spread into arguments: the stack holds only so many, and a row may have 400 KB. */
function prefixed(prefix: number, ...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 1));
  whole[0] = prefix;
  let at = 1;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The root of a seal over these lines, base64url. */
export const rootOf = (lines: readonly Line[], sha256: Sha256): string =>
  base64url(
    merkleRoot(
      lines.map((line) => encoder.encode(canonical(line))),
      sha256,
    ),
  );

/** The hash of a seal, base64url. */
export const sealHash = (
  { hash: _, ...seal }: Omit<Seal, 'hash'> & { hash?: string },
  sha256: Sha256,
): string => base64url(sha256(encoder.encode(canonical(seal))));
