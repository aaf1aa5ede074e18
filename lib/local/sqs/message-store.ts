import type { DatabaseSync } from 'node:sqlite';
import type { Cloud } from '../cloud.ts';
import { openDatabase } from '../open-database.ts';
import type { MessageAttributes } from './message-attributes.ts';

/** A message as it lies in a queue; times in milliseconds since the epoch. */
export interface StoredMessage {
  /** Order of arrival over all queues. */
  sequence: number;
  id: string;
  body: string;
  attributes: MessageAttributes;
  /** Empty where the sender gave none. */
  group: string;
  deduplication: string | undefined;
  sender: string;
  /** X-Ray's header. */
  trace: string | undefined;
  /** The queue it came from to this dead-letter queue. */
  source: string | undefined;
  sent: number;
  receives: number;
  firstReceived: number | undefined;
  visible: number;
  receipt: string | undefined;
}
export type NewMessage = Pick<
  StoredMessage,
  'id' | 'body' | 'attributes' | 'group' | 'deduplication' | 'sender' | 'trace' | 'sent' | 'visible'
>;

const schema = `
  CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    attributes TEXT NOT NULL, grp TEXT NOT NULL, deduplication TEXT, sender TEXT NOT NULL, trace TEXT, source TEXT,
    sent INTEGER NOT NULL, visible INTEGER NOT NULL, receives INTEGER NOT NULL DEFAULT 0, first INTEGER, receipt TEXT
  );
  CREATE INDEX IF NOT EXISTS messages_by_visibility ON messages (queue, grp, visible, sequence);
  CREATE INDEX IF NOT EXISTS messages_by_group ON messages (queue, grp, sequence);
  CREATE TABLE IF NOT EXISTS deduplications (
    queue TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, message TEXT NOT NULL, sequence INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (queue, scope, id)
  ) WITHOUT ROWID;
`;

/** Every message of every queue, on disk. */
export class MessageStore {
  readonly database: DatabaseSync;
  readonly #statements;

