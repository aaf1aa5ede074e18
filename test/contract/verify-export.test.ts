import { describe, expect, it } from 'vitest';
import { exportKey, exportText, readExport, type SealedLines } from '../../lib/contract/ledger-export.ts';
import type { Line, Seal } from '../../lib/contract/ledger.ts';
import { verifyExport } from '../../lib/contract/verify-export.ts';
import { verifyLedger } from '../../lib/contract/verify-ledger.ts';
import { noon, sampleLine, sealAll, sha256 } from '../support/ledger-samples.ts';
import { organizationId } from '../support/mail-samples.ts';

const groups: Line[][] = [[sampleLine(0), sampleLine(1)], [sampleLine(2)], [sampleLine(3), sampleLine(4)]];
const lines = groups.flat();
const seals = sealAll(groups);
const exported: SealedLines[] = seals.map((seal, n) => ({ seal, lines: groups[n]! }));
const at = { organization_id: organizationId, now: noon + 24 * 3600_000 };

/** What the export says, and what the ledger alone says. */
const verify = (there: { lines?: Line[]; seals?: Seal[]; exported?: SealedLines[]; now?: number }) => {
  const ledger = { ...at, lines, seals, exported, ...there };
  return { plain: verifyLedger(ledger, sha256), held: verifyExport(ledger, sha256) };
};
const missing = 'the ledger does not have this seal any more';
const another = 'the ledger has another seal of this number';
const changed = 'the ledger does not have these lines as they were exported';

describe('an export', () => {
  it('is text of one object a line, that reads as it was written', () => {
    const gone: SealedLines = { seal: seals[2]!, lines: [undefined, groups[2]![1]] };
    const text = exported.slice(0, 2).map(exportText).join('') + exportText(gone);
    expect(
      text
        .split('\n')
        .slice(0, -1)
        .map((row) => Object.keys(JSON.parse(row))),
    ).toEqual(['seal', 'line', 'line', 'seal', 'line', 'seal', 'missing', 'line'].map((name) => [name]));
    expect(readExport(text)).toEqual([...exported.slice(0, 2), gone]);
    expect(readExport('')).toEqual([]);
  });

  it.each([
    ['no JSON', '{"seal"', 1],
    ['a line without its seal', exportText(exported[0]!).split('\n')[1]!, 1],
    ['anything else', `${exportText(exported[0]!)}{"note":"x"}`, 4],
  ])('that has %s is refused with the row', (_, text, row) => {
    expect(() => readExport(text)).toThrow(`row ${row} is no seal and no line of a seal`);
  });

  it('lies under the organization, sorted as the chain is', () => {
    expect(exportKey('org_a', 7)).toBe('org_a/000000000007.ndjson');
    expect(exportKey('org_a', 10) > exportKey('org_a', 9)).toBe(true);
  });
});

describe('a ledger as it was exported', () => {
  it('has no findings, in whatever order and however often its seals lie in the export', () => {
    expect(verify({}).held).toEqual([]);
    expect(verify({ exported: [...exported.toReversed(), exported[1]!] }).held).toEqual([]);
    expect(verify({ lines: [], seals: [], exported: [] }).held).toEqual([]);
  });

  it('may be ahead of its export for as long as the lag', () => {
    const behind = exported.slice(0, 1);
    const sealedAt = Date.parse(seals[1]!.sealed_at);
    expect(verify({ exported: behind, now: sealedAt + 3 * 3600_000 }).held).toEqual([]);
    expect(verify({ exported: behind, now: sealedAt + 3 * 3600_000 + 1 }).held).toEqual([
      { kind: 'exported', seal: 2, reason: 'it is not exported' },
    ]);
    expect(verify({ exported: [] }).held).toEqual([
      { kind: 'exported', seal: 1, reason: 'it and 2 others are not exported' },
    ]);
  });

  it('also where a line was gone before it was exported: the ledger alone tells of that', () => {
    const without = exported.with(1, { seal: seals[1]!, lines: [undefined] });
    const { plain, held } = verify({ lines: lines.toSpliced(2, 1), exported: without });
    expect(held).toEqual([]);
    expect(plain).toMatchObject([{ kind: 'removed', seal: 2 }]);
  });
});

describe('a ledger that was touched after its export', () => {
  it('is found out when its whole chain was written anew, which verifies by itself', () => {
    const forged = groups.with(1, [sampleLine(2, { outcome: 'denied' })]);
    const { plain, held } = verify({ lines: forged.flat(), seals: sealAll(forged) });
    expect(plain).toEqual([]);
    expect(held).toEqual([
      { kind: 'exported', seal: 2, reason: another },
      { kind: 'exported', seal: 2, reason: changed, line_ids: [lines[2]!.line_id] },
      { kind: 'exported', seal: 3, reason: another },
    ]);
  });

  it('also when a line was taken out of it, or another put in, and the chain sealed anew', () => {
    const without = [groups[0]!.slice(0, 1), ...groups.slice(1)];
    expect(verify({ lines: without.flat(), seals: sealAll(without) })).toMatchObject({
      plain: [],
      held: [{ seal: 1 }, { seal: 1, line_ids: [lines[1]!.line_id] }, { seal: 2 }, { seal: 3 }],
    });
    const more = groups.with(2, [...groups[2]!, sampleLine(9)]);
    expect(verify({ lines: more.flat(), seals: sealAll(more) })).toEqual({
      plain: [],
      held: [{ kind: 'exported', seal: 3, reason: another }],
    });
  });

  it('also when the end of the chain is gone with its lines', () => {
    expect(verify({ lines: lines.slice(0, 3), seals: seals.slice(0, 2) })).toEqual({
      plain: [],
      held: [
        { kind: 'exported', seal: 3, reason: missing },
        { kind: 'exported', seal: 3, reason: changed, line_ids: groups[2]!.map(({ line_id }) => line_id) },
      ],
    });
    expect(verify({ lines: [], seals: [] }).held).toHaveLength(6);
  });

  it('also when somebody made the export skip seals, or put others beside them', () => {
    expect(verify({ exported: exported.toSpliced(1, 1) }).held).toEqual([
      { kind: 'exported', seal: 3, reason: 'in the export it follows number 1' },
      { kind: 'exported', seal: 3, reason: 'in the export it does not hold the hash of the seal before' },
    ]);
    const forged = groups.with(2, [sampleLine(3)]);
    const beside = [...exported, { seal: sealAll(forged)[2]!, lines: forged[2]! }];
    expect(verify({ exported: beside }).held).toEqual([
      { kind: 'exported', seal: 3, reason: 'the export has several seals of this number' },
      { kind: 'exported', seal: 3, reason: another },
    ]);
    expect(verify({ exported: exported.toSpliced(0, 1) }).held[0]).toMatchObject({ seal: 2 });
  });
});
