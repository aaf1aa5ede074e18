import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { ListedEntry } from './mail-ports.ts';
import type { PageTokens } from './ports.ts';
import type { WalkPosition } from './walk-lists.ts';

interface Asked {
  limit?: number | undefined;
  page_token?: string | undefined;
  ascending?: boolean | undefined;
  /** What the list is of: a token of one opens no other. */
  purpose: unknown[];
}

interface Source<Row> {
  entries(
    start: WalkPosition | undefined,
    ascending: boolean,
    limit: number,
  ): Promise<{ entries: ListedEntry[]; next?: WalkPosition }>;
  rows(entries: ListedEntry[]): Promise<(Row | undefined)[]>;
  matches(row: Row): boolean;
  /** Whether `matches` can say no: then more entries are read than the page holds. */
  filtered: boolean;
}

/** Rows one page of a filtered list looks at, at most; then it ends early, with a token to go on. */
const maxExamined = 500;

/** One page of a list: entries first, then their rows, then what the filter leaves of them. */
export async function listedPage<Row>(tokens: PageTokens, asked: Asked, source: Source<Row>) {
  const purpose = purposeOf(...asked.purpose);
  const page = await pageRequest(tokens, asked, purpose);
  const items: Row[] = [];
  let start = page.after as WalkPosition | undefined;
  for (let examined = 0; ;) {
    const step = source.filtered ? 100 : page.limit;
    const { entries, next } = await source.entries(start, page.ascending, step);
    const rows = await source.rows(entries);
    for (const [at, row] of rows.entries()) {
      if (row === undefined || !source.matches(row)) continue;
      items.push(row);
      if (items.length === page.limit && (at < rows.length - 1 || next !== undefined)) {
        return finish(tokens, page, purpose, items, { after: entries[at]!.ulid });
      }
    }
    examined += entries.length;
    // A walk that gave no full step has used up its queries: the rest is for the next page.
    const spent = next === undefined || next.at !== undefined || examined >= maxExamined;
    if (spent || !source.filtered) return finish(tokens, page, purpose, items, next);
    start = next;
  }
}

async function finish<Row>(
  tokens: PageTokens,
  page: { limit: number; ascending: boolean },
  purpose: string,
  items: Row[],
  next: WalkPosition | undefined,
) {
  const found = { items, ...(next !== undefined && { next: next as Record<string, unknown> }) };
  return { ...(await pageAnswer(tokens, page, found, purpose)), items };
}
