import type { MailEvent } from '../contract/event.ts';
import { takeDown, type TakeDownDeps } from './delete-inbox.ts';
import { operatorInboxUid } from './operator-mailroom.ts';
import type { StoredInbox } from './ports.ts';
import type { DueWorks } from './run-due.ts';
import { systemDeed } from './system-deed.ts';

/** Port: the end of an inbox, announced. */
export interface ExpiryStore {
  /** One transaction, once for each end of an inbox; nothing where it ends at another time by now. */
  announce(inbox: StoredInbox & { expires_at: string }, event: MailEvent): Promise<void>;
}

export interface ExpiryDeps extends TakeDownDeps {
  expiry: ExpiryStore;
}

/** Inboxes with an end: announced before it, taken down at it. Each may be repeated. */
export function expireInboxes(deps: ExpiryDeps): Pick<DueWorks, 'announce-expiry' | 'expire-inbox'> {
  const { inboxes, expiry, now, ulid } = deps;
  return {
    'announce-expiry': async ({ organization_id, uid, expires_at }) => {
      const inbox = await inboxes.get({ organization_id, uid });
      if (inbox === undefined || inbox.expires_at !== expires_at) return;
      const { pod_id, inbox_id } = inbox;
      await expiry.announce(
        { ...inbox, expires_at },
        {
          event_id: `evt_${ulid()}`,
          event_type: 'inbox.expiring',
          ...{ organization_id, pod_id, inbox_id },
          timestamp: new Date(now()).toISOString(),
          expires_at,
        },
      );
    },
    'expire-inbox': async ({ organization_id, uid, expires_at }) => {
      if (uid === operatorInboxUid) return;
      const deed = systemDeed(deps, { action: 'inboxes.expire', organization_id });
      await takeDown(deps, { organization_id, uid }, { reason: 'expired', expires_at, deed });
    },
  };
}
