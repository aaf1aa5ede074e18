import { htmlToText as convert, type HtmlToTextOptions } from 'html-to-text';
import { Parser } from 'htmlparser2';

/** HTML beyond this is not converted: a long newsletter has 200 KB. */
const MAX_HTML = 1024 * 1024;
/** The parser keeps open elements in an array it shifts at the front: deep nesting would be quadratic. */
const MAX_DEPTH = 500;
const MAX_ELEMENTS = 50_000;
/** Each level of these adds to the front of every line of text: nested deep, 200 KB of HTML become 20 MB. */
const INDENTING = new Set(['blockquote', 'ul', 'ol', 'dl']);
const MAX_INDENTS = 20;
/** What is beyond is cut: nobody reads 300 pages of a mail. */
const MAX_TEXT = 1024 * 1024;

const OPTIONS: HtmlToTextOptions = {
  wordwrap: false,
  decodeEntities: true,
  limits: { maxInputLength: MAX_HTML, maxDepth: MAX_DEPTH, maxChildNodes: MAX_ELEMENTS },
  selectors: [
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true } },
    { selector: 'img', format: 'skip' },
    { selector: 'h1', options: { uppercase: false } },
    { selector: 'h2', options: { uppercase: false } },
    { selector: 'h3', options: { uppercase: false } },
    { selector: 'h4', options: { uppercase: false } },
    { selector: 'h5', options: { uppercase: false } },
    { selector: 'h6', options: { uppercase: false } },
    { selector: 'table', options: { uppercaseHeaderCells: false } },
  ],
};

/** HTML as plain text; undefined when it is too large or nested too deep to convert safely. */
export function htmlText(html: string): string | undefined {
  return withinBounds(html) ? convert(html, OPTIONS).slice(0, MAX_TEXT) : undefined;
}

/** Whether HTML is small and flat enough to build a tree of it. */
export function withinBounds(html: string): boolean {
  if (html.length > MAX_HTML) return false;
  let depth = 0;
  let indents = 0;
  let elements = 0;
  let fits = true;
  const parser = new Parser({
    onopentagname: (name) => {
      if (INDENTING.has(name)) indents++;
      if (++depth > MAX_DEPTH || ++elements > MAX_ELEMENTS || indents > MAX_INDENTS) fits = false;
    },
    onclosetag: (name) => {
      if (INDENTING.has(name)) indents--;
      depth--;
    },
  });
  // In pieces, so that it can stop early.
  for (let at = 0; at < html.length && fits; at += 4096) parser.write(html.slice(at, at + 4096));
  return fits;
}
