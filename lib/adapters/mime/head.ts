import { open } from 'node:fs/promises';
import type { ParsedMail } from '../../core/mail.ts';
import { cleanLine, cleanText, headerText } from './clean-text.ts';
import type { MailLimits } from './limits.ts';

/** One header as it stands in the mail, still folded; bytes as Latin-1 characters. */
export interface HeaderLine {
  /** As first written. */
  name: string;
  value: string;
}

/** RFC 5322 §2.1.1: a line has at most 998 characters, and a Message-ID cannot be folded within. */
const MAX_MESSAGE_ID = 998;
/** RFC 5322 §3.6.8: printable ASCII except the colon. */
const FIELD_NAME = /^[!-9;-~]{1,76}$/;

/** The header block at the start of a file, at most `maxBytes` of it: linear, and safe for any bytes. */
export async function readHead(path: string, maxBytes: number): Promise<HeaderLine[]> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(maxBytes);
    const { bytesRead } = await file.read(bytes, 0, maxBytes, 0);
    return splitHead(bytes.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** The headers up to the first empty line. What is no header (an mbox `From ` line, garbage) is left out. */
export function splitHead(bytes: Uint8Array): HeaderLine[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const headers: string[][] = [];
  for (const line of eachLine(text)) {
    if (line === '') break;
    if (line.startsWith(' ') || line.startsWith('\t')) headers.at(-1)?.push(line);
    else headers.push([line]);
  }
  return headers.flatMap((lines) => {
    const first = lines[0] ?? '';
    const colon = first.indexOf(':');
    // RFC 5322 §4.5 (obsolete syntax): white space may stand before the colon.
    const name = first.slice(0, Math.max(colon, 0)).trimEnd();
    if (!FIELD_NAME.test(name) || name === '__proto__') return [];
    return [{ name, value: [first.slice(colon + 1), ...lines.slice(1)].join('\n') }];
  });
}

function* eachLine(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end === -1 ? text.length : end);
    yield line.endsWith('\r') ? line.slice(0, -1) : line;
    if (end === -1) return;
    at = end + 1;
  }
}

/** Unfolded (RFC 5322 §2.2.3), of the first header of that name; encoded words stay as they are. */
export function headerValue(headers: readonly HeaderLine[], name: string): string | undefined {
  const header = headers.find((each) => each.name.toLowerCase() === name);
  return header === undefined ? undefined : unfold(header.value);
}

function unfold(value: string): string {
  return headerText(value.replace(/\n[ \t]*/g, ' ')).trim();
}

/**
 * Headers by name as first written, repeated ones joined by a newline, bounded as a whole. Values are unfolded but
 * not decoded: an encoded line break could otherwise pass for a repeated header.
 */
export function headerMap(
  headers: readonly HeaderLine[],
  limits: Pick<MailLimits, 'headBytes' | 'headerNames'>,
): { map: Record<string, string>; complete: boolean } {
  const names = new Map<string, string>();
  const map = new Map<string, string[]>();
  let room = limits.headBytes;
  let complete = true;
  for (const header of headers) {
    const key = header.name.toLowerCase();
    const name = names.get(key) ?? header.name;
    const value = cleanText(unfold(header.value));
    const bytes = Buffer.byteLength(value) + name.length;
    if (bytes > room || (!names.has(key) && names.size >= limits.headerNames)) {
      complete = false;
      continue;
    }
    room -= bytes;
    names.set(key, name);
    const values = map.get(name);
    if (values === undefined) map.set(name, [value]);
    else values.push(value);
  }
  return { map: Object.fromEntries([...map].map(([name, values]) => [name, values.join('\n')])), complete };
}

/**
 * Message ids in a header value, with angle brackets; text around them (old In-Reply-To) is skipped. A folded id is
 * joined again, a bare one gets its brackets, `<<a@b>>` loses the second pair.
 */
export function messageIds(value: string | undefined): string[] {
  if (value === undefined) return [];
  const ids: string[] = [];
  // One pass: searching backwards from each `>` would be quadratic on a row of them.
  let open = -1;
  for (let at = 0; at < value.length; at++) {
    if (value[at] === '<') open = at;
    if (value[at] !== '>' || open === -1) continue;
    ids.push(value.slice(open + 1, at));
    open = -1;
  }
  const bare = value.trim();
  if (ids.length === 0 && !/[\s<>]/.test(bare)) ids.push(bare);
  return ids.flatMap((id) => wellFormedId(id.replace(/\s+/g, '')));
}

function wellFormedId(id: string): string[] {
  if (id === '' || id.length > MAX_MESSAGE_ID - 2 || /\p{Cc}/u.test(id)) return [];
  return [`<${id.toWellFormed()}>`];
}

/** A chain is told by its beginning and its end: first and last 50. */
function boundedReferences(ids: readonly string[]): string[] {
  return ids.length <= 100 ? [...ids] : [...ids.slice(0, 50), ...ids.slice(-50)];
}

/** Fields that need no decoding, and that are found even when the rest of the mail cannot be parsed. */
export function idFields(
  head: readonly HeaderLine[],
): Pick<ParsedMail, 'message_id' | 'in_reply_to' | 'references' | 'auto_submitted'> {
  const [messageId] = messageIds(headerValue(head, 'message-id'));
  const [inReplyTo] = messageIds(headerValue(head, 'in-reply-to'));
  const references = boundedReferences(messageIds(headerValue(head, 'references')));
  const auto = cleanLine(headerValue(head, 'auto-submitted') ?? '', 200);
  return {
    ...(messageId === undefined ? {} : { message_id: messageId }),
    ...(inReplyTo === undefined ? {} : { in_reply_to: inReplyTo }),
    ...(references.length === 0 ? {} : { references }),
    ...(auto === '' ? {} : { auto_submitted: auto }),
  };
}
