import type { Transform } from 'node:stream';
import { MailParser, type Headers } from 'mailparser';
import { headerText } from './clean-text.ts';
import type { MailLimits } from './limits.ts';

/** A header as the library hands it round: lower-case name, the whole line as Latin-1 characters. */
interface Line {
  key: string;
  line: string;
}

/** A node of the library's tree of parts. */
export interface PartNode {
  contentType: string | false;
  headers: Headers;
  isAttachment?: boolean;
  textContent?: string;
  children: PartNode[];
  decoder?: Transform;
  contentStream?: Transform;
}

/** A piece of mail between the library's splitter and its parser. */
interface Chunk {
  type: 'node' | 'body' | 'data';
  root?: boolean;
  parentNode?: Chunk | false;
  /** The subtype when it is a multipart. */
  multipart?: string | false;
  headers?: { hasHeader(name: string): boolean } | false;
  contentType?: string | false;
  disposition?: string | false;
  value?: Uint8Array;
  _parsedContentDisposition?: { params?: Record<string, string> } | false;
}

/** What `MailParser` is inside: not its documented face, so the package is pinned and the corpus tests watch it. */
interface Internals extends Transform {
  tree: PartNode | false;
  curnode: PartNode | false;
  processChunk(chunk: Chunk, done: (error?: Error) => void): void;
  processHeaders(lines: Line[]): Headers;
}
const Library = MailParser as unknown as new (options: object) => Internals;

/** Headers whose decoding is left to the library; all others are read without it. */
export const DECODED = new Set(['from', 'to', 'cc', 'bcc', 'reply-to', 'subject']);
const TEXT_TYPES = new Set<unknown>(['text/plain', 'text/html']);

/**
 * The library's streaming parser within limits: parts, depth, header and body sizes. Attachments are never buffered;
 * nothing is inlined, linked or converted.
 */
export class BoundedParser extends Library {
  /** What was left out, in plain words. */
  readonly problems = new Set<string>();
  readonly #limits: MailLimits;
  readonly #depths = new WeakMap<object, number>();
  #parts = 0;
  #bodyBytes = { 'text/plain': 0, 'text/html': 0 };

  constructor(limits: MailLimits) {
    super({
      maxHeadSize: limits.headBytes,
      // Counted in `processChunk`: the library's own count throws away the parts that were still to be read.
      maxChildNodes: Number.MAX_SAFE_INTEGER,
      // A forwarded mail is an attachment of its own, not more text of this one.
      ignoreEmbedded: true,
      keepDeliveryStatus: true,
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipImageLinks: true,
    });
    this.#limits = limits;
  }

  override processChunk(chunk: Chunk, done: (error?: Error) => void): void {
    if (chunk.type === 'node') {
      const refusal = this.#refusal(chunk);
      if (refusal !== undefined) return done(new Error(refusal));
      attachNamedText(chunk);
      attachDigested(chunk);
    }
    if (chunk.type === 'body' && this.#overBudget(chunk.value?.byteLength ?? 0)) {
      setImmediate(done);
      return;
    }
    super.processChunk(chunk, done);
  }

  override processHeaders(lines: Line[]): Headers {
    const wanted = this.tree === false ? DECODED : new Set<string>();
    const short = lines.filter(
      ({ key, line }) =>
        (wanted.has(key) || key.startsWith('content-')) && line.length <= this.#limits.headerBytes,
    );
    return super.processHeaders(firstOfEach(short.slice(0, this.#limits.headerLines)));
  }

  /** Lets the part that was being read end where it is, so that what arrived of it can be used. */
  abandon(): void {
    const node = this.curnode;
    if (node !== false && node.decoder?.writableEnded === false) node.decoder.end();
  }

  #refusal(node: Chunk): string | undefined {
    const depth = node.parentNode ? (this.#depths.get(node.parentNode) ?? 0) + 1 : 0;
    this.#depths.set(node, depth);
    if (depth > this.#limits.depth) return `parts are nested deeper than ${this.#limits.depth}`;
    return ++this.#parts > this.#limits.parts ? `there are more than ${this.#limits.parts} parts` : undefined;
  }

  #overBudget(bytes: number): boolean {
    const node = this.curnode;
    if (node === false || node.isAttachment !== false) return false;
    const type = node.contentType === 'text/html' ? 'text/html' : 'text/plain';
    this.#bodyBytes[type] += bytes;
    if (this.#bodyBytes[type] <= this.#limits.bodyBytes) return false;
    this.problems.add(`the ${type} body is larger than ${this.#limits.bodyBytes} bytes`);
    return true;
  }
}

/** A text part that brings a file name is a file, though some mail programs call it inline. */
function attachNamedText(part: Chunk): void {
  const named = part._parsedContentDisposition && part._parsedContentDisposition.params?.filename;
  if (part.root !== true && named && TEXT_TYPES.has(part.contentType)) part.disposition = 'attachment';
}

/** RFC 2046 §5.1.5: what a digest holds is mail unless it says otherwise. */
function attachDigested(part: Chunk): void {
  const digested = part.parentNode && part.parentNode.multipart === 'digest';
  if (digested && part.headers && !part.headers.hasHeader('Content-Type'))
    part.contentType = 'message/rfc822';
}

/**
 * The library takes the last of repeated headers; whoever adds one below must not replace the first. All From
 * headers are shown together: one of them is what DMARC looked at, the other may be the forgery.
 */
function firstOfEach(lines: Line[]): Line[] {
  const authors = lines.filter(({ key }) => key === 'from').map(({ line }) => valueOf(line));
  const seen = new Set<string>();
  return lines.flatMap(({ key, line }) => {
    const repeated = seen.has(key);
    seen.add(key);
    if (repeated && key !== 'to' && key !== 'cc' && key !== 'bcc') return [];
    const whole = key === 'from' ? `From: ${authors.join(', ')}` : line;
    // The library reads 8-bit bytes as UTF-8 only; Latin-1 is put in UTF-8 first.
    return [{ key, line: Buffer.from(headerText(whole), 'utf8').toString('latin1') }];
  });
}

function valueOf(line: string): string {
  return line.slice(line.indexOf(':') + 1).trim();
}
