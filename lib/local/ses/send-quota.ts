import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../aws-error.ts';
import type { Cloud } from '../cloud.ts';

export const quotaSchema = `
  CREATE TABLE IF NOT EXISTS sent (at INTEGER NOT NULL, recipients INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS sent_by_time ON sent (at);
`;

/** What AWS gives accounts when they leave the sandbox. */
const PER_DAY = 50_000;
const PER_SECOND = 14;
const DAY = 86_400_000;

/** The account's sending quota and rate; both count recipients, not messages ("Service quotas in Amazon SES"). */
export class SendQuota {
  readonly #cloud: Cloud;
  readonly #database: DatabaseSync;
  #tokens = PER_SECOND;
  #filledAt: number;

  constructor(cloud: Cloud, database: DatabaseSync) {
    this.#cloud = cloud;
    this.#database = database;
    this.#filledAt = cloud.clock.now();
  }

  /** As GetAccount answers it. */
  get state(): { Max24HourSend: number; MaxSendRate: number; SentLast24Hours: number } {
    return { Max24HourSend: PER_DAY, MaxSendRate: PER_SECOND, SentLast24Hours: this.#sent() };
  }

  /**
   * Takes the recipients off the rate. Throws Throttling when that or the day's quota is used up, or in bad weather.
   * One message may overdraw the rate: it has up to 50 recipients, and those after it wait the longer.
   */
  take(recipients: number): void {
    const now = this.#cloud.clock.now();
    this.#tokens = Math.min(PER_SECOND, this.#tokens + ((now - this.#filledAt) / 1000) * PER_SECOND);
    this.#filledAt = now;
    if (this.#tokens < 1 || this.#cloud.weather.strikes('throttle')) {
      throw new AwsError('Throttling', 'Maximum sending rate exceeded.');
    }
    if (this.#sent() + recipients > PER_DAY)
      throw new AwsError('Throttling', 'Daily message quota exceeded.');
    this.#tokens -= recipients;
  }

  /** Counts an accepted message for the day, in the caller's transaction. */
  count(recipients: number): void {
    const now = this.#cloud.clock.now();
    this.#database.prepare('DELETE FROM sent WHERE at <= ?').run(Math.floor(now - DAY));
    this.#database
      .prepare('INSERT INTO sent (at, recipients) VALUES (?, ?)')
      .run(Math.floor(now), recipients);
  }

  #sent(): number {
    const row = this.#database
      .prepare('SELECT coalesce(sum(recipients), 0) AS sent FROM sent WHERE at > ?')
      .get(Math.floor(this.#cloud.clock.now() - DAY));
    return Number(row!['sent']);
  }
}
