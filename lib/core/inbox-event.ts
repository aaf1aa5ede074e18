import type { MailEvent } from '../contract/event.ts';
import type { NewUlid, StoredInbox } from './ports.ts';

/** What is announced of a change of an inbox, at the time of the change (ISO 8601). */
export const inboxEvent = (
  event_type: 'inbox.created' | 'inbox.updated',
  { organization_id, pod_id, inbox_id }: StoredInbox,
  timestamp: string,
  ulid: NewUlid,
): MailEvent => ({
  event_id: `evt_${ulid()}`,
  event_type,
  organization_id,
  pod_id,
  inbox_id,
  timestamp,
});
