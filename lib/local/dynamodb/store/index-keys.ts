import type { AwsError } from '../../aws-error.ts';
import { invalidParameter, validation } from '../errors.ts';
import type { AttributeValue, Item } from '../value/attribute-value.ts';
import { attribute, typeOf } from '../value/attribute-value.ts';
import { keyBytes } from '../value/key-bytes.ts';
import type { KeyAttribute } from './key-schema.ts';
import { MAX_HASH_BYTES, MAX_RANGE_BYTES } from './key-schema.ts';
import type { Index, Table } from './table.ts';

/** Refuses an item whose attributes cannot be keys of the indexes they belong to. */
export function checkIndexKeys(table: Table, item: Item, by: 'put' | 'update' = 'put'): void {
  for (const index of table.indexes) {
    for (const part of [index.keys.hash, index.keys.range]) {
      const value = part && attribute(item, part.name);
      if (part === undefined || value === undefined) continue;
      if (!(part.type in value)) throw wrongType(index, part, value, by);
      checkSize(index, part, value, by);
    }
  }
}

function checkSize(index: Index, part: KeyAttribute, value: AttributeValue, by: 'put' | 'update'): void {
  const { length } = keyBytes(value);
  const limit = part === index.keys.hash ? MAX_HASH_BYTES : MAX_RANGE_BYTES;
  if (length === 0) throw empty(index, part, by);
  if (length <= limit) return;
  throw invalidParameter(
    `Size of an index key has exceeded the maximum size limit of ${limit} bytes. ` +
      `IndexName: ${index.name}, IndexKey: ${part.name}`,
  );
}

/** An attribute of another type than the index's key. */
export function indexKeyMismatch(index: Index, part: KeyAttribute, actual: string): AwsError {
  return invalidParameter(
    `Type mismatch for Index Key ${part.name} Expected: ${part.type} Actual: ${actual} IndexName: ${index.name}`,
  );
}

function wrongType(index: Index, part: KeyAttribute, value: AttributeValue, by: 'put' | 'update'): AwsError {
  if (by === 'put') return indexKeyMismatch(index, part, typeOf(value));
  return validation('The update expression attempted to update the secondary index key to unsupported type');
}

function empty(index: Index, part: KeyAttribute, by: 'put' | 'update'): AwsError {
  const what = `cannot contain an empty ${part.type === 'S' ? 'string' : 'binary'} value`;
  const how =
    by === 'put'
      ? 'A value specified for a secondary index key is not supported'
      : 'The update expression attempted to update a secondary index key to a value that is not supported';
  return validation(
    `One or more parameter values are not valid. ${how}. The AttributeValue for a key attribute ${what}. ` +
      `IndexName: ${index.name}, IndexKey: ${part.name}`,
  );
}
