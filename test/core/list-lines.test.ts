import { describe, expect, it } from 'vitest';
import type { Line, ShownLine } from '../../lib/contract/ledger.ts';
import type { LineRange } from '../../lib/core/ledger-ports.ts';
import {
  listLines,
  listOrganizationLines,
  listOrganizationSeals,
  listSeals,
} from '../../lib/core/list-lines.ts';
import { noon, sampleLine, sealAll } from '../support/ledger-samples.ts';
import { inboxRef, organizationId } from '../support/mail-samples.ts';
import { plainTokens } from '../support/memory-ports.ts';
import { encodeTime } from 'ulid';

const dayMs = 86_400_000;
/** Line n of a day so many days before the sample day. */
const daysAgo = (days: number, n: number, more: Partial<Line> = {}): Line => {
  const time = noon - days * dayMs + n * 1000;
  const ulid = `${encodeTime(time, 10).toLowerCase()}${String(n).padStart(16, '0')}`;
  return sampleLine(n, { line_id: `lin_${ulid}`, time: new Date(time).toISOString(), ...more });
};

function scene(lines: Line[], createdDaysAgo = 100) {
  const reads: LineRange[] = [];
  const created_at = new Date(noon - createdDaysAgo * dayMs).toISOString();
  const deps = {
    lines: {
      read: async (range: LineRange) => {
        reads.push(range);
        const { day, from = '', to = '~', after, ascending, limit } = range;
        const id = ({ line_id }: Line) => line_id.slice(4);
        const found = lines
          .filter((line) => line.time.startsWith(day) && id(line) >= from && id(line) <= to)
          .sort((a, b) => (id(a) < id(b) === ascending ? -1 : 1))
          .filter((line) => after === undefined || (ascending ? id(line) > after : id(line) < after));
        const page = found.slice(0, limit);
        return {
          lines: page,
          examined: page.length,
          ...(page.length === limit && { last: id(page.at(-1)!) }),
        };
      },
    },
    persons: { reveal: async () => new Map([['c1', { field: 'source_ip' as const, value: '192.0.2.1' }]]) },
    seals: {
      list: async (id: string, { ascending }: { ascending: boolean }) => ({
        items: ascending && id !== 'org_none' ? sealAll([[sampleLine(1)], [sampleLine(2)]]) : [],
      }),
    },
    organizations: {
      get: async (id: string) =>
        id === organizationId ? ({ organization_id: id, created_at } as never) : undefined,
    },
    tokens: plainTokens,
    now: () => noon + 3600_000,
  };
  const ask = (query: object = {}, scope: object = { organization_id: organizationId }) =>
    listLines(deps)({ scope, query } as never);
  return { deps, reads, ask };
}

const idsOf = (lines: ShownLine[] | Line[]) => lines.map(({ line_id }) => line_id);

