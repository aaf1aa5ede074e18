import type { UseCase } from '../contract/call.ts';
import type { Metadata, UpdateInbox } from '../contract/inbox.ts';
import { Problem, notFound } from '../contract/problem.ts';
import { defined } from './defined.ts';
import { inboxEvent } from './inbox-event.ts';
import { checkMayChange, lifetimeOf, withWaiting } from './inbox-lifetime.ts';
import { laterThan } from './later-than.ts';
import { operatorInboxUid } from './operator-mailroom.ts';
import type { InboxStore, NewUlid, Now, StoredInbox } from './ports.ts';
import { toInbox } from './read-inboxes.ts';

/** Somebody else may change the inbox in between; then the change is made again upon theirs, this often at most. */
const attempts = 30;

/**
 * Changes the display name, merges metadata (a key with null goes, `metadata: null` clears all), and sets what ends the
 * inbox or its mail.
 */
export const updateInbox =
  ({
    inboxes,
    now,
    ulid,
    expiryNoticeMinutes,
  }: {
    inboxes: InboxStore;
    now: Now;
    ulid: NewUlid;
    expiryNoticeMinutes: number;
  }): UseCase<'inboxes.update' | 'pods.inboxes.update'> =>
  async ({ principal, scope, body, deed }) => {
    const inbox = scope.inbox!;
    checkMayChange(principal, body);
    if (inbox.uid === operatorInboxUid && body.expires_at != null)
      throw new Problem('cannot_delete', 'RFC 5321 wants every domain to have a postmaster', {
        fix: 'Leave expires_at out.',
      });
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const current = await inboxes.get(inbox);
      if (current === undefined) throw notFound('Inbox');
      const time = now();
      const { inbox: changed, due } = withWaiting(change(current, body, time), body, {
        ...{ now: time, expiryNoticeMinutes },
      });
      const event = inboxEvent('inbox.updated', changed, changed.updated_at, ulid);
      const outcome = await inboxes.update(changed, current.updated_at, deed, event, due);
      if (outcome === 'updated') return toInbox(changed);
      if (outcome === 'gone') throw notFound('Inbox');
    }
    throw new Problem('race_condition', 'the inbox is being changed by others', { fix: 'Repeat the call.' });
  };

function change(current: StoredInbox, body: UpdateInbox, now: number): StoredInbox {
  const {
    display_name: oldName,
    metadata: oldMetadata,
    expires_at,
    retention_days,
    archive_retention_days,
    storage_limit,
    ...rest
  } = current;
  const display_name = body.display_name === undefined ? oldName : (body.display_name ?? undefined);
  const metadata = mergeMetadata(oldMetadata, body.metadata);
  return {
    ...rest,
    ...(display_name !== undefined && { display_name }),
    ...(metadata !== undefined && { metadata }),
    ...lifetimeOf(defined({ expires_at, retention_days, archive_retention_days, storage_limit }), body, now),
    updated_at: laterThan(current.updated_at, now),
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
