import { exportText, type SealedLines } from '../contract/ledger-export.ts';
import type { Seal } from '../contract/ledger.ts';
import type { Sha256 } from '../contract/ledger-proof.ts';
import { operatorOrganizationId } from '../contract/organization.ts';
import { verifyLedger, type Finding } from '../contract/verify-ledger.ts';
import type { Exported, ExportStore, LedgerArchive } from './ledger-ports.ts';
import type { Now } from './ports.ts';
import { together } from './together.ts';

interface Deps {
  store: ExportStore;
  archive: LedgerArchive;
  sha256: Sha256;
  now: Now;
  report: (message: string, about: Record<string, unknown>) => void;
}

/** Organizations at a time. */
const lanes = 4;
/** What one object holds; the lines of its last seals may take it above the characters. */
const mostSeals = 100;
const mostCharacters = 4_000_000;
/** Lines read at once, unless one seal covers more; a seal covers one batch of the stream, 6 MB at most. */
const mostLines = 1000;

/**
 * Carries the seals and their lines of every organization to where nobody can change them: an object at a time, each
 * organization in turn, until all is there or `until` (milliseconds since the epoch) has come. What fails or does not
 * fit its seals is reported and holds up nobody else; in the end an `Error` says that there was something.
 */
export const exportLedger =
  (deps: Deps) =>
  async ({ until }: { until: number }): Promise<void> => {
    // Lines of the operator's own come before there is an organization of his.
    const waiting = new Set([operatorOrganizationId]);
    for await (const id of deps.store.organizations()) waiting.add(id);
    const trouble = { failed: 0, findings: 0 };
    const lane = async (): Promise<void> => {
      for (const id of waiting) {
        if (deps.now() >= until) return;
        // A set goes through what is added behind: whoever has more to export queues up again.
        waiting.delete(id);
        if ((await exportObject(deps, id, trouble)) === 'more') waiting.add(id);
      }
    };
    await together(Array.from({ length: lanes }, lane));
    const left = waiting.size;
    if (trouble.failed + trouble.findings + left === 0) return;
    throw new Error(
      `the export of the ledger: ${trouble.failed} organizations failed, ${left} were not reached in time, ` +
        `${trouble.findings} findings that something was tampered with`,
    );
  };

async function exportObject(
  deps: Deps,
  organizationId: string,
  trouble: { failed: number; findings: number },
): Promise<'more' | 'done'> {
  try {
    const { findings, outcome } = await exportNext(deps, organizationId);
    for (const finding of findings)
      deps.report('the ledger is not as it was written', { organization_id: organizationId, ...finding });
    trouble.findings += findings.length;
    return outcome;
  } catch (error) {
    deps.report('the ledger of an organization was not exported', { organization_id: organizationId, error });
    trouble.failed += 1;
    return 'done';
  }
}

async function exportNext(
  { store, archive, sha256, now }: Deps,
  organization_id: string,
): Promise<{ findings: Finding[]; outcome: 'more' | 'done' }> {
  const before = await store.exported(organization_id);
  // From the last one on: it must be there as it was.
  const read = await store.seals(organization_id, before?.number ?? 1, mostSeals + 1);
  const findings = read.seals.some((seal) => isSame(seal, before)) ? [] : endFinding(before);
  const open = read.seals.filter(({ number }) => number > (before?.number ?? 0)).slice(0, mostSeals);
  if (open.length === 0) return { findings, outcome: 'done' };
  const { sealed, text } = await gather(store, organization_id, open);
  const seals = sealed.map(({ seal }) => seal);
  const lines = sealed.flatMap((one) => one.lines.filter((line) => line !== undefined));
  findings.push(
    ...verifyLedger({ organization_id, seals, lines, now: now(), ...(before && { after: before }) }, sha256),
  );
  const { number, hash } = seals.at(-1)!;
  const kept = await archive.keep(organization_id, seals[0]!.number, text, { number, hash });
  if (kept.number < seals[0]!.number) throw new Error('the object there ends before it begins');
  const moved = await store.advance(organization_id, kept, before);
  const more = read.more || kept.number < (read.seals.at(-1)?.number ?? 0);
  return { findings, outcome: moved === 'done' && more ? 'more' : 'done' };
}

const isSame = (seal: Seal, { number, hash }: Partial<Exported> = {}): boolean =>
  seal.number === number && seal.hash === hash;
const endFinding = (before: Exported | undefined): Finding[] =>
  before === undefined
    ? []
    : [{ kind: 'chain', seal: before.number, reason: 'the seal that was exported last is not there' }];

/** Seals with their lines, up to what one object holds. */
async function gather(store: ExportStore, organizationId: string, seals: Seal[]) {
  const sealed: SealedLines[] = [];
  let text = '';
  for (const group of groupsOf(seals)) {
    const lines = await store.lines(
      organizationId,
      group.flatMap(({ line_ids }) => line_ids),
    );
    for (const seal of group) {
      const one = { seal, lines: lines.splice(0, seal.line_ids.length) };
      sealed.push(one);
      text += exportText(one);
    }
    if (text.length >= mostCharacters) break;
  }
  return { sealed, text };
}

/** Neighbours whose lines are read together. */
function groupsOf(seals: Seal[]): Seal[][] {
  const groups: Seal[][] = [];
  let lines = 0;
  for (const seal of seals) {
    lines += seal.line_ids.length;
    const current = groups.at(-1);
    if (current === undefined || lines > mostLines) {
      groups.push([seal]);
      lines = seal.line_ids.length;
    } else current.push(seal);
  }
  return groups;
}
