import { AwsError } from '../../aws-error.ts';
import { validation } from '../errors.ts';
import { checkKey, keyOf } from '../store/key-schema.ts';
import type { Place } from '../store/rows.ts';
import { indexPlace, itemPlace, startKeyNames } from '../store/table.ts';
import { readItem } from '../value/attribute-value.ts';
import type { Target } from './page.ts';

/** Where an ExclusiveStartKey stands; the row itself may be gone by now. */
export function startPlace({ table, index }: Target, raw: unknown): Place | undefined {
  if (raw === undefined) return undefined;
  const key = invalidStart(() => readItem(raw));
  if (Object.keys(key).length !== startKeyNames(table, index).length) {
    throw validation(
      index === undefined
        ? 'The provided starting key is invalid: The provided key element does not match the schema'
        : 'The provided starting key is invalid',
    );
  }
  invalidStart(() => checkKey(table.keys, keyOf(table.keys, key)));
  if (index === undefined) return itemPlace(table, key);
  invalidStart(() => checkKey(index.keys, keyOf(index.keys, key)));
  return indexPlace(table, index, key)!;
}

function invalidStart<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'ValidationException') throw error;
    throw validation(`The provided starting key is invalid: ${error.message}`);
  }
}
