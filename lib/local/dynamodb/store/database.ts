import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { StatementSync } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';

const LAYOUT = 1;
const SCHEMA = `
  CREATE TABLE tables (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, uuid TEXT NOT NULL, created REAL NOT NULL,
    shape TEXT NOT NULL, stream_label TEXT);
  CREATE TABLE indexes (
    space INTEGER PRIMARY KEY AUTOINCREMENT, table_id INTEGER NOT NULL, name TEXT NOT NULL, shape TEXT NOT NULL,
    UNIQUE (table_id, name));
  -- A space is a table (its id) or an index (minus its space): rows of both lie in one order.
  CREATE TABLE rows (
    id INTEGER PRIMARY KEY, space INTEGER NOT NULL, token INTEGER NOT NULL, hash BLOB NOT NULL,
    position BLOB NOT NULL, size INTEGER NOT NULL, expires INTEGER, body TEXT NOT NULL,
    UNIQUE (space, token, hash, position));
  CREATE INDEX rows_expiring ON rows (space, expires) WHERE expires IS NOT NULL;
  CREATE TABLE stream_records (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, table_id INTEGER NOT NULL, label TEXT NOT NULL, at REAL NOT NULL,
    body TEXT NOT NULL);
  CREATE INDEX stream_records_by_stream ON stream_records (table_id, label, sequence);
  CREATE INDEX stream_records_by_time ON stream_records (at);
  CREATE TABLE request_tokens (
    token TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
  CREATE INDEX request_tokens_by_time ON request_tokens (at);
`;

/**
 * The one SQLite file. A commit survives the end of the process; with `durable` (fsync at each commit) also
 * a power loss. The file is held exclusively, so that a second process on the same home fails instead of
 * disagreeing.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #afterCommit: (() => void)[] = [];

  constructor(file: string, durable: boolean) {
    mkdirSync(dirname(file), { recursive: true });
    this.#db = new DatabaseSync(file);
    try {
      this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL');
      this.#db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}; PRAGMA cache_size = -65536`);
      this.#prepareLayout(file);
    } catch (error) {
      this.#db.close();
      if (!/locked|busy/.test(String(error))) throw error;
      throw new Error(`${file} is in use by another process; stop that one or choose another home`, {
        cause: error,
      });
    }
  }

  #prepareLayout(file: string): void {
    const { user_version: layout } = this.statement('PRAGMA user_version').get() as { user_version: number };
    if (layout === LAYOUT) return;
    if (layout !== 0) throw new Error(`${file} was written by another version; move it away to start afresh`);
    this.#db.exec(`BEGIN EXCLUSIVE; ${SCHEMA}; PRAGMA user_version = ${LAYOUT}; COMMIT`);
  }

  /** A statement, prepared once. */
  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs the work in one transaction: all of it is there afterwards, or nothing. */
  transaction<T>(work: () => T): T {
    this.statement('BEGIN IMMEDIATE').run();
    let result: T;
    try {
      result = work();
      this.statement('COMMIT').run();
    } catch (error) {
      this.#afterCommit.length = 0;
      if (this.#db.isTransaction) this.statement('ROLLBACK').run();
      throw error;
    }
    for (const task of this.#afterCommit.splice(0)) task();
    return result;
  }

  /** Runs the task when the transaction in hand is committed; forgets it when it is rolled back. */
  afterCommit(task: () => void): void {
    this.#afterCommit.push(task);
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }
}
