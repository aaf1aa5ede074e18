import type { UseCase } from '../contract/call.ts';
import type { UndeliverableStore } from './mail-ports.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { PageTokens } from './ports.ts';

/** Mail nobody has an address for, newest first; rows stay for 30 days. */
export const listUndeliverable =
  ({
    undeliverable,
    tokens,
  }: {
    undeliverable: UndeliverableStore;
    tokens: PageTokens;
  }): UseCase<'operator.undeliverable.list'> =>
  async ({ query }) => {
    const purpose = purposeOf('operator.undeliverable');
    const page = await pageRequest(tokens, query, purpose);
    const found = await undeliverable.list(page);
    return { ...(await pageAnswer(tokens, page, found, purpose)), undeliverable: found.items };
  };
