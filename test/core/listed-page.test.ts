import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listedPage } from '../../lib/core/listed-page.ts';
import type { WalkPosition } from '../../lib/core/walk-lists.ts';
import { ulidAt } from '../support/mail-samples.ts';
import { plainTokens } from '../support/memory-ports.ts';

interface Row {
  n: number;
}

/** A list of rows by number; `missing` have an entry and no row. Counts what a page looks at. */
function listOf(rows: number[], missing: number[], wanted: (n: number) => boolean, filtered: boolean) {
  const looked = { rows: 0 };
  return {
    looked,
    source: {
      filtered,
      entries: async (start: WalkPosition | undefined, ascending: boolean, limit: number) => {
        const order = ascending ? rows : rows.toReversed();
        const at = start?.after === undefined ? 0 : order.findIndex((n) => ulidAt(n) === start.after) + 1;
        const page = order
          .slice(at, at + limit)
          .map((n) => ({ ulid: ulidAt(n), thread_id: String(n), hidden: [] }));
        return { entries: page, ...(at + limit < order.length && { next: { after: page.at(-1)!.ulid } }) };
      },
      rows: async (entries: { thread_id: string }[]) => {
        looked.rows += entries.length;
        return entries.map(({ thread_id }) =>
          missing.includes(Number(thread_id)) ? undefined : { n: Number(thread_id) },
        );
      },
      matches: (row: Row) => wanted(row.n),
    },
  };
}

const page = (
  { source }: { source: Parameters<typeof listedPage<Row>>[2] },
  asked: { limit?: number; ascending?: boolean; page_token?: string },
  purpose = 'p',
) => listedPage<Row>(plainTokens, { ...asked, purpose: [purpose] }, source);

describe('pages of a list', () => {
  it('give every row that matches once, with or without a filter', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1500),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 400 }),
        fc.array(fc.nat(1500), { maxLength: 5 }),
        fc.boolean(),
        async (size, limit, every, missing, ascending) => {
          const rows = Array.from({ length: size }, (_, n) => n);
          const list = listOf(rows, missing, (n) => n % every === 0, every > 1);
          const found: number[] = [];
          let token: string | undefined;
          do {
            list.looked.rows = 0;
            const {
              items,
              next_page_token,
              count,
              limit: said,
            } = await page(list, { limit, ascending, ...(token !== undefined && { page_token: token }) });
            expect(count).toBe(items.length);
            expect(said).toBe(limit);
            expect(items.length).toBeLessThanOrEqual(limit);
            expect(list.looked.rows).toBeLessThanOrEqual(600);
            found.push(...items.map(({ n }) => n));
            expect(next_page_token).not.toBe(token ?? '');
            token = next_page_token;
          } while (token !== undefined);
          const wanted = rows.filter((n) => n % every === 0 && !missing.includes(n));
          expect(found).toEqual(ascending ? wanted : wanted.reverse());
        },
      ),
      { numRuns: 200 },
    );
  });

  it('read no more rows than they hold where nothing filters', async () => {
    const list = listOf(
      Array.from({ length: 300 }, (_, n) => n),
      [],
      () => true,
      false,
    );
    await page(list, { limit: 10 });
    expect(list.looked.rows).toBe(10);
  });

  it('have no token at the end, and the default size', async () => {
    const list = listOf([1, 2, 3], [], () => true, false);
    expect(await page(list, {})).toEqual({ items: [{ n: 3 }, { n: 2 }, { n: 1 }], count: 3, limit: 50 });
    expect(await page(list, { limit: 3 })).not.toHaveProperty('next_page_token');
  });

  it('take no token of another list or direction', async () => {
    const list = listOf([1, 2, 3], [], () => true, false);
    const { next_page_token } = await page(list, { limit: 1 });
    const again = { limit: 2, page_token: next_page_token! };
    await expect(page(list, again)).resolves.toMatchObject({ items: [{ n: 2 }, { n: 1 }] });
    await expect(page(list, again, 'other')).rejects.toMatchObject({ code: 'validation_error' });
    await expect(page(list, { ...again, ascending: true })).rejects.toMatchObject({
      code: 'validation_error',
    });
  });

  it('end early when a walk used up its queries', async () => {
    const list = listOf([1, 2, 3], [], () => true, true);
    const spent = {
      ...list,
      source: { ...list.source, entries: async () => ({ entries: [], next: { at: ulidAt(2) } }) },
    };
    await expect(page(spent, {})).resolves.toMatchObject({
      items: [],
      count: 0,
      next_page_token: expect.any(String) as string,
    });
  });
});
