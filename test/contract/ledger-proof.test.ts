import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Line, Seal } from '../../lib/contract/ledger.ts';
import { canonical, merkleRoot } from '../../lib/contract/ledger-proof.ts';
import { verifyLedger } from '../../lib/contract/verify-ledger.ts';
import { organizationId } from '../support/mail-samples.ts';
import { noon, sampleLine, sealAll, sha256 } from '../support/ledger-samples.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const later = noon + 24 * 3600_000;
const groupsOf = (...sizes: number[]): Line[][] => {
  let n = 0;
  return sizes.map((size) => Array.from({ length: size }, () => sampleLine(n++)));
};
const verify = (lines: readonly Line[], seals: readonly Seal[], more = {}) =>
  verifyLedger({ organization_id: organizationId, lines, seals, now: later, ...more }, sha256);

describe('the canonical form', () => {
  it('sorts members at every depth, leaves out what is undefined, and has no spaces', () => {
    expect(canonical({ b: [{ d: 1, c: 'x' }, 'y'], a: undefined, A: { z: '', y: -2 } })).toBe(
      '{"A":{"y":-2,"z":""},"b":[{"c":"x","d":1},"y"]}',
    );
  });
  it('sorts by UTF-16 code units and escapes as RFC 8785 §3.2.3 shows', () => {
    const members = { '€': 'a', '\r': 'b', '\ufb33': 'c', '1': 'd', '😀': 'e', '\u0080': 'f', ö: 'g' };
    expect(canonical(members)).toBe('{"\\r":"b","1":"d","\u0080":"f","ö":"g","€":"a","😀":"e","\ufb33":"c"}');
    expect(canonical('\u0001\b"\\/')).toBe('"\\u0001\\b\\"\\\\/"');
  });
  it.each([null, 1.5, NaN, true, 2 ** 60])('is not for %s', (value) => {
    expect(() => canonical({ value })).toThrow(TypeError);
  });
});

describe('the Merkle tree hash', () => {
  const leaves = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ].map((text) => Buffer.from(text, 'hex'));
  // The tree every Certificate Transparency implementation is tried with.
  it.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('of %i leaves is the known one', (count, root) => {
    expect(hex(merkleRoot(leaves.slice(0, count), sha256))).toBe(root);
  });
});

it('a line as large as a row can be has its hash', () => {
  expect(hex(merkleRoot([new Uint8Array(400 * 1024)], sha256))).toBe(
    hex(sha256(new Uint8Array(400 * 1024 + 1))),
  );
});

describe('a ledger as it was written', () => {
  it('has no findings, whatever its seals hold', () => {
    const groups = groupsOf(1, 2, 3, 7, 8);
    expect(verify(groups.flat().toReversed(), sealAll(groups))).toEqual([]);
    expect(verify([], [])).toEqual([]);
  });
  it('may have lines that wait for their seal, for as long as the lag', () => {
    const line = sampleLine(0);
    expect(verify([line], [], { now: noon + 600_000 })).toEqual([]);
    expect(verify([line], [], { now: noon + 600_001 })).toEqual([
      { kind: 'inserted', line_ids: [line.line_id] },
    ]);
    expect(verify([line], [], { now: noon + 600_001, lag: 700_000 })).toEqual([]);
    expect(verify([line], [], { now: noon - 600_001 })).toMatchObject([{ kind: 'inserted' }]);
  });
});

describe('a ledger that was touched', () => {
  const groups = groupsOf(2, 3, 1);
  const lines = groups.flat();
  const seals = sealAll(groups);

  it('is found out, with what was touched', () => {
    const ids = groups[1]!.map(({ line_id }) => line_id);
    const altered = lines.map((line, n) => (n === 3 ? { ...line, outcome: 'denied' as const } : line));
    expect(verify(altered, seals)).toEqual([{ kind: 'altered', seal: 2, line_ids: ids }]);
    expect(verify(lines.toSpliced(3, 1), seals)).toEqual([{ kind: 'removed', seal: 2, line_ids: [ids[1]] }]);
    const inserted = sampleLine(99);
    expect(verify([...lines, inserted], seals)).toEqual([{ kind: 'inserted', line_ids: [inserted.line_id] }]);
  });
  it('also where a line is there twice, of another organization, or sealed twice', () => {
    expect(verify([...lines, lines[0]!], seals)).toEqual([
      { kind: 'inserted', line_ids: [lines[0]!.line_id] },
    ]);
    expect(verify(lines, seals, { organization_id: 'org_other' })).not.toEqual([]);
    expect(verify(lines, sealAll([...groups, groups[0]!]))).toMatchObject([
      { kind: 'chain', seal: 4 },
      { kind: 'chain', seal: 4 },
    ]);
  });
  it('also where a seal was made anew over changed lines: the next one holds the old hash', () => {
    const changed = groups.with(0, [groups[0]![0]!]);
    expect(verify(lines.toSpliced(1, 1), [sealAll(changed)[0]!, ...seals.slice(1)])).toEqual([
      { kind: 'chain', seal: 2, reason: 'it does not hold the hash of the seal before' },
    ]);
  });
  it('with a head known from before also where the end, or the whole chain, was written anew', () => {
    const known = { number: 3, hash: seals[2]!.hash };
    expect(verify(lines, seals, { known })).toEqual([]);
    expect(verify(lines.slice(0, 5), seals.slice(0, 2))).toEqual([]);
    expect(verify(lines.slice(0, 5), seals.slice(0, 2), { known })).toMatchObject([
      { kind: 'chain', seal: 3 },
    ]);
    const forged = groups.with(0, [groups[0]![0]!]);
    expect(verify(forged.flat(), sealAll(forged))).toEqual([]);
    expect(verify(forged.flat(), sealAll(forged), { known })).toMatchObject([{ kind: 'chain', seal: 3 }]);
  });
});

