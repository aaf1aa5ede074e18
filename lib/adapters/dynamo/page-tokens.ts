import type { PageTokens, Position } from '../../core/ports.ts';
import type { Database } from './client.ts';
import { sealedText } from './sealed-text.ts';

/** Positions in lists, sealed for one list each. */
export function pageTokens(database: Database): PageTokens {
  const sealed = sealedText(database, 'page-token');
  return {
    seal: (position, purpose) => sealed.seal(position, purpose),
    open: async (token, purpose) => (await sealed.open(token, purpose)) as Position | undefined,
  };
}
