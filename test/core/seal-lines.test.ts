import { describe, expect, it } from 'vitest';
import type { Line, Seal } from '../../lib/contract/ledger.ts';
import { verifyLedger } from '../../lib/contract/verify-ledger.ts';
import type { SealHead } from '../../lib/core/ledger-ports.ts';
import { sealLines, type WrittenLine } from '../../lib/core/seal-lines.ts';
import { noon, sampleLine, sha256 } from '../support/ledger-samples.ts';
import { organizationId } from '../support/mail-samples.ts';

/** Sequence numbers as the stream has them: past what a number can hold. */
const base = 10n ** 22n;
const written = (n: number, line: Line = sampleLine(n)): WrittenLine => ({
  line,
  sequence: String(base + BigInt(n)),
  written_at: Date.parse(line.time) + 500,
});

function scene() {
  const heads = new Map<string, SealHead>();
  const seals: Seal[] = [];
  const reports: unknown[] = [];
  const trouble = { moves: 0, fails: new Set<string>() };
  const seal = sealLines({
    seals: {
      head: async (id) => heads.get(id),
      append: async (one, head, before) => {
        if (trouble.fails.has(one.organization_id)) throw new Error('no');
        if (heads.get(one.organization_id)?.hash !== before?.hash) return 'moved';
        seals.push(one);
        heads.set(one.organization_id, head);
        return 'sealed';
      },
    },
    sha256,
    now: () => noon + 120_000,
    report: (message, about) => reports.push({ message, ...about }),
  });
  return { seal, seals, heads, reports, trouble };
}

const ids = (...lines: number[]): string[] => lines.map((n) => sampleLine(n).line_id);

describe('sealing', () => {
  it('makes one seal an organization and batch, in the order of the stream, and a chain of them', async () => {
    const { seal, seals } = scene();
    const other = sampleLine(3, { organization_id: 'org_other' });
    await seal([written(2), written(3, other), written(4)]);
    await seal([written(5)]);
    expect(seals.map(({ organization_id, number, line_ids }) => [organization_id, number, line_ids])).toEqual(
      [
        [organizationId, 1, ids(2, 4)],
        ['org_other', 1, [other.line_id]],
        [organizationId, 2, ids(5)],
      ],
    );
    const own = seals.filter((one) => one.organization_id === organizationId);
    const lines = [2, 4, 5].map((n) => sampleLine(n));
    expect(
      verifyLedger({ organization_id: organizationId, lines, seals: own, now: noon + 3600_000 }, sha256),
    ).toEqual([]);
  });

  it('seals a line once, however the stream repeats and cuts its batches', async () => {
    const { seal, seals } = scene();
    await seal([written(1), written(2)]);
    await seal([written(1), written(2)]);
    await seal([written(1)]);
    await seal([written(2), written(3), written(3)]);
    expect(seals.map(({ line_ids }) => line_ids)).toEqual([ids(1, 2), ids(3)]);
  });

  it('tells the days apart, and remembers the last of them', async () => {
    const { seal, seals, heads } = scene();
    const day = (n: number, d: number) =>
      written(n, sampleLine(n, { time: new Date(noon + d * 86_400_000).toISOString() }));
    // The shard of a new day's partition may count from further below.
    await seal([day(50, 0)]);
    await seal([day(40, 1), day(51, 0)]);
    expect(seals.map(({ line_ids }) => line_ids)).toEqual([ids(50), ids(40, 51)]);
    for (let d = 2; d < 7; d++) await seal([day(60 + d, d)]);
    expect(Object.keys(heads.get(organizationId)!.sequences)).toEqual([
      '2026-03-08',
      '2026-03-09',
      '2026-03-10',
      '2026-03-11',
    ]);
  });

  it('leaves a line unsealed that claims another time than that of its writing', async () => {
    const { seal, seals, reports } = scene();
    const late = (n: number, by: number) => ({
      ...written(n),
      written_at: Date.parse(sampleLine(n).time) + by,
    });
    await seal([late(1, 600_000), late(2, 600_001), late(3, -600_001), late(4, -600_000)]);
    expect(seals.map(({ line_ids }) => line_ids)).toEqual([ids(1, 4)]);
    expect(reports).toMatchObject(ids(2, 3).map((line_id) => ({ line_id })));
  });

  it('seals the other organizations when one cannot be sealed, and that one when it comes again', async () => {
    const { seal, seals, trouble } = scene();
    const batch = [written(1), written(2, sampleLine(2, { organization_id: 'org_other' }))];
    trouble.fails.add(organizationId);
    await expect(seal(batch)).rejects.toThrow('no');
    trouble.fails.clear();
    await seal(batch);
    expect(seals.map(({ organization_id }) => organization_id)).toEqual(['org_other', organizationId]);
  });

  it('takes up the head anew when somebody else sealed meanwhile', async () => {
    const one = scene();
    const batch = [written(1), written(2)];
    await Promise.all([one.seal(batch), one.seal([written(3)]), one.seal(batch)]);
    const lines = one.seals.flatMap(({ line_ids }) => line_ids);
    expect(one.seals.map(({ number }) => number)).toEqual(one.seals.map((_, n) => n + 1));
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('reports a chain that was tampered with, and holds nobody up', async () => {
    const reports: unknown[] = [];
    const seal = sealLines({
      seals: { head: async () => undefined, append: async () => 'moved' },
      sha256,
      now: () => noon,
      report: (message, about) => reports.push({ message, ...about }),
    });
    await seal([written(1)]);
    expect(reports).toEqual([
      {
        message: 'a chain of seals was tampered with',
        organization_id: organizationId,
        line_ids: ids(1),
      },
    ]);
  });
});
