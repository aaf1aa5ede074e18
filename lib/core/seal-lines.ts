import type { Line, Seal } from '../contract/ledger.ts';
import { rootOf, sealHash, sealLag, type Sha256 } from '../contract/ledger-proof.ts';
import type { SealHead, SealStore } from './ledger-ports.ts';
import type { Now } from './ports.ts';

/** A line as the stream tells of it. */
export interface WrittenLine {
  line: Line;
  /** Grows with each record of a partition; too large for a number. */
  sequence: string;
  /** When it was written, milliseconds since the epoch. */
  written_at: number;
}

interface Deps {
  seals: Pick<SealStore, 'head' | 'append'>;
  sha256: Sha256;
  now: Now;
  report: (message: string, about: Record<string, unknown>) => void;
}

/** Days whose sequence numbers a head remembers: the stream keeps its records for one. */
const rememberedDays = 4;
const attempts = 10;
const dayOf = ({ line }: WrittenLine): string => line.time.slice(0, 10);

/**
 * Seals the lines of a batch, one seal an organization, each line once however often the stream tells of it. A line
 * that claims another time than that of its writing is left unsealed and reported: who verifies finds it.
 */
export const sealLines =
  (deps: Deps) =>
  async (written: WrittenLine[]): Promise<void> => {
    const honest = written.filter((one) => isTimely(deps, one));
    const groups = Map.groupBy(honest, ({ line }) => line.organization_id);
    const failures: unknown[] = [];
    for (const [organizationId, group] of groups)
      await sealGroup(deps, organizationId, group).catch((error: unknown) => failures.push(error));
    // The others are sealed by then; their repeat is skipped.
    if (failures.length > 0) throw failures[0];
  };

function isTimely({ report }: Deps, { line, written_at }: WrittenLine): boolean {
  const { line_id, organization_id, time } = line;
  if (Math.abs(Date.parse(time) - written_at) <= sealLag) return true;
  report('a line claims a time that is not that of its writing', { line_id, organization_id, time });
  return false;
}

async function sealGroup(deps: Deps, organizationId: string, group: WrittenLine[]): Promise<void> {
  let last: string | undefined;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const before = await deps.seals.head(organizationId);
    const place = `${before?.number} ${before?.hash}`;
    // It stands still and yet cannot go on: its head or its seals were touched. That must not hold up everybody.
    if (place === last) {
      const line_ids = group.map(({ line }) => line.line_id);
      return deps.report('a chain of seals was tampered with', { organization_id: organizationId, line_ids });
    }
    last = place;
    const open = unsealed(group, before?.sequences ?? {});
    if (open.length === 0) return;
    const seal = makeSeal(deps, organizationId, open, before);
    const head = { number: seal.number, hash: seal.hash, sequences: sequencesAfter(open, before) };
    if ((await deps.seals.append(seal, head, before)) === 'sealed') return;
  }
  throw new Error(`the chain of seals of ${organizationId} moved ${attempts} times`);
}

function unsealed(group: WrittenLine[], sequences: Record<string, string>): WrittenLine[] {
  const reached = new Map(Object.entries(sequences).map(([day, sequence]) => [day, BigInt(sequence)]));
  return group.filter((one) => {
    const sequence = BigInt(one.sequence);
    if (sequence <= (reached.get(dayOf(one)) ?? -1n)) return false;
    reached.set(dayOf(one), sequence);
    return true;
  });
}

function sequencesAfter(open: WrittenLine[], before: SealHead | undefined): Record<string, string> {
  // In the order of the stream: the last of a day is the greatest.
  const all = { ...before?.sequences, ...Object.fromEntries(open.map((one) => [dayOf(one), one.sequence])) };
  return Object.fromEntries(Object.entries(all).toSorted().slice(-rememberedDays));
}

function makeSeal(
  { sha256, now }: Deps,
  organization_id: string,
  open: WrittenLine[],
  before?: SealHead,
): Seal {
  const lines = open.map(({ line }) => line);
  const seal = {
    organization_id,
    number: (before?.number ?? 0) + 1,
    sealed_at: new Date(now()).toISOString(),
    line_ids: lines.map(({ line_id }) => line_id),
    root: rootOf(lines, sha256),
    previous: before?.hash ?? '',
  };
  return { ...seal, hash: sealHash(seal, sha256) };
}
