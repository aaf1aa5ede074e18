import type { Attachment } from '../contract/message.ts';
import type { Notice } from '../contract/notice.ts';
import type { InboxRef } from '../contract/principal.ts';
import type { EventType } from '../contract/event.ts';
import type { Recipient } from './address.ts';
import { defined } from './defined.ts';
import { firstFitting } from './first-fitting.ts';
import type { ParsedFile, ParsedMail } from './mail.ts';
import type { Bodies, StoredMessage } from './mail-ports.ts';
import { attachmentId, receivedUlid } from './message-id.ts';
import { authenticationOf, judge } from './verdict-labels.ts';

/** One mail on its way into one inbox. */
export interface Mail {
  notice: Notice;
  parsed: ParsedFile;
  inbox: InboxRef;
  recipients: Recipient[];
}

/** A message that is not in a thread yet, and nowhere stored. */
export interface Draft {
  message: StoredMessage;
  bodies: Bodies;
  large: ('text' | 'html')[];
  event_type: EventType;
}

/** Bodies over this many bytes leave the answer and get a URL. */
export const largeBody = 1_000_000;
/** What a text takes in a JSON answer, where a control character is six bytes. */
export const answerBytes = (text: string | undefined): number =>
  Buffer.byteLength(JSON.stringify(text ?? ''));

/**
 * A row holds 400 KB, and a write costs by the kilobyte: what a mail may bring of each is bounded, so that the row
 * stays below a quarter of that for any mail. The raw mail has all of it.
 */
const most = {
  addresses: 100,
  addressBytes: 16_000,
  referenceBytes: 24_000,
  attachmentBytes: 100_000,
  from: 2000,
  subject: 2000,
  tag: 256,
  error: 500,
};

/** The message that a mail becomes in an inbox. */
export function composeMessage(
  { notice, parsed, inbox, recipients }: Mail,
  { sha256, now }: { sha256: (text: string) => Uint8Array; now: () => number },
): Draft {
  const { mail, size } = parsed;
  const message_id = `msg_${receivedUlid(notice.timestamp, sha256(`${notice.ses_id}\n${inbox.uid}`))}`;
  const authentication = authenticationOf(notice, mail);
  const { labels, event, quarantined } = judge(notice.verdicts, authentication.from_aligned);
  const { organization_id, pod_id, inbox_id, uid } = inbox;
  const bodies = bodiesOf(mail, quarantined);
  const large = (['text', 'html'] as const).filter((name) => answerBytes(bodies[name]) > largeBody);
  const created_at = new Date(now()).toISOString();
  const message: StoredMessage = {
    ...{ organization_id, pod_id, inbox_id, uid },
    message_id,
    thread_id: `thr_${message_id.slice(4)}`,
    labels,
    timestamp: notice.timestamp,
    ...fieldsOf(mail, notice),
    ...(quarantined ? { quarantined: true as const } : contentOf(mail, message_id)),
    size,
    authentication,
    ...defined({ tag: recipients.find(({ tag }) => tag !== undefined)?.tag?.slice(0, most.tag) }),
    envelope_to: firstFitting(
      recipients.map(({ envelope }) => envelope),
      most.addresses,
      most.addressBytes,
    ),
    envelope: notice.envelope,
    digest: parsed.digest,
    body: 'none',
    ...(large.length > 0 && { large }),
    updated_at: created_at,
    created_at,
  };
  return { message, bodies, large, event_type: event };
}

/** Of a mail with a virus only the headers: nothing of its content is handed out. */
const bodiesOf = (
  { text, html, extracted_text, extracted_html, headers }: ParsedMail,
  quarantined: boolean,
): Bodies => (quarantined ? { headers } : defined({ text, html, extracted_text, extracted_html, headers }));

const bounded = (addresses: string[]): string[] => firstFitting(addresses, most.addresses, most.addressBytes);

const fieldsOf = (mail: ParsedMail, { source }: Notice) => ({
  from: (mail.from ?? source).slice(0, most.from),
  to: bounded(mail.to),
  ...defined({
    cc: mail.cc && bounded(mail.cc),
    bcc: mail.bcc && bounded(mail.bcc),
    reply_to: mail.reply_to && bounded(mail.reply_to),
  }),
  ...defined({
    subject: mail.subject?.slice(0, most.subject),
    in_reply_to: mail.in_reply_to,
    references: mail.references && bothEnds(mail.references),
  }),
  ...defined({
    rfc822_message_id: mail.message_id,
    auto_submitted: mail.auto_submitted,
    parse_error: mail.parse_error?.slice(0, most.error),
  }),
});

/** A chain is told by its beginning and its end: of one that is too long, the middle goes. */
function bothEnds(ids: string[]): string[] {
  const half = Math.ceil(ids.length / 2);
  const first = firstFitting(ids.slice(0, half), half, most.referenceBytes / 2);
  return [...first, ...firstFitting(ids.slice(half).reverse(), half, most.referenceBytes / 2).reverse()];
}

function contentOf(mail: ParsedMail, messageId: string) {
  const all = mail.attachments.map(({ path: _path, ...about }, n): Attachment => ({
    attachment_id: attachmentId(messageId, n),
    ...about,
  }));
  const attachments = firstFitting(all, all.length, most.attachmentBytes);
  const left = all.length - attachments.length;
  const error = left === 0 ? undefined : `${left} attachments are only in the raw mail`;
  return defined({
    preview: mail.preview,
    attachments: all.length === 0 ? undefined : attachments,
    parse_error:
      error === undefined ? mail.parse_error : [mail.parse_error, error].filter(Boolean).join('; '),
  });
}
