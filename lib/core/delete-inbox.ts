import { about, type Deed, type UseCase } from '../contract/call.ts';
import type { MailEvent } from '../contract/event.ts';
import { may } from '../contract/principal.ts';
import { notFound, Problem } from '../contract/problem.ts';
import { newArchive } from './archives.ts';
import { operatorInboxUid } from './operator-mailroom.ts';
import type { InboxStore, NewUlid, Now } from './ports.ts';
import { newRemoval } from './removal.ts';
import { withdrawalOf } from './standing-work.ts';

export interface TakeDownDeps {
  inboxes: Pick<InboxStore, 'get' | 'takeDown'>;
  now: Now;
  ulid: NewUlid;
  /** How long the address is nobody else's, in days. */
  quarantineDays: number;
}

export interface TakeDownOrder {
  reason: 'deleted' | 'expired' | 'organization_deleted';
  /** The mail goes into this archive first. */
  archive_id?: string;
  /** Only while the inbox ends at this time; it is as good as gone otherwise. */
  expires_at?: string;
  deed: Deed;
}

const dayMs = 24 * 3600_000;

/**
 * Takes an inbox down in one transaction: from then on it accepts no mail, its keys open nothing, its webhooks hear
 * nothing, and its address rests. What it leaves is removed by background work.
 */
export async function takeDown(
  { inboxes, now, ulid, quarantineDays }: TakeDownDeps,
  owner: { organization_id: string; uid: string },
  { reason, archive_id, expires_at, deed }: TakeDownOrder,
): Promise<'taken_down' | 'gone'> {
  const inbox = await inboxes.get(owner);
  if (inbox === undefined || (expires_at !== undefined && inbox.expires_at !== expires_at)) return 'gone';
  const { organization_id, pod_id, inbox_id, uid } = inbox;
  const time = now();
  const at = new Date(time).toISOString();
  const event: MailEvent = {
    event_id: `evt_${ulid(time)}`,
    event_type: 'inbox.deleted',
    ...{ organization_id, pod_id, inbox_id },
    timestamp: at,
    reason,
    ...(archive_id !== undefined && { archive_id }),
  };
  about(deed, [uid, ...(archive_id === undefined ? [] : [archive_id])], {
    ...{ uid, inbox_id, organization_id, pod_id },
  });
  return inboxes.takeDown({
    inbox,
    at,
    until: new Date(time + quarantineDays * dayMs).toISOString(),
    event,
    removal: newRemoval(time, {
      organization_id,
      what: uid,
      inbox: { uid, inbox_id, organization_id, pod_id },
      ...(archive_id !== undefined && { archive_id }),
    }),
    ...(archive_id !== undefined && { archive: newArchive(inbox, archive_id, at) }),
    ...(expires_at !== undefined && { expires_at }),
    due: withdrawalOf(inbox, time),
    deed,
  });
}

/** Takes an inbox down because its owner says so. */
export const deleteInbox =
  (deps: TakeDownDeps): UseCase<'inboxes.delete' | 'pods.inboxes.delete'> =>
  async ({ scope, query, principal, deed }) => {
    const inbox = scope.inbox!;
    if (inbox.uid === operatorInboxUid)
      throw new Problem('cannot_delete', 'RFC 5321 wants every domain to have a postmaster', {
        fix: 'Leave this inbox as it is.',
      });
    const archive_id = query.messages === 'archive' ? `arc_${deps.ulid()}` : undefined;
    if (archive_id !== undefined && !may(principal, 'message_read'))
      throw new Problem('missing_permission', 'this key does not have the permission message_read', {
        fix: 'Use a key with message_read, or delete the inbox without an archive.',
      });
    const order = { reason: 'deleted' as const, ...(archive_id !== undefined && { archive_id }), deed };
    if ((await takeDown(deps, inbox, order)) === 'gone') throw notFound('Inbox');
    return archive_id === undefined ? undefined : { archive_id, pending: true };
  };
