import type { DatabaseSync } from 'node:sqlite';
import { domainOf } from './recipient-condition.ts';

// The bytes lie in the row: what is accepted is there whole, or not at all.
export const outgoingSchema = `
  CREATE TABLE IF NOT EXISTS outgoing_mail (id TEXT PRIMARY KEY, sender TEXT NOT NULL, message BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS outgoing_delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, mail TEXT NOT NULL, domain TEXT NOT NULL, recipients TEXT NOT NULL,
    accepted INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS outgoing_by_due ON outgoing_delivery (due);
  CREATE INDEX IF NOT EXISTS outgoing_by_mail ON outgoing_delivery (mail);
`;

/** One mail on its way to the recipients of one domain. */
export interface OutgoingDelivery {
  id: number;
  mail: string;
  domain: string;
  recipients: string[];
  /** When SES took the mail; milliseconds since the epoch, as `due`. */
  accepted: number;
  attempts: number;
  due: number;
}

/** Accepted mail that has not reached everyone yet; it survives the end of the process. */
export class OutgoingStore {
  readonly #statements;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#statements = {
      mail: prepare('INSERT INTO outgoing_mail (id, sender, message) VALUES (?, ?, ?)'),
      add: prepare(
        'INSERT INTO outgoing_delivery (mail, domain, recipients, accepted, attempts, due) VALUES (?, ?, ?, ?, 0, ?)',
      ),
      waiting: prepare('SELECT * FROM outgoing_delivery ORDER BY due, id LIMIT ?'),
      message: prepare('SELECT sender, message FROM outgoing_mail WHERE id = ?'),
      again: prepare(
        'UPDATE outgoing_delivery SET recipients = ?, attempts = attempts + 1, due = ? WHERE id = ?',
      ),
      remove: prepare('DELETE FROM outgoing_delivery WHERE id = ?'),
      forget: prepare(
        'DELETE FROM outgoing_mail WHERE id = ? AND NOT EXISTS (SELECT 1 FROM outgoing_delivery WHERE mail = ?)',
      ),
    };
  }

  /** To be called in a transaction. `sender` is the envelope's. */
  add(mail: {
    id: string;
    sender: string;
    message: Buffer;
    recipients: string[];
    accepted: number;
    due: number;
  }): void {
    this.#statements.mail.run(mail.id, mail.sender, mail.message);
    for (const [domain, recipients] of Map.groupBy(new Set(mail.recipients), domainOf)) {
      const list = JSON.stringify(recipients);
      this.#statements.add.run(mail.id, domain, list, Math.floor(mail.accepted), Math.ceil(mail.due));
    }
  }

  /** The first to be due, due or not. */
  waiting(limit: number): OutgoingDelivery[] {
    return this.#statements.waiting.all(limit).map((row) => ({
      id: Number(row['id']),
      mail: String(row['mail']),
      domain: String(row['domain']),
      recipients: JSON.parse(String(row['recipients'])) as string[],
      accepted: Number(row['accepted']),
      attempts: Number(row['attempts']),
      due: Number(row['due']),
    }));
  }

  message(mail: string): { sender: string; message: Buffer } {
    const row = this.#statements.message.get(mail)!;
    return { sender: String(row['sender']), message: Buffer.from(row['message'] as Uint8Array) };
  }

  again(id: number, recipients: string[], due: number): void {
    this.#statements.again.run(JSON.stringify(recipients), Math.ceil(due), id);
  }

  /** The delivery is done with; the mail goes with its last one. To be called in a transaction. */
  remove({ id, mail }: OutgoingDelivery): void {
    this.#statements.remove.run(id);
    this.#statements.forget.run(mail, mail);
  }
}
