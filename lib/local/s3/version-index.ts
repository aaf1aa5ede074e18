import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../open-database.ts';
import { objectColumns, objectFromRow } from './object-index.ts';
import type { ObjectIndex, StoredObject } from './object-index.ts';
import type { Lock } from './object-lock.ts';

/** One version of a key. */
export interface Version {
  /** Greater for what was stored later. */
  seq: number;
  key: Buffer;
  /** As S3 names it; `null` is the one that was stored while no versions were kept. */
  version: string;
  latest: boolean;
  /** Milliseconds since the epoch. */
  modified: number;
  /** `undefined` for a delete marker. */
  object: StoredObject | undefined;
}

/** Where a walk through all versions goes on: at `key`, or behind those of its versions not older than `below`. */
export interface VersionPosition {
  key: Buffer;
  below?: number;
}

/** Every version of every key in the buckets that keep them, newest first. */
export class VersionIndex {
  readonly #database: DatabaseSync;
  readonly #objects: ObjectIndex;
  readonly #statements;

  constructor(objects: ObjectIndex) {
    this.#database = objects.database;
    this.#objects = objects;
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#statements = {
      any: prepare('SELECT 1 FROM versions WHERE bucket = ? LIMIT 1'),
      locked: prepare('SELECT 1 FROM versions WHERE bucket = ? AND lock IS NOT NULL LIMIT 1'),
      adopt:
        prepare(`INSERT INTO versions (bucket, key, version, latest, blob, size, etag, md5, modified, headers,
        metadata, tags, checksums) SELECT bucket, key, 'null', 1, blob, size, etag, md5, modified, headers, metadata,
        tags, checksums FROM objects WHERE bucket = ?`),
      leave: prepare('DELETE FROM objects WHERE bucket = ?'),
      last: prepare('SELECT coalesce(max(seq), 0) AS seq FROM versions'),
      add: prepare('INSERT INTO versions VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      get: prepare('SELECT * FROM versions WHERE bucket = ? AND key = ? AND version = ?'),
      latest: prepare('SELECT * FROM versions WHERE bucket = ? AND key = ? AND latest = 1'),
      cover: prepare('UPDATE versions SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1'),
      uncover: prepare(`UPDATE versions SET latest = 1 WHERE seq = (SELECT seq FROM versions
        WHERE bucket = ? AND key = ? ORDER BY seq DESC LIMIT 1)`),
      remove: prepare('DELETE FROM versions WHERE seq = ? RETURNING bucket, blob'),
      current:
        prepare(`SELECT * FROM versions WHERE bucket = ? AND key >= ? AND latest = 1 AND blob IS NOT NULL
        ORDER BY key LIMIT ?`),
      all: prepare(`SELECT * FROM versions WHERE bucket = $bucket AND key >= $key AND NOT (key = $key AND seq >= $below)
        ORDER BY key, seq DESC LIMIT $limit`),
      tag: prepare('UPDATE versions SET tags = ? WHERE bucket = ? AND key = ? AND version = ?'),
      lock: prepare('UPDATE versions SET lock = ? WHERE bucket = ? AND key = ? AND version = ?'),
    };
  }

  /** Whether the bucket ever kept versions and still has some. */
  hasAny(bucket: string): boolean {
    return this.#statements.any.get(bucket) !== undefined;
  }

  /** Whether a version of the bucket has, or had, a lock. */
  hasLocks(bucket: string): boolean {
    return this.#statements.locked.get(bucket) !== undefined;
  }

  /** The objects of a bucket that begins to keep versions become its `null` versions. */
  adopt(bucket: string): void {
    transaction(this.#database, () => {
      this.#statements.adopt.run(bucket);
      this.#statements.leave.run(bucket);
    });
  }

  get(bucket: string, key: string, version: string): Version | undefined {
    return optional(this.#statements.get.get(bucket, Buffer.from(key), version));
  }

  latest(bucket: string, key: string): Version | undefined {
    return optional(this.#statements.latest.get(bucket, Buffer.from(key)));
  }

  /**
   * Puts a version on top, or a delete marker where there is no object. Answers its id: a new one, or `null`, which
   * takes the place of the earlier `null`.
   */
  add(bucket: string, key: string, asNull: boolean, content: StoredObject | { markedAt: number }): string {
    const bytes = Buffer.from(key);
    return transaction(this.#database, () => {
      const seq = (this.#statements.last.get()!['seq'] as number) + 1;
      const version = asNull ? 'null' : newVersionId(seq);
      const before = asNull ? this.get(bucket, key, 'null') : undefined;
      if (before !== undefined) this.remove(before);
      this.#statements.cover.run(bucket, bytes);
      const columns =
        'blob' in content
          ? [...objectColumns(content), content.lock === undefined ? null : JSON.stringify(content.lock)]
          : [null, null, null, null, content.markedAt, null, null, null, null, null];
      this.#statements.add.run(seq, bucket, bytes, version, ...columns);
      return version;
    });
  }

  /** Takes a version away for good; the next older one is the latest then. */
  remove({ seq, key, latest }: Version): void {
    transaction(this.#database, () => {
      const row = this.#statements.remove.get(seq);
      if (row === undefined) return;
      if (latest) this.#statements.uncover.run(row['bucket'] as string, key);
      if (row['blob'] !== null) this.#objects.discardUnused(row['blob'] as string);
    });
  }

  tag(bucket: string, key: string, version: string, tags: Record<string, string>): void {
    this.#statements.tag.run(JSON.stringify(tags), bucket, Buffer.from(key), version);
  }

  lock(bucket: string, key: string, version: string, lock: Lock): void {
    this.#statements.lock.run(JSON.stringify(lock), bucket, Buffer.from(key), version);
  }

  /** Up to `limit` current objects from `from` (inclusive) on, in the order of their keys' bytes. */
  listCurrent(bucket: string, from: Buffer, limit: number): { key: Buffer; object: StoredObject }[] {
    const rows = this.#statements.current.all(bucket, from, limit).map(fromRow);
    return rows.map(({ key, object }) => ({ key, object: object! }));
  }

  /** Up to `limit` versions and delete markers in the order of their keys' bytes, the newest of a key first. */
  list(bucket: string, { key, below }: VersionPosition, limit: number): Version[] {
    const from = { $bucket: bucket, $key: key, $below: below ?? Number.MAX_SAFE_INTEGER };
    return this.#statements.all.all({ ...from, $limit: limit }).map(fromRow);
  }
}

/** An id tells its place, so that a listing can go on behind a version that was deleted meanwhile. */
function newVersionId(seq: number): string {
  const place = Buffer.alloc(6);
  place.writeUIntBE(seq, 0, 6);
  return Buffer.concat([place, randomBytes(18)]).toString('base64url');
}

/** The `seq` that a version id tells; `null` has none. */
export const placeOf = (version: string): number => Buffer.from(version, 'base64url').readUIntBE(0, 6);

/** Whether S3 could have given such an id. */
export const isVersionId = (text: string): boolean => text === 'null' || /^[\w-]{32}$/.test(text);

const optional = (row: Record<string, unknown> | undefined) => (row === undefined ? undefined : fromRow(row));

function fromRow(row: Record<string, unknown>): Version {
  const version = row['version'] as string;
  const lock = row['lock'] === null ? {} : { lock: JSON.parse(row['lock'] as string) as Lock };
  return {
    seq: row['seq'] as number,
    key: Buffer.from(row['key'] as Uint8Array),
    version,
    latest: row['latest'] === 1,
    modified: row['modified'] as number,
    object: row['blob'] === null ? undefined : { ...objectFromRow(row), version, ...lock },
  };
}
