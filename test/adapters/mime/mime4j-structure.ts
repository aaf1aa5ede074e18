import { XMLParser } from 'fast-xml-parser';

/** What a mail consists of, in the terms of our parser. */
export interface Outline {
  text: boolean;
  html: boolean;
  /** Media types, in order. */
  attachments: string[];
  /** Decoded bytes by attachment; undefined where the description does not tell. */
  sizes: (number | undefined)[];
}

interface Node {
  name: string;
  text: string;
  children: Node[];
}

/** Reads Mime4j's description of a mail: its tree of parts, with raw headers and raw bodies. */
export function outlineOf(xml: string): Outline {
  const parser = new XMLParser({
    preserveOrder: true,
    trimValues: false,
    parseTagValue: false,
    processEntities: true,
    htmlEntities: false,
  });
  const root = toNode('root', parser.parse(xml) as Raw[]);
  const outline: Outline = { text: false, html: false, attachments: [], sizes: [] };
  for (const message of root.children) walk(message, 'text/plain', true, outline);
  return outline;
}

type Raw = Record<string, Raw[] | string>;

function toNode(name: string, raw: Raw[]): Node {
  const node: Node = { name, text: '', children: [] };
  for (const each of raw) {
    for (const [key, value] of Object.entries(each)) {
      if (key === '#text') node.text += String(value);
      else if (Array.isArray(value)) node.children.push(toNode(key, value));
    }
  }
  return node;
}

function walk(node: Node, fallback: string, root: boolean, outline: Outline): void {
  const headers = node.children.find(({ name }) => name === 'header')?.children ?? [];
  const multipart = node.children.find(({ name }) => name === 'multipart');
  if (multipart !== undefined) {
    const inner = /multipart\/digest/i.test(field(headers, 'content-type')) ? 'message/rfc822' : 'text/plain';
    for (const part of multipart.children.filter(({ name }) => name === 'body-part')) {
      walk(part, inner, false, outline);
    }
    return;
  }
  leaf(node, headers, fallback, root, outline);
}

function leaf(node: Node, headers: Node[], fallback: string, root: boolean, outline: Outline): void {
  const nested = node.children.some(({ name }) => name === 'message');
  const declared = /^\s*([^\s;]+\/[^\s;]+)/.exec(field(headers, 'content-type'))?.[1]?.toLowerCase();
  const type = nested ? 'message/rfc822' : (declared ?? fallback);
  const disposition = field(headers, 'content-disposition').trim().toLowerCase();
  const isFile = disposition.startsWith('attachment') || (!root && /filename/.test(disposition));
  const body = node.children.find(({ name }) => name === 'body')?.text;
  if ((type === 'text/plain' || type === 'text/html') && !isFile) {
    if ((body ?? '').trim() !== '') outline[type === 'text/html' ? 'html' : 'text'] = true;
    return;
  }
  outline.attachments.push(type);
  outline.sizes.push(nested || body === undefined ? undefined : decodedSize(body, headers));
}

/** Only base64 tells: the descriptions have other bodies with line ends of their own. */
function decodedSize(body: string, headers: Node[]): number | undefined {
  const encoding = field(headers, 'content-transfer-encoding').trim().toLowerCase();
  return encoding === 'base64' ? Buffer.from(body, 'base64').byteLength : undefined;
}

function field(headers: Node[], name: string): string {
  const found = headers.find(({ text }) => text.trimStart().toLowerCase().startsWith(`${name}:`));
  return found === undefined ? '' : found.text.slice(found.text.indexOf(':') + 1);
}
