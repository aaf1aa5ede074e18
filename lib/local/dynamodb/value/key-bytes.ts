import type { AttributeValue } from './attribute-value.ts';
import { encodeNumber } from './decimal.ts';

/** Above every position: a sort key has at most 1024 bytes. */
export const AFTER_ALL = Buffer.alloc(1100, 0xff);

/** Bytes of a key attribute that sort as DynamoDB sorts the values. */
export function keyBytes(value: AttributeValue): Buffer {
  if ('S' in value) return Buffer.from(value.S);
  if ('B' in value) return Buffer.from(value.B, 'base64');
  if ('N' in value) return encodeNumber(value.N);
  throw new Error('only strings, numbers and binaries are keys');
}

/**
 * Bytes of one element of a tuple, so that tuples sort element by element: 0x00 becomes 0x00 0xff, and
 * 0x00 0x01 ends the element.
 */
export function element(bytes: Buffer): Buffer {
  return Buffer.concat([escapeZeros(bytes), END]);
}

/** The first position after every tuple that begins with this element. */
export function afterElement(bytes: Buffer): Buffer {
  return Buffer.concat([escapeZeros(bytes), AFTER_END]);
}

/** From the first to after the last tuple whose first element begins with these bytes. */
export function prefixRange(bytes: Buffer): { lower: Buffer; upper: Buffer } {
  const lower = escapeZeros(bytes);
  for (let at = lower.length - 1; at >= 0; at--) {
    if (lower[at] === 0xff) continue;
    const upper = Buffer.from(lower.subarray(0, at + 1));
    upper[at]! += 1;
    return { lower, upper };
  }
  return { lower, upper: AFTER_ALL };
}

/** The first byte string after this one. */
export function justAfter(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, ZERO]);
}

const ZERO = Buffer.of(0);
const END = Buffer.of(0, 1);
const AFTER_END = Buffer.of(0, 2);

function escapeZeros(bytes: Buffer): Buffer {
  if (!bytes.includes(0)) return bytes;
  const escaped: number[] = [];
  for (const byte of bytes) escaped.push(...(byte === 0 ? [0, 0xff] : [byte]));
  return Buffer.from(escaped);
}
