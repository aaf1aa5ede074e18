import type { KeySchema } from './key-schema.ts';
import { keyNames, NOTHING, pick, sortPosition } from './key-schema.ts';
import type { Item } from '../value/attribute-value.ts';
import { attribute } from '../value/attribute-value.ts';
import { element, keyBytes } from '../value/key-bytes.ts';
import type { Place } from './rows.ts';
import { placeOf } from './rows.ts';

export type StreamView = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';
export type Projection = { type: 'ALL' | 'KEYS_ONLY' } | { type: 'INCLUDE'; attributes: string[] };

export interface IndexShape {
  name: string;
  keys: KeySchema;
  projection: Projection;
}
/** A table as the template asks for it. */
export interface TableShape {
  name: string;
  keys: KeySchema;
  indexes: IndexShape[];
  streamView?: StreamView | undefined;
  ttlAttribute?: string | undefined;
  deletionProtection: boolean;
}

export interface Index extends IndexShape {
  /** Its space among the rows; negative. */
  space: number;
  arn: string;
}
/** A table that is deployed. */
export interface Table extends Omit<TableShape, 'indexes'> {
  /** Its space among the rows, and its id in the file. */
  space: number;
  arn: string;
  uuid: string;
  /** Milliseconds since the epoch. */
  created: number;
  indexes: Index[];
  stream?: { arn: string; label: string; view: StreamView } | undefined;
}

/** Where an item (or its key) stands in the table. */
export function itemPlace(table: Table, key: Item): Place {
  return placeOf(table.space, hashBytes(table.keys, key), sortPosition(table.keys, key));
}

export function hashBytes(keys: KeySchema, item: Item): Buffer {
  return keyBytes(attribute(item, keys.hash.name)!);
}

/** Where an item stands in an index, or undefined when it lacks a key of the index (a sparse index). */
export function indexPlace(table: Table, index: Index, item: Item): Place | undefined {
  if (!inIndex(index, item)) return undefined;
  const own = index.keys.range === undefined ? NOTHING : sortPosition(index.keys, item);
  // Two items may share a key of the index: the table's own key makes the place unique.
  const position = Buffer.concat([own, element(hashBytes(table.keys, item)), sortPosition(table.keys, item)]);
  return placeOf(index.space, hashBytes(index.keys, item), position);
}

function inIndex(index: Index, item: Item): boolean {
  return [index.keys.hash, index.keys.range].every((part) => {
    const value = part && attribute(item, part.name);
    return part === undefined || (value !== undefined && part.type in value);
  });
}

/** What the index keeps of an item. */
export function projected(table: Table, index: Index, item: Item): Item {
  const names = projectedNames(table, index);
  return names === 'all' ? item : pick(item, names);
}

/** Names an index keeps. */
export function projectedNames(table: Table, index: Index): Set<string> | 'all' {
  if (index.projection.type === 'ALL') return 'all';
  const more = index.projection.type === 'INCLUDE' ? index.projection.attributes : [];
  return new Set([...keyNames(table.keys), ...keyNames(index.keys), ...more]);
}

/** Names of the attributes in a LastEvaluatedKey: the table's key, and the index's when one is read. */
export function startKeyNames(table: Table, index: Index | undefined): string[] {
  const names = [...keyNames(table.keys), ...(index === undefined ? [] : keyNames(index.keys))];
  return [...new Set(names)];
}
