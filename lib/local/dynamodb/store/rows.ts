import { crc32 } from 'node:zlib';
import type { Item } from '../value/attribute-value.ts';
import { justAfter } from '../value/key-bytes.ts';
import type { Database } from './database.ts';
import type { SortRange } from './key-schema.ts';

/** Where a row stands: in a space (table or index), by the partition's token and key, then by position. */
export interface Place {
  space: number;
  token: number;
  hash: Buffer;
  position: Buffer;
}
export interface Row {
  place: Place;
  item: Item;
  /** Bytes the item counts for. */
  size: number;
}

const AT = 'space = ? AND token = ? AND hash = ? AND position = ?';
const COLUMNS = 'token, hash, position, size, body';

/** Spreads partitions as DynamoDB's own hash does: a scan meets them in no meaningful order. */
export function tokenOf(hash: Buffer): number {
  return crc32(hash);
}

export function placeOf(space: number, hash: Buffer, position: Buffer): Place {
  return { space, token: tokenOf(hash), hash, position };
}

/** Order of rows in a scan. */
export function comparePlaces(a: Place, b: Place): number {
  return a.token - b.token || Buffer.compare(a.hash, b.hash) || Buffer.compare(a.position, b.position);
}

/** Rows of tables and indexes in the SQLite file. */
export class Rows {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get({ space, token, hash, position }: Place): Row | undefined {
    const found = this.#database.statement(`SELECT ${COLUMNS} FROM rows WHERE ${AT}`);
    const raw = found.get(space, token, hash, position);
    return raw === undefined ? undefined : rowOf(space, raw);
  }

  /** `expires`: seconds since the epoch at which the item's time to live ends. */
  put({ place, item, size }: Row, expires: number | null): void {
    const { space, token, hash, position } = place;
    this.#database
      .statement(
        'INSERT INTO rows (space, token, hash, position, size, expires, body) VALUES (?, ?, ?, ?, ?, ?, ?) ' +
          'ON CONFLICT (space, token, hash, position) DO UPDATE ' +
          'SET size = excluded.size, expires = excluded.expires, body = excluded.body',
      )
      .run(space, token, hash, position, size, expires, JSON.stringify(item));
  }

  delete({ space, token, hash, position }: Place): void {
    this.#database.statement(`DELETE FROM rows WHERE ${AT}`).run(space, token, hash, position);
  }

  /** Rows of one partition in order of position, from just after (or before) `start` when given. */
  *partition(
    space: number,
    hash: Buffer,
    range: SortRange,
    forward: boolean,
    start?: Buffer,
  ): Generator<Row> {
    let { lower, upper } = range;
    if (start !== undefined && forward) lower = later(lower, justAfter(start));
    if (start !== undefined && !forward) upper = Buffer.compare(start, upper) < 0 ? start : upper;
    const statement = this.#database.statement(
      `SELECT ${COLUMNS} FROM rows WHERE space = ? AND token = ? AND hash = ? AND position >= ? AND position < ? ` +
        `ORDER BY position ${forward ? 'ASC' : 'DESC'}`,
    );
    for (const raw of statement.iterate(space, tokenOf(hash), hash, lower, upper)) yield rowOf(space, raw);
  }

  /** Every row of a space whose token lies in the segment, from just after `start` when given. */
  *all(space: number, segment: { from: number; to: number }, start?: Place): Generator<Row> {
    const after = start ?? { token: segment.from, hash: Buffer.alloc(0), position: Buffer.alloc(0) };
    const statement = this.#database.statement(
      `SELECT ${COLUMNS} FROM rows WHERE space = ? AND (token, hash, position) > (?, ?, ?) AND token < ? ` +
        'ORDER BY token, hash, position',
    );
    const rows = statement.iterate(space, after.token, after.hash, after.position, segment.to);
    for (const raw of rows) yield rowOf(space, raw);
  }

  /** Rows whose time to live ended between two moments, the oldest first. */
  expired(space: number, from: number, to: number, limit: number): Row[] {
    const statement = this.#database.statement(
      `SELECT ${COLUMNS} FROM rows WHERE space = ? AND expires >= ? AND expires < ? ORDER BY expires LIMIT ?`,
    );
    return statement.all(space, from, to, limit).map((raw) => rowOf(space, raw));
  }

  /** How many rows a space has and how many bytes they count for. */
  measure(space: number): { count: number; bytes: number } {
    const sql = 'SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes FROM rows WHERE space = ?';
    return this.#database.statement(sql).get(space) as { count: number; bytes: number };
  }
}

function later(a: Buffer, b: Buffer): Buffer {
  return Buffer.compare(a, b) >= 0 ? a : b;
}

function rowOf(space: number, raw: Record<string, unknown>): Row {
  const place = {
    space,
    token: raw['token'] as number,
    hash: asBuffer(raw['hash'] as Uint8Array),
    position: asBuffer(raw['position'] as Uint8Array),
  };
  return { place, size: raw['size'] as number, item: JSON.parse(raw['body'] as string) as Item };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
