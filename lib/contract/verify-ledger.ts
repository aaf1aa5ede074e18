import type { Line, Seal } from './ledger.ts';
import { rootOf, sealHash, sealLag, type Sha256 } from './ledger-proof.ts';

/** What is wrong with a ledger. */
export type Finding =
  /** One of these lines is not what it was when it was sealed. */
  | { kind: 'altered'; seal: number; line_ids: string[] }
  /** The seal names them, and they are not there. */
  | { kind: 'removed'; seal: number; line_ids: string[] }
  /** No seal names it though it had the time to be sealed, it stands there twice, or it is of another organization. */
  | { kind: 'inserted'; line_ids: string[] }
  /** A seal was changed, left out, slipped in or put elsewhere. */
  | { kind: 'chain'; seal: number; reason: string }
  /** The ledger, or a seal of it and its lines, is not what was exported. */
  | { kind: 'exported'; seal: number; reason: string; line_ids?: string[] };

export interface Ledger {
  organization_id: string;
  lines: readonly Line[];
  /** In the order they were made. */
  seals: readonly Seal[];
  /** Milliseconds since the epoch. */
  now: number;
  /** How long a line may wait for its seal, milliseconds. */
  lag?: number;
  /**
   * A seal known from before, such as the head of an earlier verification. Without it nobody can tell that the newest
   * seals were taken away together with their lines.
   */
  known?: { number: number; hash: string };
  /** The seal before the first of these; without it they are the whole chain. */
  after?: { number: number; hash: string };
}

/** Holds the lines against their seals and the seals against each other. An empty answer: all is as it was written. */
export function verifyLedger(ledger: Ledger, sha256: Sha256): Finding[] {
  const byId = new Map(ledger.lines.map((line) => [line.line_id, line]));
  return [
    ...chainFindings(ledger, sha256),
    ...ledger.seals.flatMap((seal) => sealFindings(seal, byId, sha256)),
    ...strayLines(ledger),
  ];
}

/** What is wrong with the seals alone. */
export function chainFindings(
  { organization_id, seals, known, after }: Pick<Ledger, 'organization_id' | 'seals' | 'known' | 'after'>,
  sha256: Sha256,
): Extract<Finding, { kind: 'chain' }>[] {
  const findings: Extract<Finding, { kind: 'chain' }>[] = [];
  const sealed = new Set<string>();
  let [number, previous] = [after?.number ?? 0, after?.hash ?? ''];
  for (const seal of seals) {
    const broken = (reason: string) => findings.push({ kind: 'chain', seal: seal.number, reason });
    if (seal.number !== number + 1) broken(`it follows number ${number}`);
    if (seal.previous !== previous) broken('it does not hold the hash of the seal before');
    if (seal.hash !== sealHash(seal, sha256)) broken('its hash is not its own');
    if (seal.organization_id !== organization_id) broken('it is of another organization');
    for (const id of seal.line_ids) {
      if (sealed.has(id)) broken(`it seals ${id} a second time`);
      sealed.add(id);
    }
    [number, previous] = [seal.number, seal.hash];
  }
  if (known !== undefined && !seals.some((seal) => seal.number === known.number && seal.hash === known.hash))
    findings.push({ kind: 'chain', seal: known.number, reason: 'the seal known from before is not there' });
  return findings;
}

function sealFindings(seal: Seal, byId: Map<string, Line>, sha256: Sha256): Finding[] {
  const missing = seal.line_ids.filter((id) => !byId.has(id));
  if (missing.length > 0) return [{ kind: 'removed', seal: seal.number, line_ids: missing }];
  const lines = seal.line_ids.map((id) => byId.get(id)!);
  if (rootOf(lines, sha256) === seal.root) return [];
  return [{ kind: 'altered', seal: seal.number, line_ids: seal.line_ids }];
}

function strayLines({ organization_id, lines, seals, now, lag = sealLag }: Ledger): Finding[] {
  const sealed = new Set(seals.flatMap((seal) => seal.line_ids));
  const seen = new Set<string>();
  const stray = new Set<string>();
  for (const line of lines) {
    // A time ahead of now by more than the lag is none that an honest writer gave.
    const waited = !(Math.abs(now - Date.parse(line.time)) <= lag);
    const twice = seen.has(line.line_id);
    seen.add(line.line_id);
    if (twice || line.organization_id !== organization_id || (waited && !sealed.has(line.line_id)))
      stray.add(line.line_id);
  }
  return stray.size === 0 ? [] : [{ kind: 'inserted', line_ids: [...stray] }];
}
