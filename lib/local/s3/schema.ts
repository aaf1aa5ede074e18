import type { DatabaseSync } from 'node:sqlite';
import type { Cloud } from '../cloud.ts';
import { openDatabase } from '../open-database.ts';

// Keys are BLOBs: compared byte by byte, as S3 lists them, and any byte may be in one.
const schema = `
  CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key BLOB NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    md5 TEXT NOT NULL, modified INTEGER NOT NULL, headers TEXT NOT NULL, metadata TEXT NOT NULL, tags TEXT NOT NULL,
    checksums TEXT NOT NULL, PRIMARY KEY (bucket, key)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS objects_by_blob ON objects (blob);
  CREATE TABLE IF NOT EXISTS versions (
    seq INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, version TEXT NOT NULL, latest INTEGER NOT NULL,
    blob TEXT, size INTEGER, etag TEXT, md5 TEXT, modified INTEGER NOT NULL, headers TEXT, metadata TEXT, tags TEXT,
    checksums TEXT, lock TEXT
  );
  CREATE UNIQUE INDEX IF NOT EXISTS versions_by_name ON versions (bucket, key, version);
  CREATE INDEX IF NOT EXISTS versions_by_age ON versions (bucket, key, seq DESC);
  CREATE UNIQUE INDEX IF NOT EXISTS latest_versions ON versions (bucket, key) WHERE latest = 1;
  CREATE INDEX IF NOT EXISTS versions_by_blob ON versions (blob);
  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, started INTEGER NOT NULL, headers TEXT NOT NULL,
    metadata TEXT NOT NULL, tags TEXT NOT NULL, algorithm TEXT, type TEXT, lock TEXT
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL,
    checksum TEXT, modified INTEGER NOT NULL, PRIMARY KEY (upload, number)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS parts_by_blob ON parts (blob);
  CREATE TABLE IF NOT EXISTS garbage (blob TEXT PRIMARY KEY) WITHOUT ROWID;
`;

/**
 * The names of all objects. A bucket that keeps versions has them, delete markers too (no blob), in `versions`;
 * any other has its objects in `objects`.
 */
export function openIndex(cloud: Cloud): DatabaseSync {
  const database = openDatabase(cloud, 's3', schema);
  const columns = database.prepare("SELECT name FROM pragma_table_info('uploads')").all();
  // A home from before Object Lock.
  if (!columns.some(({ name }) => name === 'lock')) database.exec('ALTER TABLE uploads ADD COLUMN lock TEXT');
  return database;
}
