import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The home is used by another process. */
export class HomeInUse extends Error {
  constructor(home: string, pid: string) {
    super(`${home} is in use by process ${pid}; stop that one, or start with another --home`);
    this.name = 'HomeInUse';
  }
}

/**
 * Makes a home (mode 0700) this process's own until it calls the answer or ends. Throws HomeInUse.
 * The lock is the operating system's, held through SQLite: it ends with the process whatever way that ends, and a
 * process id that was given to somebody else meanwhile cannot hold it.
 */
export function lockHome(home: string): () => void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const pidFile = join(home, 'lock.pid');
  const lock = new DatabaseSync(join(home, 'lock.db'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    const busy = 5;
    if ((error as { errcode?: number }).errcode !== busy) throw error;
    throw new HomeInUse(home, pidIn(pidFile));
  }
  writeFileSync(pidFile, String(process.pid), { mode: 0o600 });
  return () => lock.close();
}

function pidIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '(unknown)';
  }
}
