import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Cloud } from './cloud.ts';

/**
 * The database of one service, `<home>/<service>/<service>.db`. A commit has reached the operating system when it
 * returns, so it survives the end of the process; with `cloud.durable` it has reached the disk.
 */
export function openDatabase(cloud: Cloud, service: string, schema: string): DatabaseSync {
  const folder = join(cloud.home, service);
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, `${service}.db`));
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${cloud.durable ? 'FULL' : 'NORMAL'};`);
  database.exec(schema);
  return database;
}

/** Runs `work` in one transaction that can be no other connection's victim; a throw undoes it. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  // A service's own step may call another that has a transaction of its own: it joins the outer one.
  if (database.isTransaction) return work();
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