describe('a list of lines', () => {
  const lines = [daysAgo(0, 3), daysAgo(0, 2), daysAgo(1, 1), daysAgo(30, 1), daysAgo(90, 1)];

  it('goes back day by day to when the organization was made, in pages, each line once', async () => {
    for (const ascending of [false, true]) {
      for (const limit of [1, 2, 3, 50]) {
        const { ask, reads } = scene(lines);
        const seen: ShownLine[] = [];
        let page_token: string | undefined;
        do {
          const page = await ask({ limit, ascending, ...(page_token && { page_token }) });
          expect(page).toMatchObject({ count: page.lines.length, limit });
          seen.push(...page.lines);
          page_token = page.next_page_token;
          // Never more than 40 days a call.
          expect(new Set(reads.splice(0).map(({ day }) => day)).size).toBeLessThanOrEqual(41);
        } while (page_token !== undefined);
        expect(idsOf(seen)).toEqual(idsOf(ascending ? lines.toReversed() : lines));
      }
    }
  });

  it('keeps to what lies strictly between two times, and looks at no other day', async () => {
    const { ask, reads } = scene(lines);
    const between = { after: daysAgo(1, 1).time, before: daysAgo(0, 3).time };
    expect(idsOf((await ask(between)).lines)).toEqual(idsOf([daysAgo(0, 2)]));
    expect(new Set(reads.map(({ day }) => day))).toEqual(new Set(['2026-03-05', '2026-03-04']));
    expect((await ask({ after: between.before, before: between.after })).lines).toEqual([]);
  });

  it('shows only what its filters say, in the scope of the call', async () => {
    const inbox = { ...inboxRef(), pod_id: 'pod_1' };
    const mixed = [
      daysAgo(0, 9, { pod_id: 'pod_1', inbox_uid: inbox.uid, outcome: 'denied' }),
      daysAgo(0, 8, { pod_id: 'pod_1', action: 'pods.get', resources: ['x', 'y'] }),
      daysAgo(0, 7, { principal: { kind: 'key', api_key_id: 'key_2' } }),
    ];
    const { ask } = scene(mixed);
    const found = async (query: object, scope?: object) =>
      idsOf((await ask(query, scope)).lines).map((id) => mixed.findIndex(({ line_id }) => line_id === id));
    expect(await found({})).toEqual([0, 1, 2]);
    expect(await found({}, { organization_id: organizationId, pod_id: 'pod_1' })).toEqual([0, 1]);
    expect(await found({}, { organization_id: organizationId, pod_id: 'pod_1', inbox })).toEqual([0]);
    expect(await found({ outcome: 'denied' })).toEqual([0]);
    expect(await found({ action: 'pods.get' })).toEqual([1]);
    expect(await found({ resource: 'y' })).toEqual([1]);
    expect(await found({ api_key_id: 'key_2' })).toEqual([2]);
  });

  it('looks at 500 lines a page at most, and says where to go on', async () => {
    const many = Array.from({ length: 1200 }, (_, n) => daysAgo(0, n));
    const { ask } = scene([...many, daysAgo(1, 0, { action: 'rare' })]);
    const pages = [await ask({ action: 'rare' })];
    while (pages.at(-1)!.next_page_token !== undefined)
      pages.push(await ask({ action: 'rare', page_token: pages.at(-1)!.next_page_token }));
    expect(pages.slice(0, 2).map(({ lines: found }) => found)).toEqual([[], []]);
    expect(pages.flatMap(({ lines: found }) => found)).toHaveLength(1);
    expect(pages.length).toBeLessThan(6);
  });

  it('ends a page before it is too large for an answer', async () => {
    const resources = Array.from({ length: 500 }, (_, n) => `msg_${String(n).padStart(26, '0')}`);
    const { ask } = scene(Array.from({ length: 500 }, (_, n) => daysAgo(n % 100, n, { resources })));
    const page = await ask({ limit: 500 });
    expect(JSON.stringify(page).length).toBeLessThan(4_000_000);
    expect(page.next_page_token).toBeDefined();
  });

  it('joins what is still known of the person', async () => {
    const commitments = { source_ip: 'c1', user_arn: 'c2' };
    const { ask } = scene([
      daysAgo(0, 2, { commitments }),
      daysAgo(0, 1, { commitments: { user_arn: 'c1' } }),
    ]);
    expect((await ask()).lines.map(({ personal }) => personal)).toEqual([
      { source_ip: '192.0.2.1' },
      undefined,
    ]);
  });

  it('takes the token of no other list', async () => {
    const { ask } = scene(lines);
    const { next_page_token } = await ask({ limit: 1 });
    await expect(ask({ limit: 1, page_token: next_page_token, outcome: 'denied' })).rejects.toThrow(
      /page_token/,
    );
    await expect(
      ask({ limit: 1, page_token: next_page_token }, { organization_id: organizationId, pod_id: 'pod_1' }),
    ).rejects.toThrow(/page_token/);
  });
});

describe('the operator', () => {
  it('reads the ledger of any organization that is there', async () => {
    const { deps } = scene([daysAgo(0, 1)]);
    const path = { organization_id: organizationId };
    const none = { path: { organization_id: 'org_none' }, query: {} } as never;
    expect((await listOrganizationLines(deps)({ path, query: {} } as never)).lines).toHaveLength(1);
    const seals = await listOrganizationSeals(deps)({ path, query: {} } as never);
    expect(seals.seals.map(({ number }) => number)).toEqual([1, 2]);
    await expect(listOrganizationLines(deps)(none)).rejects.toMatchObject({ code: 'not_found' });
    await expect(listOrganizationSeals(deps)(none)).rejects.toMatchObject({ code: 'not_found' });
    const own = await listSeals(deps)({ scope: path, query: {} } as never);
    expect(own.count).toBe(2);
  });

  it('reads the ledger of one that was deleted, from its first seal on', async () => {
    const { deps } = scene([sampleLine(1)]);
    const gone = { path: { organization_id: 'org_gone' }, query: { ascending: true } } as never;
    expect((await listOrganizationLines(deps)(gone)).lines).toHaveLength(1);
    expect((await listOrganizationSeals(deps)(gone)).seals).toHaveLength(2);
  });
});
