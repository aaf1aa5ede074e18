import { describe, expect, it } from 'vitest';
import { exportKey, readExport, type SealedLines } from '../../lib/contract/ledger-export.ts';
import type { Line, Seal } from '../../lib/contract/ledger.ts';
import { exportLedger } from '../../lib/core/export-ledger.ts';
import type { Exported } from '../../lib/core/ledger-ports.ts';
import { noon, sampleLine, sealAll, sha256 } from '../support/ledger-samples.ts';
import { organizationId } from '../support/mail-samples.ts';

const later = noon + 24 * 3600_000;
const sizes = (...counts: number[]): Line[][] => {
  let n = 0;
  return counts.map((count) => Array.from({ length: count }, () => sampleLine(n++)));
};
const of = (organization_id: string, groups: Line[][]): Line[][] =>
  groups.map((lines) => lines.map((line) => ({ ...line, organization_id })));

/** A table with these chains, and an archive that keeps what it is given. */
function scene(chains: Record<string, Line[][]>) {
  const seals = new Map<string, Seal[]>();
  const lines = new Map<string, Line>();
  const write = (id: string, groups: Line[][]) => {
    seals.set(id, sealAll(groups, id));
    for (const line of groups.flat()) lines.set(line.line_id + id, line);
  };
  for (const [id, groups] of Object.entries(chains)) write(id, groups);
  const cursors = new Map<string, Exported>();
  const objects = new Map<string, { text: string; last: Exported }>();
  const reports: Record<string, unknown>[] = [];
  const asked: { seals: number[]; lines: number[] } = { seals: [], lines: [] };
  const trouble = {
    broken: new Set<string>(),
    unlisted: new Set<string>(),
    dies: false,
    now: later,
    each: 0,
  };
  const run = exportLedger({
    store: {
      async *organizations() {
        for (const id of seals.keys()) if (!trouble.unlisted.has(id)) yield id;
      },
      async seals(id, from, limit) {
        if (trouble.broken.has(id)) throw new Error('no');
        asked.seals.push(from);
        const all = (seals.get(id) ?? []).filter(({ number }) => number >= from);
        return { seals: all.slice(0, limit), more: all.length > limit };
      },
      async lines(id, ids) {
        asked.lines.push(ids.length);
        trouble.now += trouble.each;
        return ids.map((one) => lines.get(one + id));
      },
      exported: async (id) => cursors.get(id),
      async advance(id, to, before) {
        if (trouble.dies) throw new Error('died');
        if (cursors.get(id)?.number !== before?.number) return 'moved';
        cursors.set(id, to);
        return 'done';
      },
    },
    archive: {
      async keep(id, first, text, last) {
        const key = exportKey(id, first);
        if (!objects.has(key)) objects.set(key, { text, last });
        return objects.get(key)!.last;
      },
    },
    sha256,
    now: () => trouble.now,
    report: (message, { error, ...about }) =>
      reports.push({ message, ...about, ...(error !== undefined && { error: (error as Error).message }) }),
  });
  const exportedOf = (id = organizationId): SealedLines[] =>
    [...objects].filter(([key]) => key.startsWith(`${id}/`)).flatMap(([, { text }]) => readExport(text));
  return {
    ...{ seals, lines, cursors, objects, reports, asked, trouble, write, exportedOf },
    run: (until = later + 600_000) => run({ until }),
    numbers: (id = organizationId) => exportedOf(id).map(({ seal }) => seal.number),
  };
}

