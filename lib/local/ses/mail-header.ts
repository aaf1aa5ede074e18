/** One header field, unfolded. */
export interface MailHeader {
  name: string;
  value: string;
}

/** The fields of a header section in their order; lines that are none are left out. */
export function readHeaders(section: string): MailHeader[] {
  const headers: MailHeader[] = [];
  for (const field of section.replace(/\r?\n(?=[ \t])/g, '\n').split(/\r?\n(?![ \t])/)) {
    const [, name, value] = /^([!-9;-~]+)[ \t]*:([^]*)$/.exec(field) ?? [];
    if (name !== undefined) headers.push({ name, value: unfold(name, value!) });
  }
  return headers;
}

/** SES writes each fold as one space, and a DKIM signature without the space inside its base64. */
function unfold(name: string, value: string): string {
  const line = value.replace(/\n[ \t]+/g, ' ').trim();
  if (name.toLowerCase() !== 'dkim-signature') return line;
  return line.replace(
    /(^|;)(\s*bh?=)([^;]*)/g,
    (_, before: string, tag: string, digits: string) => `${before}${tag}${digits.replace(/\s+/g, '')}`,
  );
}

/** The first field of that name. */
export const headerValue = (headers: readonly MailHeader[], name: string): string | undefined =>
  headers.find((header) => header.name.toLowerCase() === name.toLowerCase())?.value;

/** The addresses of all fields of that name, each as it was written: split at commas outside quotes and comments. */
export function addressTexts(headers: readonly MailHeader[], name: string): string[] {
  return headers
    .filter((header) => header.name.toLowerCase() === name.toLowerCase())
    .flatMap(({ value }) => splitAddresses(value));
}

function splitAddresses(value: string): string[] {
  const texts: string[] = [];
  let [start, depth, quoted, angle] = [0, 0, false, false];
  for (let at = 0; at < value.length; at++) {
    const character = value[at];
    if (character === '\\') at++;
    else if (character === '"' && depth === 0) quoted = !quoted;
    else if (quoted) continue;
    else if (character === '(') depth++;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (character === '<' || character === '>') angle = character === '<';
    else if (character === ',' && depth === 0 && !angle) {
      texts.push(value.slice(start, at));
      start = at + 1;
    }
  }
  return [...texts, value.slice(start)].map((text) => text.trim()).filter((text) => text !== '');
}

/** The address alone: what stands in the last angle brackets, or the text. */
export const bareAddress = (text: string): string => /<([^<>]*)>[^<>]*$/.exec(text)?.[1]?.trim() ?? text;

/** RFC 2047 encoded words as text; one that cannot be read stays as it is. */
export function decodeWords(text: string): string {
  const joined = text.replace(/(=\?[^?\s]+\?[bq]\?[^?]*\?=)\s+(?==\?[^?\s]+\?[bq]\?)/gi, '$1');
  return joined.replace(
    /=\?([^?*\s]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=/gi,
    (word, charset: string, kind: string, coded: string) => {
      try {
        const octets =
          kind.toLowerCase() === 'b' ? Buffer.from(coded, 'base64') : Buffer.from(unquote(coded), 'latin1');
        return new TextDecoder(charset).decode(octets);
      } catch {
        return word;
      }
    },
  );
}

const unquote = (coded: string) =>
  coded
    .replace(/_/g, ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