describe('any single touch', () => {
  const text = fc.string({ minLength: 1, maxLength: 8 });
  const ledger = fc
    .array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 })
    .map((sizes) => ({ groups: groupsOf(...sizes), seals: sealAll(groupsOf(...sizes)) }));
  const found = <Extra>(
    extra: fc.Arbitrary<Extra>,
    touch: (lines: Line[], seals: Seal[], extra: Extra) => [Line[], Seal[]],
  ) =>
    fc.assert(
      fc.property(ledger, extra, ({ groups, seals }, given) => {
        const lines = groups.flat();
        const [touchedLines, touchedSeals] = touch([...lines], [...seals], given);
        fc.pre(JSON.stringify([touchedLines, touchedSeals]) !== JSON.stringify([lines, seals]));
        expect(verify(touchedLines, touchedSeals)).not.toEqual([]);
      }),
      { numRuns: 60 },
    );
  const at = <T>(list: T[], n: number): number => n % list.length;
  const any = fc.nat();

  it('a member of a line changed, added or taken away', () => {
    const member = fc.constantFrom(
      'time',
      'organization_id',
      'action',
      'request_id',
      'line_id',
      'code',
      'pod_id',
      'inbox_uid',
    );
    found(fc.tuple(any, member, fc.option(text, { nil: undefined })), (lines, seals, [n, name, value]) => {
      const index = at(lines, n);
      return [lines.with(index, { ...lines[index]!, [name]: value }), seals];
    });
    found(fc.tuple(any, fc.array(text)), (lines, seals, [n, resources]) => {
      const index = at(lines, n);
      return [lines.with(index, { ...lines[index]!, resources }), seals];
    });
  });
  it('a line removed, or slipped in', () => {
    found(any, (lines, seals, n) => [lines.toSpliced(at(lines, n), 1), seals]);
    found(any, (lines, seals, n) => [lines.toSpliced(at(lines, n), 0, sampleLine(500 + (n % 100))), seals]);
  });
  it('two lines swapped: each with the id of the other', () => {
    found(fc.tuple(any, any), (lines, seals, [n, m]) => {
      const [a, b] = [at(lines, n), at(lines, m)];
      const [one, other] = [lines[a]!, lines[b]!];
      return [
        lines.with(a, { ...other, line_id: one.line_id }).with(b, { ...one, line_id: other.line_id }),
        seals,
      ];
    });
  });
  it('a seal changed', () => {
    const member = fc.constantFrom('organization_id', 'sealed_at', 'root', 'previous', 'hash');
    found(fc.tuple(any, member, text), (lines, seals, [n, name, value]) => {
      const index = at(seals, n);
      return [lines, seals.with(index, { ...seals[index]!, [name]: value })];
    });
    found(fc.tuple(any, any), (lines, seals, [n, number]) => {
      const index = at(seals, n);
      return [lines, seals.with(index, { ...seals[index]!, number })];
    });
    found(fc.tuple(any, any), (lines, seals, [n, m]) => {
      const index = at(seals, n);
      const { line_ids } = seals[index]!;
      return [
        lines,
        seals.with(index, { ...seals[index]!, line_ids: line_ids.toSpliced(at(line_ids, m), 1) }),
      ];
    });
  });
  it('a seal removed, repeated or swapped with another', () => {
    found(any, (lines, seals, n) => [lines, seals.toSpliced(at(seals, n), 1)]);
    found(fc.tuple(any, any), (lines, seals, [n, m]) => [
      lines,
      seals.toSpliced(at(seals, n), 0, seals[at(seals, m)]!),
    ]);
    found(fc.tuple(any, any), (lines, seals, [n, m]) => {
      const [a, b] = [at(seals, n), at(seals, m)];
      return [lines, seals.with(a, seals[b]!).with(b, seals[a]!)];
    });
  });
});
