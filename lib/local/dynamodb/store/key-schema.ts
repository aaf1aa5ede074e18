import { invalidParameter, validation } from '../errors.ts';
import type { Item } from '../value/attribute-value.ts';
import { attribute, setAttribute, typeOf } from '../value/attribute-value.ts';
import { afterElement, AFTER_ALL, element, keyBytes, prefixRange } from '../value/key-bytes.ts';

export interface KeyAttribute {
  name: string;
  type: 'S' | 'N' | 'B';
}
export interface KeySchema {
  hash: KeyAttribute;
  range?: KeyAttribute;
}

export const MAX_HASH_BYTES = 2048;
export const MAX_RANGE_BYTES = 1024;
export const NOTHING = Buffer.alloc(0);

/** Names of the key attributes, the partition key first. */
export function keyNames({ hash, range }: KeySchema): string[] {
  return range === undefined ? [hash.name] : [hash.name, range.name];
}

/** The key attributes of an item. */
export function keyOf(schema: KeySchema, item: Item): Item {
  return pick(item, keyNames(schema));
}

/** The named attributes that the item has. */
export function pick(item: Item, names: Iterable<string>): Item {
  const picked: Item = {};
  for (const name of names) {
    const value = attribute(item, name);
    if (value !== undefined) setAttribute(picked, name, value);
  }
  return picked;
}

/**
 * Checks the key parameter of a read, update or delete: exactly the key attributes, of their types and
 * sizes.
 */
export function checkKey(schema: KeySchema, key: Item): void {
  const names = keyNames(schema);
  const fits = [schema.hash, schema.range].every((part) => {
    const value = part && attribute(key, part.name);
    return part === undefined || (value !== undefined && part.type in value);
  });
  if (!fits || Object.keys(key).length !== names.length) {
    throw validation('The provided key element does not match the schema');
  }
  checkKeySizes(schema, key);
}

/** Checks that an item to be put has the key attributes, of their types and sizes. */
export function checkItemKey(schema: KeySchema, item: Item): void {
  for (const part of [schema.hash, schema.range]) {
    if (part === undefined) continue;
    const value = attribute(item, part.name);
    if (value === undefined) throw invalidParameter(`Missing the key ${part.name} in the item`);
    if (part.type in value) continue;
    throw invalidParameter(
      `Type mismatch for key ${part.name} expected: ${part.type} actual: ${typeOf(value)}`,
    );
  }
  checkKeySizes(schema, item);
}

/** Throws when a key attribute is empty or too long. */
export function checkKeySizes({ hash, range }: KeySchema, item: Item): void {
  for (const part of [hash, range]) {
    const value = part && attribute(item, part.name);
    if (part === undefined || value === undefined) continue;
    const { length } = keyBytes(value);
    if (length === 0) {
      const empty = part.type === 'S' ? 'string' : 'binary';
      throw validation(
        'One or more parameter values are not valid. ' +
          `The AttributeValue for a key attribute cannot contain an empty ${empty} value. Key: ${part.name}`,
      );
    }
    if (part === hash && length > MAX_HASH_BYTES) {
      throw invalidParameter(
        `Size of hashkey has exceeded the maximum size limit of ${MAX_HASH_BYTES} bytes`,
      );
    }
    if (part === range && length > MAX_RANGE_BYTES) {
      throw invalidParameter(
        `Aggregated size of all range keys has exceeded the size limit of ${MAX_RANGE_BYTES} bytes`,
      );
    }
  }
}

/** Where a row stands inside its partition. */
export function sortPosition(schema: KeySchema, item: Item): Buffer {
  return schema.range === undefined ? NOTHING : element(keyBytes(attribute(item, schema.range.name)!));
}

/** Positions from `lower` up to, not including, `upper`. */
export interface SortRange {
  lower: Buffer;
  upper: Buffer;
}

/** The positions whose sort key passes a test of the KeyConditionExpression. */
export function sortRange(
  operator: 'all' | '=' | '<' | '<=' | '>' | '>=' | 'BETWEEN' | 'begins_with',
  [first = NOTHING, second = NOTHING]: Buffer[],
): SortRange {
  switch (operator) {
    case 'all':
      return { lower: NOTHING, upper: AFTER_ALL };
    case '=':
      return { lower: element(first), upper: afterElement(first) };
    case '<':
      return { lower: NOTHING, upper: element(first) };
    case '<=':
      return { lower: NOTHING, upper: afterElement(first) };
    case '>':
      return { lower: afterElement(first), upper: AFTER_ALL };
    case '>=':
      return { lower: element(first), upper: AFTER_ALL };
    case 'BETWEEN':
      return { lower: element(first), upper: afterElement(second) };
    case 'begins_with':
      return prefixRange(first);
  }
}
