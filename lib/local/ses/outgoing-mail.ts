import { checkFileNames } from './attachment-name.ts';
import { LARGEST_HEADERS } from './header-section.ts';
import { addressTexts, headerValue, type MailHeader, readHeaders } from './mail-header.ts';
import { badRequest, type Mailbox, readMailbox } from './mailbox.ts';

/** A message as the sender gave it, read. */
export interface OutgoingMail {
  /** Each field as it is written, folded, without its last line end. */
  fields: string[];
  headers: MailHeader[];
  body: string;
}

/** After base64 ("Service quotas in Amazon SES"), so that the message itself has three quarters of it. */
export const LARGEST_ENCODED = 41_943_040;
/** RFC 5321 §4.5.3.1.6, which the API reference (RawMessage) repeats: 1,000 with the line's end. */
const LONGEST_LINE = 998;

/** Fields that may stand once ("Amazon SES header fields"). */
const single = new Set(
  `accept-language acceptlanguage archived-at auto-submitted bounces-to comments content-alternative content-base
  content-class content-description content-disposition content-duration content-id content-language content-length
  content-location content-md5 content-transfer-encoding content-type date delivered-to
  disposition-notification-options disposition-notification-to dkim-signature domainkey-signature errors-to from
  importance in-reply-to keywords list-archive list-help list-id list-owner list-post list-subscribe list-unsubscribe
  list-unsubscribe-post message-context message-id mime-version organization original-from original-message-id
  original-recipient original-subject precedence priority references reply-to return-path return-receipt-to sender
  solicitation sensitivity subject thread-index thread-topic user-agent vbr-info`.split(/\s+/),
);

/** Reads a MIME message. Throws BadRequestException for one that SES does not send. */
export function readOutgoing(message: Buffer): OutgoingMail {
  const encoded = Math.ceil(message.length / 3) * 4;
  if (encoded > LARGEST_ENCODED) {
    throw badRequest(`Message length is more than ${LARGEST_ENCODED} bytes long: '${encoded}'.`);
  }
  // One way to end a line, so that no two servers can disagree where the mail or a header ends (RFC 5322 §2.3).
  const text = message.toString('latin1').replace(/\r?\n/g, '\r\n');
  if (/\r(?!\n)/.test(text)) throw badRequest('The message has a CR without LF.');
  checkLines(text);
  checkFileNames(text);
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n') + 2;
  const section = end === 1 ? text : text.slice(0, end);
  if (section.length > LARGEST_HEADERS) throw badRequest('Header section too long.');
  const fields = section.split(/\r\n(?![ \t])/).filter((field) => field !== '');
  const broken = fields.find((field) => !/^[!-9;-~]+[ \t]*:/.test(field));
  if (broken !== undefined) throw badRequest(`Illegal header line: '${broken.slice(0, 80)}'.`);
  checkRepeats(fields);
  const headers = readHeaders(Buffer.from(section, 'latin1').toString('utf8'));
  return { fields, headers, body: end === 1 ? '' : text.slice(end + 2) };
}

function checkLines(text: string): void {
  let start = 0;
  for (let end = text.indexOf('\r\n'); start < text.length; end = text.indexOf('\r\n', start)) {
    const stop = end < 0 ? text.length : end;
    if (stop - start > LONGEST_LINE)
      throw badRequest('A line of the message has more than 1,000 characters.');
    start = stop + 2;
  }
}

function checkRepeats(fields: string[]): void {
  const seen = new Set<string>();
  for (const field of fields) {
    const name = fieldName(field);
    if (single.has(name) && seen.has(name))
      throw badRequest(`Duplicate header '${field.split(':', 1)[0]!}'.`);
    seen.add(name);
  }
}

export const fieldName = (field: string): string => field.split(':', 1)[0]!.trim().toLowerCase();

/** The mailboxes of all fields of that name; an empty group (`undisclosed-recipients:;`) has none. */
export const mailboxesOf = ({ headers }: OutgoingMail, name: string): Mailbox[] =>
  addressTexts(headers, name)
    .filter((text) => !/^[^<>@"]*:\s*;$/.test(text))
    .map(readMailbox);

export const valueOf = ({ headers }: OutgoingMail, name: string): string | undefined =>
  headerValue(headers, name);

/** What SES takes out or writes anew: Bcc, the sender's own id, date and return path, and notes to SES. */
const replaced = (name: string) =>
  ['bcc', 'message-id', 'date', 'return-path', 'feedback-id', 'x-ses-outgoing'].includes(name) ||
  name.startsWith('x-ses-');

/**
 * The bytes that leave SES, still unsigned. Message-ID and Date are SES's own whatever the sender wrote
 * ("Amazon SES header fields").
 */
export function finished(mail: OutgoingMail, own: { messageId: string; now: Date; region: string }): Buffer {
  const { messageId, now, region } = own;
  // Outside us-east-1 the Region stands in the name: observed on mail that SES sent, documented nowhere.
  const host = region === 'us-east-1' ? 'email.amazonses.com' : `${region}.amazonses.com`;
  const lines = [
    ...mail.fields.filter((field) => !replaced(fieldName(field))),
    `Message-ID: <${messageId}@${host}>`,
    `Date: ${now.toUTCString().replace('GMT', '+0000')}`,
    `Feedback-ID: ::1.${region}.${messageId.slice(0, 16)}:AmazonSES`,
    `X-SES-Outgoing: ${now.toISOString().slice(0, 10).replaceAll('-', '.')}-127.0.0.1`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${mail.body}`, 'latin1');
}
