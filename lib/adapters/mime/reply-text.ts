import EmailReplyParser from 'email-reply-parser';
import {
  attributionLines,
  blank,
  headerBlockLines,
  isDelimiter,
  isForwardRule,
  isQuoted,
} from './reply-markers.ts';

/** A signature stands at the end; the library's expressions are quadratic and worse, so it sees no more than that. */
const LIBRARY_CHARACTERS = 3_000;
/** Beyond this nothing is extracted: 262,144 characters are over a hundred pages. */
const MAX_CHARACTERS = 262_144;

/** "Sent from my phone", in the words of phones: the lines the library does not know. */
const SENT_FROM =
  /^[\s<(]{0,4}(?:(?:sent (?:from|via|with|by)|from my|get \[?outlook|envoyé (?:depuis|de|à)|verzonden met|verstuurd vanaf|sendt fra|skickat från|enviado (?:desde|do|de)|inviato da|gesendet (?:von|mit)|wysłane z|отправлено (?:с|из)) .{1,200}|.{1,60} from mobile|(?:von meinem|diese nachricht wurde von meinem) .{1,100} gesendet\.?|從我的 .{1,40} 傳送)$/iu;

/**
 * What the writer newly wrote in a plain text body: without quoted history, forwarding headers and signature.
 * Undefined when the text is too long to tell. The history is found here, the signature by `email-reply-parser`.
 */
export function replyText(text: string): string | undefined {
  const lines = text.slice(0, MAX_CHARACTERS).replace(/\r\n?/g, '\n').trim().split('\n');
  const { kept, complete } = withoutHistory(lines);
  if (complete && text.length > MAX_CHARACTERS) return undefined;
  const own = withoutSignature(withoutEnd(kept).join('\n'));
  return withoutEnd(own.split('\n')).join('\n').trim();
}

/** A history ends the text, save where the writer answers below or inside it. */
function withoutHistory(lines: readonly string[]): { kept: string[]; complete: boolean } {
  const kept: string[] = [];
  let nothingYet = true;
  for (let at = 0; at < lines.length;) {
    const taken = markerLines(lines, at);
    if (taken === 0) {
      const end = (lines[at] ?? '').startsWith('```') ? endOfCode(lines, at) : at + 1;
      for (; at < end; at++) {
        const line = lines[at] ?? '';
        nothingYet &&= blank(line);
        kept.push(line);
      }
      continue;
    }
    const after = afterMarker(lines, at, taken, nothingYet);
    if (after === undefined) return { kept, complete: false };
    at = after;
  }
  return { kept, complete: true };
}

function markerLines(lines: readonly string[], at: number): number {
  if (isQuoted(lines[at] ?? '') && at > 0) return 0;
  return attributionLines(lines, at) || headerBlockLines(lines, at);
}

/** Where to read on behind a marker; undefined when all that follows is history. */
function afterMarker(
  lines: readonly string[],
  at: number,
  taken: number,
  nothingYet: boolean,
): number | undefined {
  let next = at + taken;
  while (next < lines.length && blank(lines[next])) next++;
  const quoted = isQuoted(lines[next] ?? '');
  let end = next;
  while (end < lines.length && (blank(lines[end]) || isQuoted(lines[end] ?? ''))) end++;
  if (nothingYet) {
    // On top of everything: a quotation that is answered below goes, a forwarded text stays.
    if (quoted || isQuoted(lines[at] ?? '')) return end;
    return isForwardRule(lines[at] ?? '') || headerBlockLines(lines, at) === 0 ? next : undefined;
  }
  const answered = quoted && end < lines.length && !endsHere(lines, end);
  return answered ? next : undefined;
}

function endsHere(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? '';
  return isDelimiter(line) || SENT_FROM.test(line.slice(0, 300)) || markerLines(lines, at) > 0;
}

function endOfCode(lines: readonly string[], at: number): number {
  let end = at + 1;
  while (end < lines.length && !(lines[end] ?? '').startsWith('```')) end++;
  return Math.min(end + 1, lines.length);
}

/** Drops trailing quotations, rules and "Sent from"; a mail that is nothing but a quotation keeps it. */
function withoutEnd(lines: readonly string[]): string[] {
  const onlyQuotes = lines.every((line) => blank(line) || isQuoted(line));
  const sentFrom = lines.findIndex((line) => SENT_FROM.test(line.slice(0, 300)));
  let end = sentFrom > 0 ? sentFrom : lines.length;
  while (end > 0 && !onlyQuotes) {
    const line = lines[end - 1] ?? '';
    if (!blank(line) && !isQuoted(line) && !isDelimiter(line)) break;
    end--;
  }
  return lines.slice(0, end);
}

/**
 * The library cuts the text into fragments; a signature and what is hidden behind it end the text. Only its
 * judgement is used: it would also hide quotations that are answered, and swallow the blank lines around them.
 */
function withoutSignature(text: string): string {
  const from = text.length <= LIBRARY_CHARACTERS ? 0 : text.indexOf('\n', text.length - LIBRARY_CHARACTERS);
  if (from === -1) return text;
  const fragments = new EmailReplyParser().read(text.slice(from)).getFragments();
  let end = text.length;
  for (const fragment of fragments.toReversed()) {
    if (!fragment.isSignature() && fragment.getContent().trim() !== '') break;
    const start = text.lastIndexOf(fragment.getContent().trim(), end);
    if (start > from) end = start;
  }
  return text.slice(0, end);
}
