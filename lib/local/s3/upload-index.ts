import type { DatabaseSync } from 'node:sqlite';
import type { ChecksumAlgorithm } from './checksums.ts';
import type { Lock } from './object-lock.ts';

/** A multipart upload that is neither completed nor aborted. */
export interface Upload {
  id: string;
  bucket: string;
  key: string;
  /** Milliseconds since the epoch. */
  started: number;
  headers: Record<string, string>;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  algorithm: ChecksumAlgorithm | undefined;
  type: 'COMPOSITE' | 'FULL_OBJECT' | undefined;
  /** What the object is to have, where that is not the bucket's default. */
  lock?: Lock;
}
export interface Part {
  number: number;
  blob: string;
  size: number;
  md5: string;
  /** Base64, by the upload's algorithm. */
  checksum: string | undefined;
  modified: number;
}

/** Uploads in parts, and their parts. */
export class UploadIndex {
  readonly #statements;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#statements = {
      create: prepare('INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      get: prepare('SELECT * FROM uploads WHERE id = ?'),
      startedBefore: prepare('SELECT * FROM uploads WHERE bucket = ? AND started < ?'),
      remove: prepare('DELETE FROM uploads WHERE id = ?'),
      putPart: prepare('INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)'),
      parts: prepare('SELECT * FROM parts WHERE upload = ? ORDER BY number'),
      removeParts: prepare('DELETE FROM parts WHERE upload = ?'),
    };
  }

  create(upload: Upload): void {
    const { id, bucket, key, started, algorithm, type, lock } = upload;
    const texts = [upload.headers, upload.metadata, upload.tags].map((value) => JSON.stringify(value));
    this.#statements.create.run(
      id,
      bucket,
      Buffer.from(key),
      started,
      ...texts,
      algorithm ?? null,
      type ?? null,
      lock === undefined ? null : JSON.stringify(lock),
    );
  }

  get(id: string): Upload | undefined {
    const row = this.#statements.get.get(id);
    return row === undefined ? undefined : fromRow(row);
  }

  startedBefore(bucket: string, time: number): Upload[] {
    return this.#statements.startedBefore.all(bucket, time).map(fromRow);
  }

  /** Answers the blob of the part that this one replaces. */
  putPart(upload: string, part: Part): string | undefined {
    const before = this.parts(upload).find((each) => each.number === part.number)?.blob;
    const { number, blob, size, md5, checksum, modified } = part;
    this.#statements.putPart.run(upload, number, blob, size, md5, checksum ?? null, modified);
    return before;
  }

  parts(upload: string): Part[] {
    return this.#statements.parts.all(upload).map((row) => ({
      number: row['number'] as number,
      blob: row['blob'] as string,
      size: row['size'] as number,
      md5: row['md5'] as string,
      checksum: (row['checksum'] as string | null) ?? undefined,
      modified: row['modified'] as number,
    }));
  }

  /** Answers the blobs of its parts, which are nobody's from then on. */
  remove(upload: string): string[] {
    const blobs = this.parts(upload).map((part) => part.blob);
    this.#statements.removeParts.run(upload);
    this.#statements.remove.run(upload);
    return blobs;
  }
}

function fromRow(row: Record<string, unknown>): Upload {
  const json = (name: string) => JSON.parse(row[name] as string) as Record<string, string>;
  return {
    id: row['id'] as string,
    bucket: row['bucket'] as string,
    key: Buffer.from(row['key'] as Uint8Array).toString(),
    started: row['started'] as number,
    headers: json('headers'),
    metadata: json('metadata'),
    tags: json('tags'),
    algorithm: (row['algorithm'] as ChecksumAlgorithm | null) ?? undefined,
    type: (row['type'] as 'COMPOSITE' | 'FULL_OBJECT' | null) ?? undefined,
    ...(row['lock'] !== null && { lock: JSON.parse(row['lock'] as string) as Lock }),
  };
}
