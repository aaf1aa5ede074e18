import { createHash } from 'node:crypto';
import type { Line, Seal, ShownLine } from '../contract/ledger.ts';
import type { SealedLines } from '../contract/ledger-export.ts';
import { verifyExport } from '../contract/verify-export.ts';
import { verifyLedger, type Finding } from '../contract/verify-ledger.ts';

export interface LedgerSource {
  organization_id: string;
  lines: AsyncIterable<ShownLine>;
  /** Oldest first. */
  seals: AsyncIterable<Seal>;
  /** A head that an earlier verification answered: proves that nothing was cut off since. */
  known?: { number: number; hash: string };
  /** All that was exported, in any order: proves that the chain was not written anew since. */
  exported?: AsyncIterable<SealedLines>;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export interface Verdict {
  organization_id: string;
  /** How many there are. */
  lines: number;
  seals: number;
  /** Seals in the export; absent when it was not asked for. */
  exported?: number;
  /** Empty: all is as it was written. */
  findings: Finding[];
  /** The newest seal; keep it elsewhere and give it as `known` the next time. */
  head?: { number: number; hash: string };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** Fetches a ledger whole and checks every line against the seals, here and not on the server. */
export async function verifyWholeLedger({
  organization_id,
  now = Date.now,
  known,
  ...source
}: LedgerSource): Promise<Verdict> {
  // The time first, then the seals: a line written and sealed meanwhile is too young to be missed in them.
  const at = now();
  // The export before the seals: what is in it by now is in the ledger too.
  const exported = source.exported === undefined ? undefined : await all(source.exported);
  const seals = await all(source.seals);
  const lines: Line[] = [];
  for await (const { personal: _, ...line } of source.lines) lines.push(line);
  const ledger = { organization_id, lines, seals, now: at };
  const findings = verifyLedger({ ...ledger, ...(known && { known }) }, sha256);
  if (exported !== undefined) findings.push(...verifyExport({ ...ledger, exported }, sha256));
  const head = seals.at(-1);
  return {
    organization_id,
    lines: lines.length,
    seals: seals.length,
    ...(exported && { exported: new Set(exported.map(({ seal }) => seal.number)).size }),
    findings,
    ...(head && { head: { number: head.number, hash: head.hash } }),
  };
}
