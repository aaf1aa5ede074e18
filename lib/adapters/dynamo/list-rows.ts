import { difference, type ListEntry } from '../../core/message-lists.ts';
import { rowVersion } from './client.ts';
import { listKey, type Owner } from './keys.ts';
import type { Write } from './transaction.ts';

/** The writes that bring the list rows of one message or thread from `before` to `after`. */
export function entryWrites(
  owner: Owner,
  before: ListEntry[],
  after: ListEntry[],
  target: { message_id?: string; thread_id: string },
): Write<never>[] {
  const { put, remove } = difference(before, after);
  return [
    ...remove.map(({ list, ulid }) => ({ delete: listKey(owner, list, ulid) })),
    ...put.map(({ list, ulid, hidden }) => ({
      put: { ...listKey(owner, list, ulid), v: rowVersion, ...target, ...(hidden.length > 0 && { hidden }) },
    })),
  ];
}
