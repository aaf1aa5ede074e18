import type { AttributeValue, Item } from './attribute-value.ts';
import { attribute, inside, typeOf } from './attribute-value.ts';
import { compareNumbers } from './decimal.ts';

/** Same type and same content; the order of a set's members does not count. */
export function sameValue(left: AttributeValue, right: AttributeValue): boolean {
  const type = typeOf(left);
  if (type !== typeOf(right)) return false;
  if ('L' in left && 'L' in right) {
    return left.L.length === right.L.length && left.L.every((member, at) => sameValue(member, right.L[at]!));
  }
  if ('M' in left && 'M' in right) return sameItem(left.M, right.M);
  const a = inside(left);
  const b = inside(right);
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  const members = new Set(b);
  return a.length === b.length && a.every((member) => members.has(member));
}

export function sameItem(left: Item, right: Item): boolean {
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => {
    const other = attribute(right, name);
    return other !== undefined && sameValue(attribute(left, name)!, other);
  });
}

/**
 * Order of two strings by their UTF-8 bytes, numbers by value, binaries by byte; undefined for any other
 * pair.
 */
export function compareValues(left: AttributeValue, right: AttributeValue): number | undefined {
  if ('N' in left && 'N' in right) return compareNumbers(left.N, right.N);
  if ('S' in left && 'S' in right) return Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  if ('B' in left && 'B' in right) {
    return Buffer.compare(Buffer.from(left.B, 'base64'), Buffer.from(right.B, 'base64'));
  }
  return undefined;
}
