import { Parser } from 'htmlparser2';
import { withinBounds } from './html-text.ts';

/** Elements in which mail programs put what they quote, and signatures they mark as such. */
const QUOTE_CLASSES = new Set([
  'gmail_quote',
  'gmail_signature',
  'yahoo_quoted',
  'protonmail_quote',
  'tutanota_quote',
  'zmail_extra',
  'moz-cite-prefix',
  'moz-signature',
]);
const QUOTE_IDS = new Set(['ms-outlook-mobile-signature', 'applemailsignature', 'signature', 'reply-intro']);
/** Elements after which only history follows. */
const END_IDS = new Set([
  'divrplyfwdmsg',
  'appendonsend',
  'olk_src_body_section',
  'stopspelling',
  'reply-intro',
]);
/** Word's rule above the copied headers, in the colours of Outlook's versions. */
const OUTLOOK_RULE =
  /border-top:\s?solid #(?:e1e1e1|b5c4df) 1\.0pt|border:none;border-top:solid #(?:e1e1e1|b5c4df)/i;

/**
 * What the writer newly wrote in an HTML body, cut from it as it stands: no element is rewritten. No maintained
 * library does this without a browser's DOM, so the marks are read here. Undefined when the HTML is too large or
 * nested too deep; the whole when nothing but history would be left (a forward).
 */
export function replyHtml(html: string): string | undefined {
  if (!withinBounds(html)) return undefined;
  const cutter = new Cutter(html);
  const parser: Parser = new Parser({
    onopentag: (name, attributes) => cutter.open(name, attributes, parser.startIndex),
    onclosetag: (_name, implied) => cutter.close(implied ? parser.startIndex : parser.endIndex + 1, implied),
    ontext: (text) => cutter.text(text),
  });
  parser.end(html);
  return cutter.result();
}

/** Follows the parser and copies what is not history; linear in the HTML. */
class Cutter {
  readonly #html: string;
  readonly #pieces: string[] = [];
  #depth = 0;
  #copied = 0;
  /** Depth of the quoting element that is being skipped. */
  #skipping: number | undefined;
  /** Depth at which only history follows: from here on, only end tags of elements left open are copied. */
  #ended: number | undefined;
  #hiddenDepth: number | undefined;
  #hasText = false;

  constructor(html: string) {
    this.#html = html;
  }

  open(name: string, attributes: Record<string, string>, start: number): void {
    this.#depth++;
    if (name === 'style' || name === 'script' || name === 'title') this.#hiddenDepth ??= this.#depth;
    if (this.#skipping !== undefined || this.#ended !== undefined) return;
    if (endsReply(attributes)) this.#ended = this.#depth;
    else if (isQuotation(name, attributes)) this.#skipping = this.#depth;
    else return;
    this.#pieces.push(this.#html.slice(this.#copied, start));
  }

  close(end: number, implied: boolean): void {
    const depth = this.#depth--;
    if (this.#hiddenDepth === depth) this.#hiddenDepth = undefined;
    if (this.#skipping === depth) {
      this.#skipping = undefined;
      this.#copied = end;
    } else if (this.#ended !== undefined && depth < this.#ended && !implied) {
      this.#ended = depth;
      this.#pieces.push(this.#html.slice(this.#html.lastIndexOf('<', end - 1), end));
    }
  }

  text(text: string): void {
    if (this.#skipping !== undefined || this.#ended !== undefined || this.#hiddenDepth !== undefined) return;
    this.#hasText ||= text.trim() !== '';
  }

  result(): string {
    if (!this.#hasText) return this.#html;
    const open = this.#skipping !== undefined || this.#ended !== undefined;
    return this.#pieces.join('') + (open ? '' : this.#html.slice(this.#copied));
  }
}

function endsReply(attributes: Record<string, string>): boolean {
  if (END_IDS.has((attributes['id'] ?? '').toLowerCase())) return true;
  return OUTLOOK_RULE.test((attributes['style'] ?? '').slice(0, 500));
}

function isQuotation(name: string, attributes: Record<string, string>): boolean {
  if (name === 'blockquote' && attributes['type']?.toLowerCase() === 'cite') return true;
  if (QUOTE_IDS.has((attributes['id'] ?? '').toLowerCase())) return true;
  const classes = (attributes['class'] ?? '').slice(0, 500).split(/\s+/);
  return classes.some((each) => QUOTE_CLASSES.has(each));
}
