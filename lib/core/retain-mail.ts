import { about } from '../contract/call.ts';
import { changeThread, type ChangeDeps } from './change-messages.ts';
import { deletionOf } from './delete-message.ts';
import type { DueStore, DueWork } from './due-ports.ts';
import type { ListedEntry } from './mail-ports.ts';
import type { InboxStore, OrganizationStore, Position, StoredInbox } from './ports.ts';
import { between } from './read-messages.ts';
import type { DueWorks } from './run-due.ts';
import { nextRetention } from './standing-work.ts';
import { systemDeed } from './system-deed.ts';

export interface RetainDeps extends ChangeDeps {
  inboxes: Pick<InboxStore, 'get' | 'list'>;
  organizations: Pick<OrganizationStore, 'get'>;
  due: Pick<DueStore, 'file'>;
}

/** A message that cannot be deleted holds up no other; it is told of in the end. */
type Step = RetainDeps & { failures: unknown[] };
type RetainMail = Extract<DueWork, { kind: 'retain-mail' }>;

const dayMs = 24 * 3600_000;
const minuteMs = 60_000;
/** Messages that one minute deletes for an organization or inbox: other work waits behind it. */
const messagesAtOnce = 250;
/** Inboxes that one minute looks into, and how many of them one query names. */
const inboxesAtOnce = 1000;
const inboxesInPage = 100;
/** Messages that one query of a list names. */
const chunk = 50;

/**
 * Deletes what is older than it is kept, as if each message were deleted by a call: once a day, in steps of a minute
 * where there is much. Whatever comes of it, the next turn is filed before this one is done, so that it goes on for as
 * long as a retention is set, and no longer.
 */
export function retainMail(given: RetainDeps): Pick<DueWorks, 'retain-mail'> {
  return {
    'retain-mail': async (work) => {
      const { organization_id, uid } = work;
      const deps: Step = { ...given, failures: [] };
      const rest =
        uid === undefined ? await ofOrganization(deps, work) : await ofInbox(deps, { organization_id, uid });
      if (rest === 'over') return;
      const now = deps.now();
      await deps.due.file(
        rest === undefined
          ? nextRetention(organization_id, uid, now)
          : { work: { ...work, ...rest }, at: now + minuteMs },
      );
      const [cause] = deps.failures;
      if (deps.failures.length > 0)
        throw new Error(`${deps.failures.length} messages that are too old could not be deleted`, { cause });
    },
  };
}

/** `over`: there is nothing to keep to any more. Otherwise what is left for the next minute, if anything is. */
type Rest = 'over' | { after?: Position } | undefined;

async function ofInbox(deps: Step, owner: { organization_id: string; uid: string }): Promise<Rest> {
  const inbox = await deps.inboxes.get(owner);
  if (inbox?.retention_days === undefined) return 'over';
  const deleted = await deleteOld(deps, inbox, inbox.retention_days, messagesAtOnce);
  return deleted < messagesAtOnce ? undefined : {};
}

async function ofOrganization(deps: Step, { organization_id, after }: RetainMail): Promise<Rest> {
  const organization = await deps.organizations.get(organization_id);
  if (organization?.retention_days === undefined || organization.state === 'deleting') return 'over';
  let [room, position] = [messagesAtOnce, after];
  for (let seen = 0; seen < inboxesAtOnce; seen += inboxesInPage) {
    const page = { limit: inboxesInPage, ascending: true, ...(position && { after: position }) };
    const { items, next } = await deps.inboxes.list({ organization_id }, page);
    for (const inbox of items) {
      if (inbox.retention_days !== undefined) continue;
      room -= await deleteOld(deps, inbox, organization.retention_days, room);
      // The page is looked through again from its beginning: what is deleted is not there any more.
      if (room <= 0) return position === undefined ? {} : { after: position };
    }
    if (next === undefined) return undefined;
    position = next;
  }
  return position === undefined ? undefined : { after: position };
}

/** Deletes at most so many of the messages that are too old, visible or hidden, the oldest first; answers how many. */
async function deleteOld(deps: Step, inbox: StoredInbox, days: number, most: number): Promise<number> {
  const before = new Date(deps.now() - days * dayMs).toISOString();
  let deleted = 0;
  for (const half of ['messages', 'hidden-messages'] as const) {
    for (let after: string | undefined; deleted < most;) {
      const limit = Math.min(chunk, most - deleted);
      const stretch = {
        ...between({ before }),
        ascending: true,
        limit,
        ...(after !== undefined && { after }),
      };
      const { entries, more } = await deps.mailbox.entries(inbox, { of: half }, stretch);
      for (const entry of entries) if (await deleteOne(deps, inbox, entry)) deleted++;
      after = entries.at(-1)?.ulid;
      if (!more || after === undefined) break;
    }
  }
  return deleted;
}

async function deleteOne(
  deps: Step,
  inbox: StoredInbox,
  { message_id, thread_id }: ListedEntry,
): Promise<boolean> {
  const { organization_id, pod_id, uid: inbox_uid } = inbox;
  const deed = systemDeed(deps, { action: 'messages.retain', organization_id, pod_id, inbox_uid });
  about(deed, [message_id!, thread_id]);
  try {
    const plan = deletionOf(deps, inbox, message_id!);
    return (await changeThread(deps, inbox, thread_id, plan, deed)) !== undefined;
  } catch (error) {
    deps.failures.push(error);
    return false;
  }
}
