import type { DatabaseSync } from 'node:sqlite';
import type { Cloud } from '../cloud.ts';
import { openDatabase, transaction } from '../open-database.ts';

/** A matched event on its way to one target, with all that is needed to bring it there. */
export interface Delivery {
  ruleArn: string;
  targetArn: string;
  /** JSON text. */
  input: string;
  groupId: string | undefined;
  deadLetterArn: string | undefined;
  maxAttempts: number;
  /** Milliseconds since the epoch: no retry after it. */
  deadline: number;
}
export interface WaitingDelivery extends Delivery {
  id: number;
  attempts: number;
}

const schema = `
  CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, delivery TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (due);
`;

/** Matched events until their targets have them; they survive the end of the process. */
export class DeliveryStore {
  readonly database: DatabaseSync;
  readonly #statements;

  constructor(cloud: Cloud) {
    this.database = openDatabase(cloud, 'events', schema);
    const prepare = (sql: string) => this.database.prepare(sql);
    this.#statements = {
      add: prepare('INSERT INTO deliveries (delivery, attempts, due) VALUES (?, 0, ?)'),
      due: prepare('SELECT * FROM deliveries WHERE due <= ? ORDER BY due, id LIMIT ?'),
      next: prepare('SELECT min(due) AS due FROM deliveries WHERE due > ?'),
      again: prepare('UPDATE deliveries SET attempts = ?, due = ? WHERE id = ?'),
      remove: prepare('DELETE FROM deliveries WHERE id = ?'),
    };
  }

  /** All of them or, should the process end, none. */
  add(deliveries: { delivery: Delivery; due: number }[]): void {
    if (deliveries.length === 0) return;
    transaction(this.database, () => {
      for (const { delivery, due } of deliveries) this.#statements.add.run(JSON.stringify(delivery), due);
    });
  }

  due(now: number, limit: number): WaitingDelivery[] {
    return this.#statements.due.all(now, limit).map((row) => ({
      ...(JSON.parse(row['delivery'] as string) as Delivery),
      id: row['id'] as number,
      attempts: row['attempts'] as number,
    }));
  }

  /** When the next one after `now` is due. */
  next(now: number): number | undefined {
    return (this.#statements.next.get(now)!['due'] as number | null) ?? undefined;
  }

  again(id: number, attempts: number, due: number): void {
    this.#statements.again.run(attempts, due, id);
  }

  remove(id: number): void {
    this.#statements.remove.run(id);
  }
}
