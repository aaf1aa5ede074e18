import type { DatabaseSync } from 'node:sqlite';

/** How far each stream mapping has come, by sequence number; survives a restart. */
export class Checkpoints {
  static readonly schema = `CREATE TABLE IF NOT EXISTS checkpoint (
    mapping TEXT NOT NULL, stream TEXT NOT NULL, position TEXT NOT NULL, PRIMARY KEY (mapping, stream)) STRICT`;

  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** The last sequence number done, or where it began; `undefined` for a mapping that never ran. */
  read(mapping: string, stream: string): string | undefined {
    const row = this.#database
      .prepare('SELECT position FROM checkpoint WHERE mapping = ? AND stream = ?')
      .get(mapping, stream);
    return row?.['position'] as string | undefined;
  }

  write(mapping: string, stream: string, position: string): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO checkpoint (mapping, stream, position) VALUES (?, ?, ?)')
      .run(mapping, stream, position);
  }
}
