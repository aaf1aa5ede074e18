import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { AttachmentStream, Headers, StructuredHeader } from 'mailparser';
import type { ParsedAttachment } from '../../core/mail.ts';
import { attachmentFacts } from './attachment-facts.ts';
import { bodies, type Body } from './bodies.ts';
import { BoundedParser, type PartNode } from './bounded-parser.ts';
import { cleanLine } from './clean-text.ts';
import type { MailLimits } from './limits.ts';

/** A mail taken apart by the library: what of it needs no judgement yet. */
export interface Structure {
  /** The decoded headers of the mail itself; undefined when they were too large. */
  headers: Headers | undefined;
  bodies: Body[];
  attachments: ParsedAttachment[];
  /** The returned mail, or its headers, in a delivery report (RFC 3464): index into `attachments`. */
  reported: number | undefined;
  problems: string[];
}

const RETURNED = new Set([
  'message/rfc822',
  'message/global',
  'message/rfc822-headers',
  'message/global-headers',
  'text/rfc822-headers',
]);

/** Takes the mail at `path` apart; attachments stream into files in `directory`. */
export async function takeApart(path: string, directory: string, limits: MailLimits): Promise<Structure> {
  const parser = new BoundedParser(limits);
  const saving: Promise<ParsedAttachment | undefined>[] = [];
  parser.on('data', (part: AttachmentStream | { type: 'text' }) => {
    if (part.type === 'attachment') saving.push(save(part, directory, saving.length, parser, limits));
  });
  await run(parser, path, limits);
  const attachments = (await Promise.all(saving)).filter((each) => each !== undefined);
  const tree = parser.tree;
  if (tree !== false && parser.problems.size === 0 && isEmptyMultipart(tree)) {
    parser.problems.add('it says it has parts, but none could be found');
  }
  return {
    headers: tree === false ? undefined : tree.headers,
    bodies: tree === false ? [] : bodies(tree),
    attachments,
    reported: tree === false ? undefined : reportedPart(tree, attachments),
    problems: [...parser.problems],
  };
}

/** Ends also when the parser gives up, with what it has; its reason becomes a problem. */
async function run(parser: BoundedParser, path: string, limits: MailLimits): Promise<void> {
  const source = createReadStream(path);
  const problem = await new Promise<Error | undefined>((resolve) => {
    parser.on('end', () => resolve(undefined));
    parser.on('error', resolve);
    source.on('error', resolve);
    source.pipe(parser);
  });
  if (problem === undefined) return;
  parser.problems.add(plainWords(problem, limits));
  source.destroy();
  const node = parser.curnode;
  parser.abandon();
  const content =
    node === false || node.isAttachment === true ? undefined : (node.contentStream ?? undefined);
  if (content !== undefined && node !== false && node.textContent === undefined) await settled(content);
}

function plainWords(problem: Error, limits: MailLimits): string {
  const tooLarge = 'code' in problem && problem.code === 'EMAXLEN';
  return tooLarge
    ? `a header block is larger than ${limits.headBytes} bytes`
    : cleanLine(problem.message, 200);
}

async function settled(stream: Readable): Promise<void> {
  await finished(stream, { writable: false }).catch(() => undefined);
}

async function save(
  part: AttachmentStream,
  directory: string,
  index: number,
  parser: BoundedParser,
  limits: MailLimits,
): Promise<ParsedAttachment | undefined> {
  const content = part.content as Readable;
  if (index >= limits.attachments) {
    parser.problems.add(`there are more than ${limits.attachments} attachments`);
    content.resume();
    await settled(content);
    part.release();
    return undefined;
  }
  const path = join(directory, `attachment-${index}`);
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  await pipeline(content, file);
  part.release();
  const disposition = part.headers.get('content-disposition') as StructuredHeader | undefined;
  const facts = attachmentFacts({
    filename: part.filename,
    contentType: part.contentType,
    disposition: disposition?.value,
    contentId: part.contentId,
  });
  return { ...facts, size: file.bytesWritten, path };
}

function reportedPart(tree: PartNode, attachments: readonly ParsedAttachment[]): number | undefined {
  if (!isReport(tree)) return undefined;
  const index = attachments.findIndex(({ content_type }) => RETURNED.has(content_type ?? ''));
  return index === -1 ? undefined : index;
}

function isReport(node: PartNode): boolean {
  return node.contentType === 'multipart/report' || node.children.some(isReport);
}

function isEmptyMultipart(tree: PartNode): boolean {
  return (
    tree.contentType !== false && tree.contentType.startsWith('multipart/') && tree.children.length === 0
  );
}