describe('the export of the ledger', () => {
  it('keeps each seal with its lines, organization by organization, and goes on where it ended', async () => {
    const groups = sizes(2, 1, 3);
    const { run, objects, cursors, exportedOf, write, seals } = scene({
      [organizationId]: groups.slice(0, 2),
      org_other: of('org_other', sizes(1)),
      org_operator: of('org_operator', sizes(1)),
      org_new: [],
    });
    await run();
    expect([...objects.keys()].toSorted()).toEqual([
      `${organizationId}/000000000001.ndjson`,
      'org_operator/000000000001.ndjson',
      'org_other/000000000001.ndjson',
    ]);
    expect(exportedOf()).toEqual(seals.get(organizationId)!.map((seal, n) => ({ seal, lines: groups[n] })));
    write(organizationId, groups);
    await run();
    expect([...objects.keys()].filter((key) => key.startsWith(organizationId))).toEqual([
      `${organizationId}/000000000001.ndjson`,
      `${organizationId}/000000000003.ndjson`,
    ]);
    const { number, hash } = seals.get(organizationId)![2]!;
    expect(cursors.get(organizationId)).toEqual({ number, hash });
    expect(exportedOf().map(({ lines }) => lines)).toEqual(groups);
    const before = objects.size;
    await run();
    expect(objects.size).toBe(before);
  });

  it('has the operator’s own ledger too, before the operator is among the organizations', async () => {
    const { run, numbers, trouble } = scene({ org_operator: of('org_operator', sizes(1)) });
    trouble.unlisted.add('org_operator');
    await run();
    expect(numbers('org_operator')).toEqual([1]);
  });

  it('puts several objects, each with a bounded number of seals, and reads the lines of many at once', async () => {
    const { run, objects, numbers, asked } = scene({
      [organizationId]: sizes(...Array.from({ length: 250 }, () => 4)),
    });
    await run();
    expect([...objects.values()].map(({ text }) => readExport(text).length)).toEqual([100, 100, 50]);
    expect(numbers()).toEqual(Array.from({ length: 250 }, (_, n) => n + 1));
    expect(asked.lines).toEqual([400, 400, 200]);
  });

  it('reads at most 1,000 lines at once, unless one seal has more, and ends an object at 4 million characters', async () => {
    const { run, asked, objects } = scene({ [organizationId]: sizes(600, 400, 1, 1200, 3, 2, 4) });
    await run();
    expect(asked.lines).toEqual([1000, 1, 1200, 9]);
    expect([...objects.keys()]).toHaveLength(1);
    const resources = Array.from({ length: 100 }, (_, n) => `msg_${n}`.padEnd(40, 'x'));
    const larger = scene({
      [organizationId]: sizes(990, 990, 990).map((lines) => lines.map((line) => ({ ...line, resources }))),
    });
    await larger.run();
    expect([...larger.objects.values()].map(({ text }) => readExport(text).length)).toEqual([1, 1, 1]);
  });

  it('finds its object after a crash before the cursor moved, and goes on behind it', async () => {
    const groups = sizes(1, 1);
    const { run, trouble, objects, cursors, write, numbers, reports } = scene({
      [organizationId]: groups.slice(0, 1),
    });
    trouble.dies = true;
    await expect(run()).rejects.toThrow('1 organizations failed');
    const [kept] = [...objects.values()];
    trouble.dies = false;
    reports.length = 0;
    write(organizationId, groups);
    await run();
    expect([...objects.values()][0]).toBe(kept);
    expect(cursors.get(organizationId)!.number).toBe(2);
    expect(numbers()).toEqual([1, 2]);
    expect(reports).toEqual([]);
  });

  it('walks along its objects when the cursor is lost', async () => {
    const groups = sizes(1, 1, 1);
    const { run, cursors, objects, write } = scene({ [organizationId]: groups.slice(0, 1) });
    await run();
    write(organizationId, groups.slice(0, 2));
    await run();
    cursors.clear();
    write(organizationId, groups);
    await run();
    expect([...objects.keys()]).toHaveLength(3);
    expect(cursors.get(organizationId)!.number).toBe(3);
  });

  it('exports the others when one cannot be, and fails in the end', async () => {
    const { run, trouble, numbers, reports } = scene({
      [organizationId]: sizes(1),
      org_other: of('org_other', sizes(1)),
    });
    trouble.broken.add(organizationId);
    await expect(run()).rejects.toThrow('1 organizations failed, 0 were not reached in time, 0 findings');
    expect([numbers(), numbers('org_other')]).toEqual([[], [1]]);
    expect(reports).toEqual([
      {
        message: 'the ledger of an organization was not exported',
        organization_id: organizationId,
        error: 'no',
      },
    ]);
    trouble.broken.clear();
    await run();
    expect(numbers()).toEqual([1]);
  });

  it('gives each organization its turn, ends in time, and says who has to wait', async () => {
    const many = Array.from({ length: 300 }, () => 1);
    const ids = ['org_a', 'org_b', 'org_c', 'org_d', 'org_e', 'org_f'];
    const all = scene(Object.fromEntries(ids.map((id) => [id, of(id, sizes(...many))])));
    all.trouble.each = 60_000;
    await expect(all.run(later + 7 * 60_000)).rejects.toThrow(
      /0 organizations failed, [3-6] were not reached/,
    );
    for (const id of ids) expect(all.numbers(id).length, id).toBeGreaterThanOrEqual(100);
    expect(all.objects.size).toBeLessThan(12);
    await all.run(later + 3600_000);
    for (const id of ids) expect(all.numbers(id)).toHaveLength(300);
  });

  it('leaves the cursor to another run that is ahead', async () => {
    const { run, cursors, objects, seals, trouble } = scene({ [organizationId]: sizes(1, 1) });
    await Promise.all([run(), run()]);
    expect(cursors.get(organizationId)!.hash).toBe(seals.get(organizationId)![1]!.hash);
    expect([objects.size, trouble.dies]).toEqual([1, false]);
  });
});

