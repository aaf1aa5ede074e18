import type { Attachment } from '../contract/message.ts';
import type { Notice } from '../contract/notice.ts';
import type { InboxRef } from '../contract/principal.ts';
import type { EventType } from '../contract/webhook.ts';
import type { Recipient } from './address.ts';
import type { ParsedFile } from './mail.ts';
import type { Bodies, Delivery, DeliveryStore, MailObjects, StoredMessage } from './mail-ports.ts';
import { attachmentId, receivedUlid } from './message-id.ts';
import type { NewUlid, Now } from './ports.ts';
import { newThread, withMessage, type ThreadState } from './thread-state.ts';
import { authenticationOf, judge } from './verdict-labels.ts';

export interface DeliverDeps {
  deliveries: DeliveryStore;
  objects: MailObjects;
  now: Now;
  ulid: NewUlid;
  sha256: (text: string) => Uint8Array;
}

export interface Mail {
  notice: Notice;
  parsed: ParsedFile;
  inbox: InboxRef;
  recipients: Recipient[];
}

/** RFC 5322 sets no limit on References; the first ids name the thread's beginning, the last its newest mails. */
const keptAtEachEnd = 20;
/** Bodies over this many bytes leave the answer and get a URL. */
export const largeBody = 1_000_000;
/** What a text takes in a JSON answer, where a control character is six bytes. */
export const answerBytes = (text: string | undefined): number => Buffer.byteLength(JSON.stringify(text ?? ''));
/** How often a delivery is tried again when the thread changes under it. */
const attempts = 12;

/** Stores one mail in one inbox: objects first, then everything else in one transaction. */
export async function deliverMail(deps: DeliverDeps, mail: Mail): Promise<void> {
  const { deliveries } = deps;
  const { notice, parsed, inbox } = mail;
  const references = threadIds(parsed);
  const rfc822_message_id = parsed.mail.message_id ?? '';
  const known = { ses_id: notice.ses_id, rfc822_message_id, digest: parsed.digest, ids: references };
  const draft = compose(deps, mail);
  let stored = false;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const acquaintance = await deliveries.acquaint(inbox, known);
    if (acquaintance.delivered) return;
    if (acquaintance.twin !== undefined) {
      if (stored) await deps.objects.removeAll(draft.message);
      return deliveries.countDuplicate(inbox, { ses_id: notice.ses_id, of: acquaintance.twin });
    }
    if (!stored) await storeObjects(deps, mail, draft);
    stored = true;
    const outcome = await deliveries.append(await intoThread(deps, mail, draft, references, acquaintance.threads));
    if (outcome === 'added' || outcome === 'delivered') return;
    if (outcome === 'no_inbox') return deps.objects.removeAll(draft.message);
  }
  throw new Error(`the thread of ${draft.message.message_id} changed ${attempts} times while it was stored`);
}

interface Draft {
  message: StoredMessage;
  bodies: Bodies;
  large: ('text' | 'html')[];
  event_type: EventType;
}

function compose(deps: DeliverDeps, { notice, parsed, inbox, recipients }: Mail): Draft {
  const { mail, size } = parsed;
  const message_id = `msg_${receivedUlid(notice.timestamp, deps.sha256(`${notice.ses_id}\n${inbox.uid}`))}`;
  const { labels, event, quarantined } = judge(notice.verdicts);
  const from = mail.from ?? notice.source;
  const tag = recipients.find((recipient) => recipient.tag !== undefined)?.tag;
  const { text, html, extracted_text, extracted_html, headers } = mail;
  const bodies: Bodies = quarantined ? { headers } : defined({ text, html, extracted_text, extracted_html, headers });
  const large = (['text', 'html'] as const).filter((name) => answerBytes(bodies[name]) > largeBody);
  const created_at = new Date(deps.now()).toISOString();
  const message: StoredMessage = {
    organization_id: inbox.organization_id,
    pod_id: inbox.pod_id,
    inbox_id: inbox.inbox_id,
    uid: inbox.uid,
    message_id,
    thread_id: `thr_${message_id.slice(4)}`,
    labels,
    timestamp: notice.timestamp,
    from,
    to: bounded(mail.to),
    ...defined({ cc: mail.cc && bounded(mail.cc), bcc: mail.bcc && bounded(mail.bcc), reply_to: mail.reply_to && bounded(mail.reply_to) }),
    ...defined({ subject: mail.subject?.slice(0, 2000), in_reply_to: mail.in_reply_to, references: mail.references, rfc822_message_id: mail.message_id }),
    ...(quarantined ? { quarantined: true as const } : defined({ preview: mail.preview, attachments: attachmentsOf(message_id, parsed) })),
    size,
    authentication: authenticationOf(notice.verdicts, notice.source, mail.from),
    ...defined({ auto_submitted: mail.auto_submitted, tag, parse_error: mail.parse_error }),
    envelope_to: recipients.map(({ envelope }) => envelope),
    envelope: notice.envelope,
    digest: parsed.digest,
    body: 'none',
    ...(large.length > 0 && { large }),
    updated_at: created_at,
    created_at,
  };
  return { message, bodies, large, event_type: event };
}

function attachmentsOf(messageId: string, { mail }: ParsedFile): Attachment[] | undefined {
  if (mail.attachments.length === 0) return undefined;
  return mail.attachments.map(({ path: _path, ...about }, n) => ({ attachment_id: attachmentId(messageId, n), ...about }));
}

async function storeObjects({ objects, deliveries }: DeliverDeps, { notice, parsed }: Mail, draft: Draft): Promise<void> {
  const { message, bodies, large } = draft;
  await objects.keepRaw(notice.key, message);
  for (const [n, attachment] of (message.attachments ?? []).entries()) await objects.putAttachment(message, attachment, parsed.mail.attachments[n]!.path);
  if (large.length === 0 && (await deliveries.fitsRow(bodies))) {
    message.body = 'row';
    return;
  }
  await objects.putBodies(message, bodies, large);
  message.body = 'object';
}

/** The mail in the oldest thread that knows one of its ids, or in a new one. A deleted thread is not brought back. */
async function intoThread(deps: DeliverDeps, { notice, parsed, inbox }: Mail, draft: Draft, ids: string[], known: Map<string, string>): Promise<Delivery> {
  const threads = new Map<string, ThreadState>();
  for (const threadId of new Set(known.values())) {
    const found = await deps.deliveries.getThread(inbox, threadId);
    if (found !== undefined && found.deleting !== true) threads.set(threadId, found);
  }
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
    leads: ids.filter((id) => !threads.has(known.get(id) ?? '')).map((id) => ({ id, ...defined({ was: known.get(id) }) })),
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

/** Every id that ties this mail to others: its own, those it answers, and the mail a delivery report is about. */
function threadIds({ mail }: ParsedFile): string[] {
  const named = [...new Set([...(mail.references ?? []), ...(mail.in_reply_to === undefined ? [] : [mail.in_reply_to])])];
  const kept = named.length <= 2 * keptAtEachEnd ? named : [...named.slice(0, keptAtEachEnd), ...named.slice(-keptAtEachEnd)];
  return [...new Set([mail.message_id, mail.reported_message_id, ...kept].filter((id) => id !== undefined))];
}

const bounded = (addresses: string[]): string[] => addresses.slice(0, 100).map((address) => address.slice(0, 1000));

/** Leaves out what is undefined. */
function defined<Given extends object>(given: Given): { [Name in keyof Given]?: Exclude<Given[Name], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
