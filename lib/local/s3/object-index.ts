import type { DatabaseSync } from 'node:sqlite';
import type { Cloud } from '../cloud.ts';
import { openDatabase, transaction } from '../open-database.ts';

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
}

// Keys are BLOBs: compared byte by byte, as S3 lists them, and any byte may be in one.
const schema = `
  CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key BLOB NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    md5 TEXT NOT NULL, modified INTEGER NOT NULL, headers TEXT NOT NULL, metadata TEXT NOT NULL, tags TEXT NOT NULL,
    checksums TEXT NOT NULL, PRIMARY KEY (bucket, key)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS objects_by_blob ON objects (blob);
  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, started INTEGER NOT NULL, headers TEXT NOT NULL,
    metadata TEXT NOT NULL, tags TEXT NOT NULL, algorithm TEXT, type TEXT
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL,
    checksum TEXT, modified INTEGER NOT NULL, PRIMARY KEY (upload, number)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS parts_by_blob ON parts (blob);
  CREATE TABLE IF NOT EXISTS garbage (blob TEXT PRIMARY KEY) WITHOUT ROWID;
`;

/** Which key of which bucket has which bytes. A copy shares them: the bytes go with the last key that names them. */
export class ObjectIndex {
  readonly database: DatabaseSync;
  readonly #statements;

  constructor(cloud: Cloud) {
    this.database = openDatabase(cloud, 's3', schema);
    const prepare = (sql: string) => this.database.prepare(sql);
    this.#statements = {
      get: prepare('SELECT * FROM objects WHERE bucket = ? AND key = ?'),
      put: prepare('INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      remove: prepare('DELETE FROM objects WHERE bucket = ? AND key = ?'),
      tag: prepare('UPDATE objects SET tags = ? WHERE bucket = ? AND key = ?'),
      known: prepare(
        'SELECT 1 FROM objects WHERE blob = $blob UNION ALL SELECT 1 FROM parts WHERE blob = $blob LIMIT 1',
      ),
      list: prepare('SELECT * FROM objects WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?'),
      discard: prepare('INSERT OR IGNORE INTO garbage VALUES (?)'),
      garbage: prepare('SELECT blob FROM garbage'),
      forget: prepare('DELETE FROM garbage WHERE blob = ?'),
    };
  }

  get(bucket: string, key: string): StoredObject | undefined {
    const row = this.#statements.get.get(bucket, Buffer.from(key));
    return row === undefined ? undefined : fromRow(row);
  }

  /** Puts the object in place of what was there; blobs that lost their last key are garbage from this commit on. */
  put(bucket: string, key: string, object: StoredObject): void {
    transaction(this.database, () => {
      const before = this.get(bucket, key);
      const { blob, size, etag, md5, modified, headers, metadata, tags, checksums } = object;
      const texts = [headers, metadata, tags, checksums].map((value) => JSON.stringify(value));
      this.#statements.put.run(bucket, Buffer.from(key), blob, size, etag, md5, modified, ...texts);
      if (before !== undefined) this.#discardUnused(before.blob);
    });
  }

  remove(bucket: string, key: string): boolean {
    return transaction(this.database, () => {
      const before = this.get(bucket, key);
      if (before === undefined) return false;
      this.#statements.remove.run(bucket, Buffer.from(key));
      this.#discardUnused(before.blob);
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
    return rows.map((row) => ({ key: Buffer.from(row['key'] as Uint8Array), object: fromRow(row) }));
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

  #discardUnused(blob: string): void {
    if (!this.isKnown(blob)) this.discard(blob);
  }
}

function fromRow(row: Record<string, unknown>): StoredObject {
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
