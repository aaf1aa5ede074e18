import { defaultPage } from '../contract/page.ts';
import { Problem } from '../contract/problem.ts';
import type { Page, PageRequest, PageTokens, Position } from './ports.ts';

interface Asked {
  limit?: number | undefined;
  page_token?: string | undefined;
  ascending?: boolean | undefined;
}

/** The page a query asks for. `purpose` names the list: a token of one list opens no other. */
export async function pageRequest(tokens: PageTokens, query: Asked, purpose: string): Promise<PageRequest> {
  const page = { limit: query.limit ?? defaultPage, ascending: query.ascending ?? false };
  if (query.page_token === undefined) return page;
  const after = await tokens.open(query.page_token, boundTo(purpose, page));
  if (after === undefined) {
    const message = 'page_token is not one that this list gave';
    const fix =
      'Repeat the call with the same filters and the next_page_token of the last answer, or without page_token.';
    throw new Problem('validation_error', message, {
      fix,
      errors: [{ code: 'custom', path: ['page_token'], message }],
    });
  }
  return { ...page, after };
}

/** The members of a list answer that say where it stands. */
export async function pageAnswer(
  tokens: PageTokens,
  page: PageRequest,
  found: Page<unknown>,
  purpose: string,
) {
  return {
    count: found.items.length,
    limit: page.limit,
    ...(found.next !== undefined && {
      next_page_token: await tokens.seal(found.next, boundTo(purpose, page)),
    }),
  };
}

/** The direction belongs to the list; the size of a page may change on the way. */
const boundTo = (purpose: string, { ascending }: { ascending: boolean }): string =>
  `${purpose} ${ascending ? 'asc' : 'desc'}`;

/** Names a list by its parts, such as the organization, the route and the filters. */
export const purposeOf = (...parts: unknown[]): string => JSON.stringify(parts);

export type { Position };
