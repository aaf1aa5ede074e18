import type { ParsedMail } from '../../core/mail.ts';
import { cleanLine } from './clean-text.ts';
import { headerMap, headerValue, idFields, readHead, type HeaderLine } from './head.ts';
import type { MailLimits } from './limits.ts';

/** The fields that are shown of a mail's header. */
export type ScannedFields = Pick<ParsedMail, 'subject' | 'from' | 'reply_to' | 'to' | 'cc' | 'bcc'>;

/**
 * What can be told of a mail that the parser could not read: its header fields as they stand, undecoded. This runs
 * outside the parsing process, so it is linear and bounded, and no library takes part.
 */
export async function unparsedMail(path: string, reason: string, limits: MailLimits): Promise<ParsedMail> {
  const head = await readHead(path, limits.headBytes);
  return {
    ...scannedFields(head, limits),
    ...idFields(head),
    headers: headerMap(head, limits).map,
    attachments: [],
    parse_error: reason,
  };
}

/** From, To and Subject of the header lines, each bounded, without decoding anything. */
export function scannedFields(head: readonly HeaderLine[], limits: MailLimits): ScannedFields {
  const line = (name: string, bound = 998): string => cleanLine(headerValue(head, name) ?? '', bound);
  const [subject, from] = [line('subject'), line('from')];
  return {
    ...(subject === '' ? {} : { subject }),
    ...(from === '' ? {} : { from }),
    to: commaSeparated(line('to', limits.headerBytes)).slice(0, limits.addresses),
  };
}

/** Splits at commas outside of double quotes. */
function commaSeparated(value: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let start = 0;
  for (let at = 0; at <= value.length; at++) {
    if (value[at] === '"') quoted = !quoted;
    if (at < value.length && (quoted || value[at] !== ',')) continue;
    const part = cleanLine(value.slice(start, at), 998);
    if (part !== '') parts.push(part);
    start = at + 1;
  }
  return parts;
}
