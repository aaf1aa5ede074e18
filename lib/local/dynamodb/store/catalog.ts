import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Database } from './database.ts';
import { expiry } from './table-store.ts';
import type { TableStore } from './table-store.ts';
import type { IndexShape, Table, TableShape } from './table.ts';

interface Owner {
  account: string;
  region: string;
  now(): number;
}

/**
 * The tables that the template deploys. What lies in the file is kept; a change that would lose or
 * reinterpret it is refused.
 */
export class Catalog {
  readonly #tables = new Map<string, Table>();
  readonly #database: Database;
  readonly #store: TableStore;
  readonly #owner: Owner;

  constructor(store: TableStore, owner: Owner) {
    this.#database = store.database;
    this.#store = store;
    this.#owner = owner;
  }

  get(name: string): Table | undefined {
    return this.#tables.get(name);
  }

  all(): Table[] {
    return [...this.#tables.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  byStream(arn: string): Table | undefined {
    return this.all().find((table) => table.stream?.arn === arn);
  }

  /**
   * Creates the table, or opens and adapts the one that is there. Throws Error naming what cannot be
   * changed.
   */
  deploy(shape: TableShape): Table {
    return this.#database.transaction(() => {
      const known = this.#database.statement('SELECT * FROM tables WHERE name = ?').get(shape.name);
      const table = known === undefined ? this.#create(shape) : this.#open(shape, known);
      this.#tables.set(shape.name, table);
      return table;
    });
  }

  #create(shape: TableShape): Table {
    const created = this.#owner.now();
    const uuid = randomUUID();
    const label = shape.streamView === undefined ? null : this.#newLabel();
    const { lastInsertRowid } = this.#database
      .statement('INSERT INTO tables (name, uuid, created, shape, stream_label) VALUES (?, ?, ?, ?, ?)')
      .run(shape.name, uuid, created, JSON.stringify(shape), label);
    return this.#assemble(shape, { id: Number(lastInsertRowid), uuid, created, label });
  }

  #open(shape: TableShape, known: Record<string, unknown>): Table {
    const before = JSON.parse(known['shape'] as string) as TableShape;
    refuseLoss(before, shape);
    const id = known['id'] as number;
    let label = known['stream_label'] as string | null;
    if (shape.streamView !== before.streamView)
      label = shape.streamView === undefined ? null : this.#newLabel();
    this.#database
      .statement('UPDATE tables SET shape = ?, stream_label = ? WHERE id = ?')
      .run(JSON.stringify(shape), label, id);
    const facts = { id, uuid: known['uuid'] as string, created: known['created'] as number, label };
    const table = this.#assemble(shape, facts);
    if (shape.ttlAttribute !== before.ttlAttribute) this.#expireBy(table);
    return table;
  }

  /** A stream's label is the moment it was switched on; two of one moment must differ. */
  #newLabel(): string {
    const taken = this.#database.statement('SELECT 1 FROM tables WHERE stream_label = ?');
    let at = this.#owner.now();
    while (taken.get(labelOf(at)) !== undefined) at++;
    return labelOf(at);
  }

  #assemble(
    shape: TableShape,
    { id, uuid, created, label }: { id: number; uuid: string; created: number; label: string | null },
  ): Table {
    const arn = `arn:aws:dynamodb:${this.#owner.region}:${this.#owner.account}:table/${shape.name}`;
    const stream =
      shape.streamView === undefined || label === null
        ? undefined
        : { arn: `${arn}/stream/${label}`, label, view: shape.streamView };
    const table: Table = { ...shape, space: id, arn, uuid, created, stream, indexes: [] };
    for (const index of shape.indexes) this.#addIndex(table, index);
    return table;
  }

  #addIndex(table: Table, shape: IndexShape): void {
    const find = this.#database.statement('SELECT space FROM indexes WHERE table_id = ? AND name = ?');
    const known = find.get(table.space, shape.name);
    const arn = `${table.arn}/index/${shape.name}`;
    if (known !== undefined) {
      table.indexes.push({ ...shape, arn, space: -(known['space'] as number) });
      return;
    }
    const { lastInsertRowid } = this.#database
      .statement('INSERT INTO indexes (table_id, name, shape) VALUES (?, ?, ?)')
      .run(table.space, shape.name, JSON.stringify(shape));
    const index = { ...shape, arn, space: -Number(lastInsertRowid) };
    table.indexes.push(index);
    this.#store.backfill(table, index);
  }

  #expireBy(table: Table): void {
    const rows = [...this.#store.rows.all(table.space, { from: 0, to: 2 ** 32 })];
    for (const row of rows) this.#store.rows.put(row, expiry(table, row.item));
  }
}

function labelOf(at: number): string {
  return new Date(at).toISOString().replace('Z', '');
}

function refuseLoss(before: TableShape, after: TableShape): void {
  const refuse = (what: string): never => {
    throw new Error(
      `table ${after.name}: ${what}; the data in this home was written with it. ` +
        'Undo the change, give the table another name, or start with a new home.',
    );
  };
  if (!isDeepStrictEqual(before.keys, after.keys)) refuse('its key schema has changed');
  for (const index of before.indexes) {
    const same = after.indexes.find(({ name }) => name === index.name);
    if (same === undefined) refuse(`its index ${index.name} has been removed`);
    else if (!isDeepStrictEqual(JSON.parse(JSON.stringify(same)), index)) {
      refuse(`its index ${index.name} has other keys or another projection`);
    }
  }
}