describe('a ledger that was touched before its export', () => {
  const found = (scene: { reports: Record<string, unknown>[] }) =>
    scene.reports.map(({ message: _, organization_id: __, ...finding }) => finding);

  it('is exported as it is, with what is wrong in the log, and the run fails once', async () => {
    const groups = sizes(2, 1, 1);
    const one = scene({ [organizationId]: groups });
    one.lines.delete(groups[0]![1]!.line_id + organizationId);
    const altered = { ...groups[1]![0]!, outcome: 'denied' as const };
    one.lines.set(altered.line_id + organizationId, altered);
    await expect(one.run()).rejects.toThrow('2 findings');
    expect(found(one)).toEqual([
      { kind: 'removed', seal: 1, line_ids: [groups[0]![1]!.line_id] },
      { kind: 'altered', seal: 2, line_ids: [altered.line_id] },
    ]);
    expect(one.exportedOf().map(({ lines }) => lines)).toEqual([
      [groups[0]![0], undefined],
      [altered],
      groups[2],
    ]);
    await one.run();
  });

  it('is told of where a seal is not there, and exported on', async () => {
    const one = scene({ [organizationId]: sizes(1, 1, 1) });
    one.seals.get(organizationId)!.splice(1, 1);
    await expect(one.run()).rejects.toThrow('2 findings');
    expect(found(one)).toMatchObject([
      { kind: 'chain', seal: 3, reason: 'it follows number 1' },
      { kind: 'chain', seal: 3 },
    ]);
    expect(one.numbers()).toEqual([1, 3]);
  });

  it('is told of each time while the seal that was exported last is gone, or is another', async () => {
    const groups = sizes(1, 1, 1);
    const one = scene({ [organizationId]: groups.slice(0, 2) });
    await one.run();
    const chain = one.seals.get(organizationId)!;
    one.seals.set(organizationId, chain.slice(0, 1));
    const gone = { kind: 'chain', seal: 2, reason: 'the seal that was exported last is not there' };
    for (let times = 1; times <= 2; times++) {
      await expect(one.run()).rejects.toThrow('1 findings');
      expect(found(one)).toEqual(Array.from({ length: times }, () => gone));
    }
    one.write(organizationId, groups.with(0, [sampleLine(99)]));
    one.reports.length = 0;
    await expect(one.run()).rejects.toThrow('2 findings');
    expect(found(one)).toMatchObject([gone, { kind: 'chain', seal: 3 }]);
    // The forged end is evidence too.
    expect(one.numbers()).toEqual([1, 2, 3]);
    await one.run();
  });

  it('does not follow an object that says it ends before it begins', async () => {
    const one = scene({ [organizationId]: sizes(1, 1) });
    await one.run();
    one.objects.set(`${organizationId}/000000000003.ndjson`, { text: '', last: { number: 1, hash: 'x' } });
    one.write(organizationId, sizes(1, 1, 1));
    await expect(one.run()).rejects.toThrow('1 organizations failed');
    expect(one.cursors.get(organizationId)!.number).toBe(2);
  });
});
