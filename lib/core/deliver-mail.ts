import type { MailEvent } from '../contract/event.ts';
import type { Line } from '../contract/ledger.ts';
import type { InboxRef } from '../contract/principal.ts';
import { composeMessage, type Draft, type Mail } from './compose-message.ts';
import { defined } from './defined.ts';
import type { ParsedFile } from './mail.ts';
import type { Delivery, DeliveryStore, MailObjects, StoredMessage } from './mail-ports.ts';
import type { NewUlid, Now } from './ports.ts';
import { intakeOf, type Intake, type Room } from './room.ts';
import { newThread, withMessage, type ThreadState } from './thread-state.ts';
import { together } from './together.ts';

export interface DeliverDeps {
  deliveries: DeliveryStore;
  objects: MailObjects;
  now: Now;
  ulid: NewUlid;
  sha256: (text: string) => Uint8Array;
}

/** RFC 5322 sets no limit on References; the first ids name the thread's beginning, the last its newest mails. */
const keptAtEachEnd = 20;
/** One after the other, the 500 attachments a mail may have take most of the function's time, in each of its inboxes. */
const putsAtOnce = 10;
/** How often a delivery is tried again when the thread changes under it; each time one of its rivals has come through. */
const attempts = 20;

/**
 * Stores one mail in one inbox: objects first, then everything else in one transaction. `no_inbox`: it was taken
 * down meanwhile. `no_room`: the inbox or its organization is full, which is announced.
 */
export async function deliverMail(deps: DeliverDeps, mail: Mail): Promise<'stored' | 'no_inbox' | 'no_room'> {
  const { deliveries, objects } = deps;
  const { notice, parsed, inbox } = mail;
  const ids = threadIds(parsed);
  const known = {
    ses_id: notice.ses_id,
    rfc822_message_id: parsed.mail.message_id ?? '',
    digest: parsed.digest,
    ids,
  };
  const draft = composeMessage(mail, deps);
  let stored = false;
  const gone = async (): Promise<'no_inbox'> => {
    if (stored) await objects.removeAll(draft.message);
    return 'no_inbox';
  };
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const { delivered, refused, twin, threads, closed, room } = await deliveries.acquaint(inbox, known);
    if (refused) {
      // Whoever refused it may have put objects before, or have died before it removed them.
      await objects.removeAll(draft.message);
      return 'no_room';
    }
    if (delivered !== undefined) {
      // A copy has no objects of its own, but the same notice may have been at work here, and before.
      if (delivered !== draft.message.message_id) await objects.removeAll(draft.message);
      return 'stored';
    }
    if (closed) return gone();
    if (twin !== undefined) {
      if ((await deliveries.countDuplicate(inbox, { ses_id: notice.ses_id, of: twin })) === 'gone') continue;
      if (stored) await objects.removeAll(draft.message);
      return 'stored';
    }
    const intake = intakeOf(room, parsed.size);
    if (intake === 'full') {
      const event = refusedEvent(deps, mail, draft);
      if ((await deliveries.refuse({ inbox, ses_id: notice.ses_id, event })) === 'no_inbox') return gone();
      continue;
    }
    // The incoming object goes last: who finds it gone has been overtaken by the same notice, which did all this.
    if (!stored && (await storeObjects(deps, mail, draft)) === 'gone') return 'stored';
    stored = true;
    const delivery = await intoThread(deps, mail, draft, ids, threads);
    const outcome = await deliveries.append({ ...delivery, ...intoRoom(deps, delivery, room, intake) });
    if (outcome === 'added') return 'stored';
    if (outcome === 'no_inbox') return gone();
  }
  throw new Error(`the thread of ${draft.message.message_id} changed ${attempts} times while it was stored`);
}

/** How the mail goes into the room there is, and the warning where that becomes little. */
function intoRoom(
  { ulid, now }: DeliverDeps,
  { inbox, message }: Delivery,
  { stored_bytes }: Room,
  intake: Intake | 'unlimited',
): Pick<Delivery, 'intake' | 'warning'> {
  if (intake === 'unlimited') return {};
  if (intake.warning !== 'given') return { intake };
  const { organization_id, pod_id, inbox_id } = inbox;
  const warning: MailEvent = {
    event_id: `evt_${ulid()}`,
    event_type: 'inbox.storage_warning',
    ...{ organization_id, pod_id, inbox_id },
    timestamp: new Date(now()).toISOString(),
    stored_bytes: stored_bytes + message.size,
    storage_limit: intake.storage_limit,
  };
  return { intake, warning };
}

