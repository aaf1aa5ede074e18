import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../open-database.ts';
import type { Lock } from './object-lock.ts';

/** What is known of an object beside its bytes. */
export interface StoredObject {
  blob: string;
  size: number;
  /** With its quotes; not the MD5 where the object came in parts. */
  etag: string;
  /** Of all bytes, hexadecimal. */
  md5: string;
  /** Milliseconds since the epoch. */
  modified: number;
  /** Lower-case response headers, such as content-type. */
  headers: Record<string, string>;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  /** Header ends (`crc32`) to base64 values, and `type`. */
  checksums: Record<string, string>;
  /** Its version id, in a bucket that keeps versions. */
  version?: string;
  lock?: Lock;
}

/**
 * Which key of which bucket has which bytes, where no versions are kept. A copy shares the bytes: they go with the
 * last key that names them.
 */
export class ObjectIndex {
  readonly database: DatabaseSync;
  readonly #statements;

  constructor(database: DatabaseSync) {
    this.database = database;
    const prepare = (sql: string) => database.prepare(sql);
    this.#statements = {
      get: prepare('SELECT * FROM objects WHERE bucket = ? AND key = ?'),
      put: prepare('INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      remove: prepare('DELETE FROM objects WHERE bucket = ? AND key = ?'),
      tag: prepare('UPDATE objects SET tags = ? WHERE bucket = ? AND key = ?'),
      known:
        prepare(`SELECT 1 FROM objects WHERE blob = $blob UNION ALL SELECT 1 FROM versions WHERE blob = $blob
        UNION ALL SELECT 1 FROM parts WHERE blob = $blob LIMIT 1`),
      list: prepare('SELECT * FROM objects WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?'),
      discard: prepare('INSERT OR IGNORE INTO garbage VALUES (?)'),
      garbage: prepare('SELECT blob FROM garbage'),
      forget: prepare('DELETE FROM garbage WHERE blob = ?'),
    };
  }

  get(bucket: string, key: string): StoredObject | undefined {
    const row = this.#statements.get.get(bucket, Buffer.from(key));
    return row === undefined ? undefined : objectFromRow(row);
  }

  /** Puts the object in place of what was there; blobs that lost their last key are garbage from this commit on. */
  put(bucket: string, key: string, object: StoredObject): void {
    transaction(this.database, () => {
      const before = this.get(bucket, key);
      this.#statements.put.run(bucket, Buffer.from(key), ...objectColumns(object));
      if (before !== undefined) this.discardUnused(before.blob);
    });
  }

  remove(bucket: string, key: string): boolean {
    return transaction(this.database, () => {
      const before = this.get(bucket, key);
      if (before === undefined) return false;
      this.#statements.remove.run(bucket, Buffer.from(key));
      this.discardUnused(before.blob);
      return true;
    });
  }

  tag(bucket: string, key: string, tags: Record<string, string>): void {
    this.#statements.tag.run(JSON.stringify(tags), bucket, Buffer.from(key));
  }

  isKnown(blob: string): boolean {
    return this.#statements.known.get({ $blob: blob }) !== undefined;
  }

  /** Up to `limit` objects from `from` (inclusive) on, in the order of their keys' bytes. */
  list(bucket: string, from: Buffer, limit: number): { key: Buffer; object: StoredObject }[] {
    const rows = this.#statements.list.all(bucket, from, limit);
    return rows.map((row) => ({ key: Buffer.from(row['key'] as Uint8Array), object: objectFromRow(row) }));
  }

  /** Marks bytes for removal; part of the caller's transaction. */
  discard(blob: string): void {
    this.#statements.discard.run(blob);
  }

  /** Hands each blob that nobody names to `remove`, then forgets it; after a crash the rest is done again. */
  sweep(remove: (blob: string) => void): void {
    for (const row of this.#statements.garbage.all()) {
      const blob = row['blob'] as string;
      if (!this.isKnown(blob)) remove(blob);
      this.#statements.forget.run(blob);
    }
  }

  /** Marks bytes for removal if no name has them any more. */
  discardUnused(blob: string): void {
    if (!this.isKnown(blob)) this.discard(blob);
  }
}

/** The columns that a row of either kind has. */
export function objectFromRow(row: Record<string, unknown>): StoredObject {
  const json = (name: string) => JSON.parse(row[name] as string) as Record<string, string>;
  return {
    blob: row['blob'] as string,
    size: row['size'] as number,
    etag: row['etag'] as string,
    md5: row['md5'] as string,
    modified: row['modified'] as number,
    headers: json('headers'),
    metadata: json('metadata'),
    tags: json('tags'),
    checksums: json('checksums'),
  };
}

/** From `blob` to `checksums`, in the order of both tables. */
export function objectColumns(object: StoredObject): (string | number)[] {
  const { blob, size, etag, md5, modified, headers, metadata, tags, checksums } = object;
  const texts = [headers, metadata, tags, checksums].map((value) => JSON.stringify(value));
  return [blob, size, etag, md5, modified, ...texts];
}
