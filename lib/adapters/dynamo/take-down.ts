import type { Takedown } from '../../core/ports.ts';
import { quarantineWrite } from './address-rows.ts';
import { archiveRow } from './archive-rows.ts';
import { dueWrite } from './due-store.ts';
import { eventRow } from './event-rows.ts';
import { clientIdKey, inboxKey, organizationKey, podKey } from './keys.ts';
import { firstWatchMs, removalRow, watchOf } from './removal-rows.ts';
import type { Write } from './transaction.ts';

/**
 * The rows of one takedown:
 *
 * | row               | change                                                            |
 * |-------------------|-------------------------------------------------------------------|
 * | inbox             | deleted, if it is there; whoever stores mail in it checks that    |
 * | address           | quarantined; keys of the inbox open nothing any more              |
 * | organization, pod | one inbox less                                                    |
 * | client id         | deleted: a repeat of the create makes a new inbox                 |
 * | archive           | what the mail goes into first, if it was asked for                |
 * | removal           | the work that is left, and a look at it in half an hour           |
 * | event             | `inbox.deleted`; it stays in the log of the inbox for its 30 days |
 */
export function takeDownWrites(down: Takedown): Write<'gone'>[] {
  const { inbox, at, event, removal, archive } = down;
  const { organization_id, pod_id, client_id } = inbox;
  const time = Date.parse(at);
  const oneLess = { condition: 'attribute_exists(pk)', otherwise: 'gone' as const };
  return [
    {
      delete: inboxKey(inbox),
      ...(down.expires_at === undefined
        ? { condition: 'attribute_exists(pk)' }
        : { condition: 'expires_at = :end', values: { ':end': down.expires_at } }),
      otherwise: 'gone',
    },
    quarantineWrite(down, 'gone'),
    {
      update: organizationKey(organization_id),
      set: 'SET inbox_count = inbox_count - :one, updated_at = :at',
      values: { ':one': 1, ':at': at },
      ...oneLess,
    },
    {
      update: podKey(organization_id, pod_id),
      set: 'SET inbox_count = inbox_count - :one',
      values: { ':one': 1 },
      ...oneLess,
    },
    ...(client_id === undefined ? [] : [{ delete: clientIdKey(organization_id, 'inbox', client_id) }]),
    ...(archive === undefined ? [] : [{ put: archiveRow(archive) }]),
    { put: removalRow(removal) },
    dueWrite(watchOf(removal), time + firstWatchMs),
    ...(down.due ?? []).map(({ work, at: when }) => dueWrite(work, when)),
    { put: eventRow(inbox, event, Math.floor(time / 1000)) },
  ];
}
