import type { DatabaseSync } from 'node:sqlite';
import type { Cloud } from '../cloud.ts';
import { openDatabase } from '../open-database.ts';
import type { NoticeAttribute } from './envelope.ts';

/** A message on its way to one queue. */
export interface Delivery {
  topicArn: string;
  queueArn: string;
  deadLetterArn: string | undefined;
  body: string;
  /** Attributes of the queue message: only raw delivery has them. */
  attributes: Record<string, NoticeAttribute>;
}
export interface WaitingDelivery extends Delivery {
  id: number;
  attempts: number;
  /** Milliseconds since the epoch. */
  due: number;
}

const schema = `
  CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, delivery TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (due);
`;

/** Deliveries that have not reached their queue yet; they survive the end of the process. */
export class RetryStore {
  readonly database: DatabaseSync;
  readonly #statements;

  constructor(cloud: Cloud) {
    this.database = openDatabase(cloud, 'sns', schema);
    const prepare = (sql: string) => this.database.prepare(sql);
    this.#statements = {
      add: prepare('INSERT INTO deliveries (delivery, attempts, due) VALUES (?, ?, ?)'),
      due: prepare('SELECT * FROM deliveries WHERE due <= ? ORDER BY due, id LIMIT 100'),
      next: prepare('SELECT min(due) AS due FROM deliveries'),
      again: prepare('UPDATE deliveries SET attempts = ?, due = ? WHERE id = ?'),
      remove: prepare('DELETE FROM deliveries WHERE id = ?'),
    };
  }

  add(delivery: Delivery, attempts: number, due: number): void {
    this.#statements.add.run(JSON.stringify(delivery), attempts, due);
  }

  due(now: number): WaitingDelivery[] {
    return this.#statements.due.all(now).map((row) => ({
      ...(JSON.parse(row['delivery'] as string) as Delivery),
      id: row['id'] as number,
      attempts: row['attempts'] as number,
      due: row['due'] as number,
    }));
  }

  next(): number | undefined {
    return (this.#statements.next.get()!['due'] as number | null) ?? undefined;
  }

  again(id: number, attempts: number, due: number): void {
    this.#statements.again.run(attempts, due, id);
  }

  remove(id: number): void {
    this.#statements.remove.run(id);
  }
}