  constructor(cloud: Cloud) {
    this.database = openDatabase(cloud, 'sqs', schema);
    this.#takeBack(cloud.clock.now());
    const prepare = (sql: string) => this.database.prepare(sql);
    this.#statements = {
      add: prepare(`INSERT INTO messages
        (queue, id, body, attributes, grp, deduplication, sender, trace, sent, visible)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
      get: prepare('SELECT * FROM messages WHERE sequence = ? AND queue = ?'),
      // Groups by one seek each, since a queue may hold many messages of few groups.
      groups: prepare(`WITH RECURSIVE g(grp) AS (
        SELECT min(grp) FROM messages WHERE queue = $queue
        UNION ALL SELECT (SELECT min(grp) FROM messages WHERE queue = $queue AND grp > g.grp) FROM g WHERE grp NOT NULL
        ) SELECT grp FROM g WHERE grp NOT NULL`),
      visible: prepare(`SELECT * FROM messages WHERE queue = ? AND grp = ? AND visible <= ? AND sent > ?
        ORDER BY visible, sequence LIMIT ?`),
      ordered: prepare(
        'SELECT * FROM messages WHERE queue = ? AND grp = ? AND sent > ? ORDER BY sequence LIMIT ?',
      ),
      inFlight: prepare(`SELECT count(*) AS n FROM messages
        WHERE queue = ? AND grp = ? AND visible > ? AND receipt NOT NULL`),
      hand: prepare(`UPDATE messages SET visible = ?, receives = receives + 1, first = coalesce(first, ?), receipt = ?
        WHERE sequence = ?`),
      hide: prepare('UPDATE messages SET visible = ? WHERE sequence = ?'),
      remove: prepare('DELETE FROM messages WHERE sequence = ?'),
      move: prepare(`UPDATE messages
        SET queue = ?, source = ?, sent = ?, visible = ?, receives = 0, first = NULL, receipt = NULL
        WHERE sequence = ?`),
      nextVisible: prepare('SELECT min(visible) AS at FROM messages WHERE queue = ? AND visible > ?'),
      all: prepare('SELECT * FROM messages WHERE queue = ? AND visible <= ? ORDER BY sequence'),
      purge: prepare('DELETE FROM messages WHERE queue = ?'),
      expire: prepare('DELETE FROM messages WHERE queue = ? AND sent <= ?'),
      counts: prepare(`SELECT
        count(*) FILTER (WHERE visible <= $now) AS visible,
        count(*) FILTER (WHERE visible > $now AND receipt NOT NULL) AS inFlight,
        count(*) FILTER (WHERE visible > $now AND receipt IS NULL) AS delayed
        FROM messages WHERE queue = $queue AND sent > $since`),
      deduplication: prepare(
        'SELECT * FROM deduplications WHERE queue = ? AND scope = ? AND id = ? AND at > ?',
      ),
      remember: prepare('INSERT OR REPLACE INTO deduplications VALUES (?, ?, ?, ?, ?, ?)'),
      forget: prepare('DELETE FROM deduplications WHERE at <= ?'),
    };
  }

  /**
   * What an earlier process had handed out and not heard of again is as if never received: its receivers, Lambda's
   * pollers among them, ended with it, and waiting out a timeout of hours would look like a loss.
   */
  #takeBack(now: number): void {
    this.database
      .prepare(
        `UPDATE messages SET visible = $now, receives = receives - 1, receipt = NULL
          WHERE receipt NOT NULL AND visible > $now`,
      )
      .run({ $now: now });
  }

  /** Answers the sequence number. */
  add(queue: string, message: NewMessage): number {
    const { id, body, group, deduplication, sender, trace, sent, visible } = message;
    const attributes = JSON.stringify(message.attributes);
    const values = [
      queue,
      id,
      body,
      attributes,
      group,
      deduplication ?? null,
      sender,
      trace ?? null,
      sent,
      visible,
    ];
    return Number(this.#statements.add.run(...values).lastInsertRowid);
  }

  get(queue: string, sequence: number): StoredMessage | undefined {
    const row = this.#statements.get.get(sequence, queue);
    return row === undefined ? undefined : fromRow(row);
  }

  groups(queue: string): string[] {
    return this.#statements.groups.all({ $queue: queue }).map((row) => row['grp'] as string);
  }

  /** Messages of a group that may be received now, in about the order they came. */
  visible(queue: string, group: string, now: number, since: number, limit: number): StoredMessage[] {
    return this.#statements.visible.all(queue, group, now, since, limit).map(fromRow);
  }

  /** Messages of a group in strict order, hidden ones too. */
  ordered(queue: string, group: string, since: number, limit: number): StoredMessage[] {
    return this.#statements.ordered.all(queue, group, since, limit).map(fromRow);
  }

  inFlight(queue: string, group: string, now: number): number {
    return this.#statements.inFlight.get(queue, group, now)!['n'] as number;
  }

  /** Marks a message as handed to a receiver. */
  hand(sequence: number, until: number, now: number, receipt: string): void {
    this.#statements.hand.run(until, now, receipt, sequence);
  }

  hide(sequence: number, until: number): void {
    this.#statements.hide.run(until, sequence);
  }

  remove(sequence: number): void {
    this.#statements.remove.run(sequence);
  }

  /** To another queue, as if never received; `source` is the ARN of the queue a dead letter comes from. */
  move(sequence: number, queue: string, source: string | undefined, sent: number, now: number): void {
    this.#statements.move.run(queue, source ?? null, sent, now, sequence);
  }

  nextVisible(queue: string, now: number): number | undefined {
    return (this.#statements.nextVisible.get(queue, now)!['at'] as number | null) ?? undefined;
  }

  all(queue: string, now: number): StoredMessage[] {
    return this.#statements.all.all(queue, now).map(fromRow);
  }

  purge(queue: string): void {
    this.#statements.purge.run(queue);
  }

  expire(queue: string, since: number): void {
    this.#statements.expire.run(queue, since);
  }

  counts(queue: string, now: number, since: number): { visible: number; inFlight: number; delayed: number } {
    const row = this.#statements.counts.get({ $queue: queue, $now: now, $since: since })!;
    return {
      visible: Number(row['visible']),
      inFlight: Number(row['inFlight']),
      delayed: Number(row['delayed']),
    };
  }

  /** What was sent with this deduplication id after `since`. */
  earlier(
    queue: string,
    scope: string,
    id: string,
    since: number,
  ): { id: string; sequence: number } | undefined {
    const row = this.#statements.deduplication.get(queue, scope, id, since);
    return row && { id: row['message'] as string, sequence: row['sequence'] as number };
  }

  remember(queue: string, scope: string, id: string, message: string, sequence: number, now: number): void {
    this.#statements.remember.run(queue, scope, id, message, sequence, now);
  }

  forgetBefore(time: number): void {
    this.#statements.forget.run(time);
  }
}

function fromRow(row: Record<string, unknown>): StoredMessage {
  const optional = (name: string) => (row[name] as string | null) ?? undefined;
  return {
    sequence: row['sequence'] as number,
    id: row['id'] as string,
    body: row['body'] as string,
    attributes: JSON.parse(row['attributes'] as string) as MessageAttributes,
    group: row['grp'] as string,
    deduplication: optional('deduplication'),
    sender: row['sender'] as string,
    trace: optional('trace'),
    source: optional('source'),
    sent: row['sent'] as number,
    receives: row['receives'] as number,
    firstReceived: (row['first'] as number | null) ?? undefined,
    visible: row['visible'] as number,
    receipt: optional('receipt'),
  };
}
