import type { Clock } from '../../clock.ts';
import { Meter } from '../meter.ts';
import { STREAM_RETENTION_MS } from './streams.ts';
import type { TableStore } from './table-store.ts';
import type { Table } from './table.ts';

/** How often the sweep runs. */
export const SWEEP_MS = 10 * 60 * 1000;
/** How long an expired item stays at least: AWS says days, so that code has to filter on read. */
export const GRACE_S = 10 * 60;
/** AWS never deletes what expired more than five years ago: it takes that for a mistake. */
const TOO_OLD_S = 5 * 365 * 24 * 60 * 60;
const BATCH = 100;

/** Deletes expired items and trims the streams, every ten minutes of the cloud's clock. */
export class Sweeper {
  readonly #store: TableStore;
  readonly #tables: () => Table[];
  readonly #clock: Clock;
  #cancel: () => void;

  constructor(store: TableStore, tables: () => Table[], clock: Clock) {
    this.#store = store;
    this.#tables = tables;
    this.#clock = clock;
    this.#cancel = this.#arm();
  }

  stop(): void {
    this.#cancel();
  }

  #arm(): () => void {
    return this.#clock.after(SWEEP_MS, () => {
      this.#cancel = this.#arm();
      this.sweep();
    });
  }

  /** One round, at once. */
  sweep(): void {
    for (const table of this.#tables()) {
      if (table.ttlAttribute === undefined) continue;
      while (this.#deleteExpired(table) === BATCH);
    }
    this.#store.transaction(() => this.#store.records.trim(this.#clock.now() - STREAM_RETENTION_MS));
  }

  #deleteExpired(table: Table): number {
    const now = Math.floor(this.#clock.now() / 1000);
    return this.#store.transaction(() => {
      const rows = this.#store.rows.expired(table.space, now - TOO_OLD_S, now - GRACE_S, BATCH);
      for (const row of rows) this.#store.replace(table, row, undefined, new Meter(), true);
      return rows.length;
    });
  }
}
