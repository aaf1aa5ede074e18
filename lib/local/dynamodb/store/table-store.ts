import type { Meter } from '../meter.ts';
import { writeUnits } from '../meter.ts';
import type { Item } from '../value/attribute-value.ts';
import { attribute } from '../value/attribute-value.ts';
import { sameItem } from '../value/equality.ts';
import { itemSize } from '../value/size.ts';
import type { Database } from './database.ts';
import type { IndexChange } from './index-lag.ts';
import { IndexLag } from './index-lag.ts';
import type { Row } from './rows.ts';
import { Rows } from './rows.ts';
import { streamBody, StreamRecords } from './streams.ts';
import type { Index, Table } from './table.ts';
import { indexPlace, itemPlace, projected } from './table.ts';

/** An item, its indexes and its stream change together, inside the caller's transaction. */
export class TableStore {
  readonly database: Database;
  readonly rows: Rows;
  readonly records: StreamRecords;
  readonly lag = new IndexLag();
  readonly #now: () => number;
  readonly #streamChanged: (arn: string) => void;
  #changes: IndexChange[] = [];

  /** `now` in milliseconds; `streamChanged` is called after the commit that wrote a stream record. */
  constructor(database: Database, now: () => number, streamChanged: (arn: string) => void) {
    this.database = database;
    this.rows = new Rows(database);
    this.records = new StreamRecords(database);
    this.#now = now;
    this.#streamChanged = streamChanged;
  }

  /** One SQLite transaction; after it the lag of the indexes knows what changed. */
  transaction<T>(work: () => T): T {
    this.#changes = [];
    const result = this.database.transaction(work);
    this.lag.remember(this.#changes);
    return result;
  }

  get(table: Table, key: Item): Row | undefined {
    return this.rows.get(itemPlace(table, key));
  }

  /**
   * Replaces `old` (what `get` answered) by `item`; either may be absent. A write that changes nothing
   * leaves no stream record, as on AWS. `byTtl`: the time to live deletes, which costs nothing.
   */
  replace(table: Table, old: Row | undefined, item: Item | undefined, meter: Meter, byTtl = false): void {
    if (old === undefined && item === undefined) return void meter.write(table, 1);
    const size = item === undefined ? 0 : itemSize(item);
    if (!byTtl) meter.write(table, writeUnits(Math.max(old?.size ?? 0, size)));
    if (old !== undefined && item !== undefined && sameItem(old.item, item)) return;
    const place = old?.place ?? itemPlace(table, item!);
    if (item === undefined) this.rows.delete(place);
    else this.rows.put({ place, item, size }, expiry(table, item));
    for (const index of table.indexes) this.#replaceInIndex(table, index, old?.item, item, meter);
    this.#announce(table, old?.item, item, byTtl);
  }

  #announce(table: Table, old: Item | undefined, item: Item | undefined, byTtl: boolean): void {
    if (table.stream === undefined) return;
    const { arn } = table.stream;
    const stream = { ...table.stream, tableId: table.space };
    this.records.append(stream, this.#now(), streamBody(table, old, item, byTtl));
    this.database.afterCommit(() => this.#streamChanged(arn));
  }

  #replaceInIndex(
    table: Table,
    index: Index,
    old: Item | undefined,
    item: Item | undefined,
    meter: Meter,
  ): void {
    const before = old && indexRow(table, index, old);
    const after = item && indexRow(table, index, item);
    if (before === undefined && after === undefined) return;
    const moved = before !== undefined && after !== undefined && !samePlace(before, after);
    if (before !== undefined && after !== undefined && !moved && sameItem(before.item, after.item)) return;
    if (before !== undefined && (after === undefined || moved)) {
      this.rows.delete(before.place);
      this.#changes.push({ place: before.place, before });
      meter.write(table, writeUnits(before.size), index);
    }
    if (after === undefined) return;
    this.rows.put(after, null);
    this.#changes.push({ place: after.place, before: moved ? undefined : before });
    meter.write(table, writeUnits(Math.max(after.size, moved ? 0 : (before?.size ?? 0))), index);
  }

  /** Fills a new index from the table. Items whose key attribute has another type stay out, as on AWS. */
  backfill(table: Table, index: Index): void {
    let last: Row | undefined;
    do {
      const page: Row[] = [];
      for (const row of this.rows.all(table.space, { from: 0, to: 2 ** 32 }, last?.place)) {
        if (page.push(row) === 500) break;
      }
      last = page.at(-1);
      for (const { item } of page) {
        const row = indexRow(table, index, item);
        if (row !== undefined) this.rows.put(row, null);
      }
    } while (last !== undefined);
  }
}

function indexRow(table: Table, index: Index, item: Item): Row | undefined {
  const place = indexPlace(table, index, item);
  if (place === undefined) return undefined;
  const kept = projected(table, index, item);
  return { place, item: kept, size: itemSize(kept) };
}

function samePlace(a: Row, b: Row): boolean {
  return a.place.hash.equals(b.place.hash) && a.place.position.equals(b.place.position);
}

/** Seconds since the epoch at which the item expires; only a number counts, as on AWS. */
export function expiry(table: Table, item: Item): number | null {
  const value = table.ttlAttribute === undefined ? undefined : attribute(item, table.ttlAttribute);
  if (value === undefined || !('N' in value)) return null;
  const seconds = Math.floor(Number(value.N));
  return Number.isSafeInteger(seconds) ? seconds : null;
}
