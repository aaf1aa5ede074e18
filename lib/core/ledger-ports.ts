import type { Line, PersonalField, Seal } from '../contract/ledger.ts';
import type { Page, PageRequest } from './ports.ts';

/** Where a chain of seals ends. */
export interface SealHead {
  number: number;
  hash: string;
  /** By the day of the lines: the sequence number of the stream up to which they are sealed. */
  sequences: Record<string, string>;
}

/** Port: the seals of organizations. */
export interface SealStore {
  head(organizationId: string): Promise<SealHead | undefined>;
  /** The seal and the new head together; `moved`: somebody sealed since `before` was read. */
  append(seal: Seal, head: SealHead, before: SealHead | undefined): Promise<'sealed' | 'moved'>;
  /** In the order they were made, unless the page is descending. */
  list(organizationId: string, page: PageRequest): Promise<Page<Seal>>;
}

export interface LineRange {
  organization_id: string;
  /** `2026-01-31`. */
  day: string;
  /** Bounds of the ULID, inclusive. */
  from?: string;
  to?: string;
  /** Continue behind this ULID. */
  after?: string;
  ascending: boolean;
  limit: number;
}

/** Port: the lines of the ledger. */
export interface LineStore {
  /** Looks at up to `limit` lines of one day; `last` is where it stopped, absent when the day is used up. */
  read(range: LineRange): Promise<{ lines: Line[]; examined: number; last?: string }>;
}

/** Port: the personal facts that lines commit to. */
export interface PersonStore {
  /** What is still known behind commitments. */
  reveal(
    organizationId: string,
    commitments: string[],
  ): Promise<Map<string, { field: PersonalField; value: string }>>;
  /** Forgets one value, wherever it stands, or all of an organization; answers how many rows that were. */
  erase(organizationId: string, what: { value: string } | 'all'): Promise<number>;
}

/** The last seal that was exported. */
export type Exported = Pick<SealHead, 'number' | 'hash'>;

/** Port: what the export of the ledger reads, and how far it came. */
export interface ExportStore {
  /** Ids of all organizations, suspended ones too. */
  organizations(): AsyncIterable<string>;
  /** Seals from this number on, in their order, at most `limit`; `more`: there are others behind them. */
  seals(organizationId: string, from: number, limit: number): Promise<{ seals: Seal[]; more: boolean }>;
  /** In the order asked; `undefined` for one that is not there, or is no line any more. */
  lines(organizationId: string, lineIds: string[]): Promise<(Line | undefined)[]>;
  exported(organizationId: string): Promise<Exported | undefined>;
  /** `moved`: another run got there since `before` was read. */
  advance(organizationId: string, to: Exported, before: Exported | undefined): Promise<'done' | 'moved'>;
}

/** Port: where seals and lines are kept from everybody. */
export interface LedgerArchive {
  /** Keeps an object that begins with this seal; what is there already stays, and its last seal is answered. */
  keep(organizationId: string, first: number, text: string, last: Exported): Promise<Exported>;
}
