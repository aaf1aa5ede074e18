import type { AddressObject, Headers } from 'mailparser';
import type { ParsedMail } from '../../core/mail.ts';
import { formatAddresses, formatAuthors } from './addresses.ts';
import { html, plainText } from './bodies.ts';
import { DECODED } from './bounded-parser.ts';
import { cleanLine, cleanText } from './clean-text.ts';
import { headerMap, headerValue, idFields, messageIds, readHead, type HeaderLine } from './head.ts';
import { htmlText } from './html-text.ts';
import type { MailLimits } from './limits.ts';
import { replyHtml } from './reply-html.ts';
import { replyText } from './reply-text.ts';
import { scannedFields, type ScannedFields } from './scanned-fields.ts';
import { takeApart, type Structure } from './structure.ts';

/** A subject is shown on one line; RFC 5322's line of 998 characters is the longest anyone means. */
const MAX_SUBJECT = 998;
const PREVIEW_CHARACTERS = 200;

/** The fields that are derived from the bodies: a mail without them is still whole. */
export type DerivedFields = Pick<ParsedMail, 'text' | 'extracted_text' | 'extracted_html' | 'preview'>;

/** Reads the mail in the file at `path`; attachments become files in `directory`. */
export async function readMail(
  path: string,
  directory: string,
  limits: MailLimits,
): Promise<{ mail: ParsedMail; derive: () => DerivedFields }> {
  const head = await readHead(path, limits.headBytes);
  const structure = await takeApart(path, directory, limits);
  const problems = [...structure.problems, ...headProblems(head, limits)];
  const { map, complete } = headerMap(head, limits);
  if (!complete) problems.push('not all headers are kept');
  const { headers } = structure;
  const fields =
    headers === undefined ? scannedFields(head, limits) : decodedFields(headers, limits, problems);
  const reported = await reportedId(structure, limits);
  const text = plainText(structure.bodies, () => '');
  const body = html(structure.bodies);
  const mail: ParsedMail = {
    ...fields,
    ...idFields(head),
    ...(text === undefined ? {} : { text: cleanText(text) }),
    ...(body === undefined ? {} : { html: cleanText(body) }),
    headers: map,
    attachments: structure.attachments,
    ...(reported === undefined ? {} : { reported_message_id: reported }),
    ...(problems.length === 0 ? {} : { parse_error: problems.join('; ') }),
  };
  return { mail, derive: () => derivedFields(structure, mail) };
}

function decodedFields(headers: Headers, limits: MailLimits, problems: string[]): ScannedFields {
  const header = (name: string): AddressObject | AddressObject[] | undefined =>
    headers.get(name) as AddressObject | AddressObject[] | undefined;
  const list = (name: string): string[] => {
    const addresses = formatAddresses(header(name));
    if (addresses.length > limits.addresses)
      problems.push(`${name} has more than ${limits.addresses} addresses`);
    return addresses.slice(0, limits.addresses);
  };
  const from = formatAuthors(header('from'));
  const [replyTo, cc, bcc] = [list('reply-to'), list('cc'), list('bcc')];
  const subject = headers.get('subject');
  return {
    ...(typeof subject === 'string' ? { subject: cleanLine(subject, MAX_SUBJECT) } : {}),
    ...(from === undefined ? {} : { from }),
    ...(replyTo.length === 0 ? {} : { reply_to: replyTo }),
    to: list('to'),
    ...(cc.length === 0 ? {} : { cc }),
    ...(bcc.length === 0 ? {} : { bcc }),
  };
}

/** What a reader should know before believing the header fields. */
function headProblems(head: readonly HeaderLine[], limits: MailLimits): string[] {
  const count = (name: string): number => head.filter((each) => each.name.toLowerCase() === name).length;
  const long = head.find(
    ({ name, value }) => DECODED.has(name.toLowerCase()) && value.length > limits.headerBytes,
  );
  return [
    // RFC 5322 §3.6: exactly one. A second one is how a forged author gets past the check of the other.
    ...(count('from') > 1 ? [`there are ${count('from')} From headers`] : []),
    ...(head.length > limits.headerLines ? [`there are more than ${limits.headerLines} headers`] : []),
    ...(long === undefined ? [] : [`the header ${long.name} is longer than ${limits.headerBytes} bytes`]),
  ];
}

async function reportedId(
  { attachments, reported }: Structure,
  limits: MailLimits,
): Promise<string | undefined> {
  const part = reported === undefined ? undefined : attachments[reported];
  if (part === undefined) return undefined;
  return messageIds(headerValue(await readHead(part.path, limits.headBytes), 'message-id'))[0];
}

/** Guesses and conversions: work that a mail can make expensive, done when the mail itself is safe. */
function derivedFields({ bodies }: Structure, { text: own, html: whole }: ParsedMail): DerivedFields {
  const converted = plainText(bodies, (part) => htmlText(part) ?? '');
  const text = converted === undefined ? undefined : cleanText(converted);
  const extractedHtml = whole === undefined ? undefined : replyHtml(whole);
  const readable = text ?? (whole === undefined ? undefined : htmlText(whole));
  const extracted = text === undefined ? htmlText(extractedHtml ?? '') : replyText(text);
  const preview = [...(readable ?? '').slice(0, 5_000).replace(/\s+/g, ' ').trim()].slice(
    0,
    PREVIEW_CHARACTERS,
  );
  return {
    ...(text === undefined || text === own ? {} : { text }),
    ...(extracted === undefined || extracted === '' ? {} : { extracted_text: cleanText(extracted) }),
    ...(extractedHtml === undefined ? {} : { extracted_html: cleanText(extractedHtml) }),
    ...(preview.length === 0 ? {} : { preview: cleanText(preview.join('')) }),
  };
}
