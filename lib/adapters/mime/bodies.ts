import type { PartNode } from './bounded-parser.ts';

/** A text part that is meant to be read in place. */
export interface Body {
  type: 'text' | 'html';
  content: string;
  /** Whether another representation of the same stands beside it (multipart/alternative). */
  alternative: boolean;
}

/** The text parts of a mail in its order, without empty ones. */
export function bodies(tree: PartNode, alternative = false): Body[] {
  const inner = alternative || tree.contentType === 'multipart/alternative';
  const children = tree.children.flatMap((child) => bodies(child, inner));
  const content = tree.textContent ?? '';
  if (content === '' || (tree.contentType !== 'text/plain' && tree.contentType !== 'text/html'))
    return children;
  const type = tree.contentType === 'text/html' ? 'html' : 'text';
  return [{ type, content, alternative }, ...children];
}

/**
 * The plain text of a mail; undefined when it has HTML only. HTML that stands by itself next to plain text (a mailing
 * list's footer, Apple Mail around pictures) is put in its place as `convert` reads it, so that nothing is missing.
 */
export function plainText(parts: readonly Body[], convert: (html: string) => string): string | undefined {
  if (!parts.some(({ type }) => type === 'text')) return undefined;
  return parts
    .filter(({ type, alternative }) => type === 'text' || !alternative)
    .map(({ type, content }) => (type === 'text' ? content : convert(content)))
    .join('\n');
}

/** The HTML of a mail, with the plain text that stands by itself in its place; undefined when it has none. */
export function html(parts: readonly Body[]): string | undefined {
  if (!parts.some(({ type }) => type === 'html')) return undefined;
  return parts
    .filter(({ type, alternative }) => type === 'html' || !alternative)
    .map(({ type, content }) => (type === 'html' ? content : `<pre>${escapeHtml(content)}</pre>`))
    .join('\n');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>]/g, (special) => ({ '&': '&amp;', '<': '&lt;' })[special] ?? '&gt;');
}