function refusedEvent({ ulid, now }: DeliverDeps, { inbox, parsed }: Mail, { message }: Draft): MailEvent {
  const { organization_id, pod_id, inbox_id } = inbox;
  return {
    event_id: `evt_${ulid()}`,
    event_type: 'message.refused',
    ...{ organization_id, pod_id, inbox_id },
    timestamp: new Date(now()).toISOString(),
    from: message.from,
    ...defined({ subject: message.subject?.slice(0, 500) }),
    labels: message.labels,
    size: parsed.size,
    reason: 'storage_limit',
  };
}

async function storeObjects(
  { objects, deliveries }: DeliverDeps,
  { notice, parsed }: Mail,
  draft: Draft,
): Promise<'stored' | 'gone'> {
  const { message, bodies, large } = draft;
  if ((await objects.keepRaw(notice.key, message)) === 'gone') return 'gone';
  const attachments = message.attachments ?? [];
  for (let at = 0; at < attachments.length; at += putsAtOnce) {
    const puts = attachments
      .slice(at, at + putsAtOnce)
      .map((attachment, n) =>
        objects.putAttachment(message, attachment, parsed.mail.attachments[at + n]!.path),
      );
    await together(puts);
  }
  if (large.length === 0 && (await deliveries.fitsRow(bodies))) {
    message.body = 'row';
    return 'stored';
  }
  await objects.putBodies(message, bodies, large);
  message.body = 'object';
  return 'stored';
}

/** The mail in the oldest thread that knows one of its ids, or in a new one. A deleted thread is not brought back. */
async function intoThread(
  deps: DeliverDeps,
  { notice, parsed, inbox }: Mail,
  draft: Draft,
  ids: string[],
  known: Map<string, string>,
): Promise<Delivery> {
  const named = [...new Set(known.values())];
  const found = named.length === 0 ? [] : await deps.deliveries.threads(inbox, named);
  const threads = new Map(
    found
      .filter(({ deleting }) => deleting !== true)
      .map((thread): [string, ThreadState] => [thread.thread_id, thread]),
  );
  const before = threads.get([...threads.keys()].sort()[0] ?? '');
  const message = { ...draft.message, thread_id: before?.thread_id ?? draft.message.thread_id };
  return {
    inbox,
    ses_id: notice.ses_id,
    digest: parsed.digest,
    message,
    ...(message.body === 'row' && { bodies: draft.bodies }),
    ...(before !== undefined && { before }),
    after: withMessage(before ?? newThread(message), message, message.created_at),
    // An id keeps leading to the thread it led to, as long as that thread is there.
    leads: ids
      .filter((id) => !threads.has(known.get(id) ?? ''))
      .map((id) => ({ id, ...defined({ was: known.get(id) }) })),
    line: receivedLine(deps, notice.ses_id, message, inbox),
    event: {
      event_id: `evt_${deps.ulid()}`,
      event_type: draft.event_type,
      organization_id: inbox.organization_id,
      pod_id: inbox.pod_id,
      inbox_id: inbox.inbox_id,
      thread_id: message.thread_id,
      message_id: message.message_id,
      timestamp: message.timestamp,
      labels: message.labels,
      from: message.from,
      to: message.to.slice(0, 20),
      ...defined({ subject: message.subject?.slice(0, 500) }),
    },
  };
}

/** What the ledger says of a mail that came: nobody called, the system took it in. */
function receivedLine(
  { now, ulid }: DeliverDeps,
  sesId: string,
  { message_id, thread_id }: StoredMessage,
  inbox: InboxRef,
): Line {
  const time = now();
  return {
    line_id: `lin_${ulid(time)}`,
    time: new Date(time).toISOString(),
    organization_id: inbox.organization_id,
    pod_id: inbox.pod_id,
    inbox_uid: inbox.uid,
    principal: { kind: 'system' },
    action: 'messages.receive',
    resources: [message_id, thread_id],
    outcome: 'allowed',
    request_id: sesId,
  };
}

/**
 * Every id that ties this mail to others, the most telling first: its own, the mail a delivery report is about, the
 * one it answers, then those it refers to from the newest back.
 */
function threadIds({ mail }: ParsedFile): string[] {
  const references = [...new Set(mail.references ?? [])].reverse();
  const kept =
    references.length <= 2 * keptAtEachEnd
      ? references
      : [...references.slice(0, keptAtEachEnd), ...references.slice(-keptAtEachEnd)];
  return [
    ...new Set(
      [mail.message_id, mail.reported_message_id, mail.in_reply_to, ...kept].filter((id) => id !== undefined),
    ),
  ];
}
