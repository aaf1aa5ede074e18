import type { Line } from './ledger.ts';
import { exportLag, type SealedLines } from './ledger-export.ts';
import { canonical, type Sha256 } from './ledger-proof.ts';
import { chainFindings, type Finding, type Ledger } from './verify-ledger.ts';

export interface ExportedLedger extends Pick<Ledger, 'organization_id' | 'lines' | 'seals' | 'now'> {
  /** All that lies in the archive, in any order; what lies there twice counts once. */
  exported: readonly SealedLines[];
}

/**
 * Holds a ledger against what was exported of it, where nobody can change it: every exported seal and line has to be in
 * the ledger as it was. So whoever writes the chain anew, with seals that fit, is found out too.
 */
export function verifyExport(ledger: ExportedLedger, sha256: Sha256): Finding[] {
  const byNumber = Map.groupBy(ledger.exported, ({ seal }) => seal.number);
  const inOrder = [...byNumber.entries()].toSorted(([a], [b]) => a - b).map(([, same]) => same);
  return [
    ...inOrder.flatMap(differing),
    ...archiveFindings(ledger.organization_id, inOrder, sha256),
    ...tableFindings(ledger, inOrder.flat()),
    ...unexported(ledger, inOrder.at(-1)?.[0]?.seal.number ?? 0),
  ];
}

/** Honest exports of one seal are all the same. */
function differing(same: SealedLines[]): Finding[] {
  const [first] = same;
  const number = first!.seal.number;
  return new Set(same.map(({ seal }) => canonical(seal))).size === 1
    ? []
    : [{ kind: 'exported', seal: number, reason: 'the export has several seals of this number' }];
}

/** The export has to be a whole chain itself: a cursor that somebody moved leaves a gap. */
const archiveFindings = (organization_id: string, inOrder: SealedLines[][], sha256: Sha256): Finding[] =>
  chainFindings({ organization_id, seals: inOrder.map(([first]) => first!.seal) }, sha256).map((finding) => ({
    kind: 'exported',
    seal: finding.seal,
    reason: `in the export ${finding.reason}`,
  }));

function tableFindings({ seals, lines }: ExportedLedger, exported: SealedLines[]): Finding[] {
  const sealAt = new Map(seals.map((seal) => [seal.number, seal]));
  const lineOf = new Map(lines.map((line) => [line.line_id, line]));
  const told = new Map<string, Finding>();
  for (const { seal, lines: kept } of exported) {
    const found = (reason: string, line_ids?: string[]) => {
      const finding = { kind: 'exported' as const, seal: seal.number, reason, ...(line_ids && { line_ids }) };
      told.set(JSON.stringify(finding), finding);
    };
    const there = sealAt.get(seal.number);
    if (there === undefined) found('the ledger does not have this seal any more');
    else if (canonical(there) !== canonical(seal)) found('the ledger has another seal of this number');
    const other = kept.filter((line) => line !== undefined && !same(line, lineOf.get(line.line_id)));
    if (other.length > 0)
      found(
        'the ledger does not have these lines as they were exported',
        other.map((line) => line!.line_id),
      );
  }
  return [...told.values()];
}

const same = (one: Line, other: Line | undefined): boolean =>
  other !== undefined && canonical(one) === canonical(other);

/** Seals behind the end of the export that had the time to get there: nobody could tell if they were changed. */
function unexported({ seals, now }: ExportedLedger, last: number): Finding[] {
  const late = seals.filter(
    ({ number, sealed_at }) => number > last && !(now - Date.parse(sealed_at) <= exportLag),
  );
  if (late.length === 0) return [];
  const reason =
    late.length === 1 ? 'it is not exported' : `it and ${late.length - 1} others are not exported`;
  return [{ kind: 'exported', seal: late[0]!.number, reason }];
}
