import type { UseCase } from '../contract/call.ts';
import type { Metadata, UpdateInbox } from '../contract/inbox.ts';
import { Problem, notFound } from '../contract/problem.ts';
import type { InboxStore, Now, StoredInbox } from './ports.ts';
import { toInbox } from './read-inboxes.ts';

/** Somebody else may change the inbox in between; then the change is made again upon theirs, this often at most. */
const attempts = 30;

/** Changes the display name and merges metadata: a key with null goes, `metadata: null` clears all. */
export const updateInbox =
  ({ inboxes, now }: { inboxes: InboxStore; now: Now }): UseCase<'inboxes.update' | 'pods.inboxes.update'> =>
  async ({ scope, body, deed }) => {
    const inbox = scope.inbox!;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const current = await inboxes.get(inbox);
      if (current === undefined) throw notFound('Inbox');
      const changed = change(current, body, new Date(now()).toISOString());
      const outcome = await inboxes.update(changed, current.updated_at, deed);
      if (outcome === 'updated') return toInbox(changed);
      if (outcome === 'gone') throw notFound('Inbox');
    }
    throw new Problem('race_condition', 'the inbox is being changed by others', { fix: 'Repeat the call.' });
  };

function change(current: StoredInbox, body: UpdateInbox, updated_at: string): StoredInbox {
  const { display_name: oldName, metadata: oldMetadata, ...rest } = current;
  const display_name = body.display_name === undefined ? oldName : (body.display_name ?? undefined);
  const metadata = mergeMetadata(oldMetadata, body.metadata);
  return {
    ...rest,
    ...(display_name !== undefined && { display_name }),
    ...(metadata !== undefined && { metadata }),
    // Two changes within one millisecond still differ, since the time is what tells them apart.
    updated_at:
      updated_at > current.updated_at
        ? updated_at
        : new Date(Date.parse(current.updated_at) + 1).toISOString(),
  };
}

function mergeMetadata(current: Metadata | undefined, update: UpdateInbox['metadata']): Metadata | undefined {
  if (update === undefined) return current;
  if (update === null) return undefined;
  const merged = Object.entries({ ...current, ...update }).filter(
    (entry): entry is [string, string | number | boolean] => entry[1] !== null,
  );
  if (merged.length > 256)
    throw new Problem('validation_error', 'metadata may have at most 256 keys', {
      fix: 'Remove keys by giving them null.',
      errors: [{ code: 'custom', path: ['metadata'], message: 'at most 256 keys' }],
    });
  return merged.length === 0 ? undefined : Object.fromEntries(merged);
}
