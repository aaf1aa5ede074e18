import type { Index, Table } from './store/table.ts';

export type ConsumedMode = 'NONE' | 'TOTAL' | 'INDEXES';
type Units = { read: number; write: number };
type TableUnits = { table: Units; indexes: Map<string, Units> };

const READ_BLOCK = 4096;
const WRITE_BLOCK = 1024;

/**
 * Read units of so many bytes, rounded up once: half for an eventually consistent read, double in a
 * transaction.
 */
export function readUnits(bytes: number, kind: 'eventual' | 'consistent' | 'transaction'): number {
  const blocks = Math.max(1, Math.ceil(bytes / READ_BLOCK));
  return kind === 'eventual' ? blocks / 2 : kind === 'transaction' ? blocks * 2 : blocks;
}

/** Write units of an item of so many bytes. */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / WRITE_BLOCK));
}

/** Counts the request units of one call, per table and index. */
export class Meter {
  readonly #tables = new Map<string, TableUnits>();
  /** 2 in a transaction: AWS prepares and commits each write. */
  readonly #factor: number;

  constructor(factor = 1) {
    this.#factor = factor;
  }

  read(table: Table, units: number, index?: Index): void {
    this.#units(table, index).read += units;
  }

  write(table: Table, units: number, index?: Index): void {
    this.#units(table, index).write += units * this.#factor;
  }

  total(): Units {
    return sum([...this.#tables.values()].map(tableTotal));
  }

  /** The ConsumedCapacity of each table; undefined when the request did not ask. */
  consumed(mode: ConsumedMode | undefined, split = false): object[] | undefined {
    if (mode === undefined || mode === 'NONE') return undefined;
    return [...this.#tables].map(([TableName, units]) => ({
      TableName,
      ...capacity(tableTotal(units), split),
      ...(mode === 'INDEXES' ? perIndex(units, split) : {}),
    }));
  }

  #units(table: Table, index: Index | undefined): Units {
    const known = this.#tables.get(table.name) ?? { table: { read: 0, write: 0 }, indexes: new Map() };
    this.#tables.set(table.name, known);
    if (index === undefined) return known.table;
    const units = known.indexes.get(index.name) ?? { read: 0, write: 0 };
    known.indexes.set(index.name, units);
    return units;
  }
}

function perIndex({ table, indexes }: TableUnits, split: boolean): object {
  const shown = [...indexes].map(([name, units]) => [name, capacity(units, split)]);
  return {
    Table: capacity(table, split),
    ...(shown.length === 0 ? {} : { GlobalSecondaryIndexes: Object.fromEntries(shown) as object }),
  };
}

/** Transactions also say which units were reads and which were writes. */
function capacity({ read, write }: Units, split: boolean): object {
  return {
    CapacityUnits: read + write,
    ...(split && read > 0 ? { ReadCapacityUnits: read } : {}),
    ...(split && write > 0 ? { WriteCapacityUnits: write } : {}),
  };
}

function tableTotal({ table, indexes }: TableUnits): Units {
  return sum([table, ...indexes.values()]);
}

function sum(units: Units[]): Units {
  return units.reduce((a, b) => ({ read: a.read + b.read, write: a.write + b.write }), { read: 0, write: 0 });
}
