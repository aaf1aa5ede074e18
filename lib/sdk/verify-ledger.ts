import { createHash } from 'node:crypto';
import type { Line, Seal, ShownLine } from '../contract/ledger.ts';
import { verifyLedger, type Finding } from '../contract/verify-ledger.ts';

export interface LedgerSource {
  organization_id: string;
  lines: AsyncIterable<ShownLine>;
  /** Oldest first. */
  seals: AsyncIterable<Seal>;
  /** A head that an earlier verification answered: proves that nothing was cut off since. */
  known?: { number: number; hash: string };
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export interface Verdict {
  organization_id: string;
  /** How many there are. */
  lines: number;
  seals: number;
  /** Empty: all is as it was written. */
  findings: Finding[];
  /** The newest seal; keep it elsewhere and give it as `known` the next time. */
  head?: { number: number; hash: string };
}

/** Fetches a ledger whole and checks every line against the seals, here and not on the server. */
export async function verifyWholeLedger({
  organization_id,
  now = Date.now,
  known,
  ...source
}: LedgerSource): Promise<Verdict> {
  // The time first, then the seals: a line written and sealed meanwhile is too young to be missed in them.
  const at = now();
  const seals: Seal[] = [];
  for await (const seal of source.seals) seals.push(seal);
  const lines: Line[] = [];
  for await (const { personal: _, ...line } of source.lines) lines.push(line);
  const findings = verifyLedger(
    { organization_id, lines, seals, now: at, ...(known && { known }) },
    (bytes) => createHash('sha256').update(bytes).digest(),
  );
  const head = seals.at(-1);
  return {
    organization_id,
    lines: lines.length,
    seals: seals.length,
    findings,
    ...(head && { head: { number: head.number, hash: head.hash } }),
  };
}
