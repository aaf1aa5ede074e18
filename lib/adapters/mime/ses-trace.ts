/**
 * SES writes trace headers on top of every mail it receives. They differ each time the same mail arrives, so the
 * digest that tells whether two mails are the same begins below them.
 */

type Test = (value: string) => boolean;
const any: Test = () => true;

/** By lower-case name; the sender's own headers of these names come later and stay. */
const TRACE_HEADERS: Readonly<Record<string, Test>> = {
  'return-path': any,
  received: (value) => /\bby inbound-smtp\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?\b/.test(value),
  'x-ses-spam-verdict': any,
  'x-ses-virus-verdict': any,
  'received-spf': any,
  'authentication-results': (value) => /^\s*amazonses\.com\b/.test(value),
  'x-ses-receipt': any,
  'x-ses-dkim-signature': any,
};

/** The trace headers of SES are a few kilobytes; looking further would only help whoever imitates them. */
export const TRACE_BYTES = 64 * 1024;

/**
 * Length in bytes of SES's trace headers at the start of `head`. Each is stripped at most once and only from the
 * uninterrupted block on top, so that nothing a sender wrote below it is ever taken for SES's.
 */
export function traceLength(head: Uint8Array): number {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  const seen = new Set<string>();
  let at = 0;
  for (;;) {
    const end = endOfHeader(text, at);
    const colon = text.indexOf(':', at);
    if (end === undefined || colon === -1 || colon >= end) return at;
    const name = text.slice(at, colon).toLowerCase();
    const test = Object.hasOwn(TRACE_HEADERS, name) ? TRACE_HEADERS[name] : undefined;
    if (test === undefined || seen.has(name)) return at;
    if (!test(text.slice(colon + 1, end).replace(/\r?\n[ \t]+/g, ' '))) return at;
    seen.add(name);
    at = end;
  }
}

/** Behind the header that begins at `from`, its folded lines included; undefined when `text` ends within it. */
function endOfHeader(text: string, from: number): number | undefined {
  let at = from;
  do {
    const newline = text.indexOf('\n', at);
    if (newline === -1 || newline + 1 >= text.length) return undefined;
    at = newline + 1;
  } while (text[at] === ' ' || text[at] === '\t');
  return at;
}
