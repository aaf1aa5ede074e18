/** The field of Curve25519 (RFC 8032 §5.1). */
const prime = 2n ** 255n - 19n;
const orderEight = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

/**
 * The y of the points whose order divides 8: 1 (order 1), -1 (order 2), 0 (order 4) and two of order 8. Under such a
 * public key anybody can make signatures, some of them good for any text.
 */
const smallOrder = new Set([0n, 1n, prime - 1n, orderEight, prime - orderEight]);

/**
 * Whether an Ed25519 public key (base64url) can stand for one holder: 32 bytes in the one spelling of their point
 * (RFC 8032 §5.1.3), which is of no small order. Not every runtime looks: Node 20 takes them all.
 */
export function isSafePoint(x: string): boolean {
  const bytes = Buffer.from(x, 'base64url');
  if (bytes.length !== 32 || bytes.toString('base64url') !== x) return false;
  // Little-endian; the highest bit is the sign of the other coordinate.
  bytes[31] = bytes[31]! & 0x7f;
  const y = BigInt(`0x${bytes.reverse().toString('hex')}`);
  return y < prime && !smallOrder.has(y);
}
