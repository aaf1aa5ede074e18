import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MailParser, ParsedFile, ParsedMail } from '../core/mail.ts';
import { MAIL_LIMITS, type MailLimits } from './mime/limits.ts';
import { ParseProcess } from './mime/parse-process.ts';
import { unparsedMail } from './mime/scanned-fields.ts';
import { spool } from './mime/spool.ts';

/** The module of the parsing process, relative to the project's root: a bundle of its own beside the function's. */
export const MIME_WORKER_SOURCE = 'lib/adapters/mime/worker.ts';
/** The name that bundle has beside the function's `index.mjs`. */
export const MIME_WORKER_BUNDLE = 'mime-worker.mjs';

export interface MailParserOptions {
  /** Where each mail gets a directory while it is looked at; the system's by default. */
  tmpDir?: string;
  limits?: Partial<MailLimits>;
  /** Another module for the parsing process, so that tests can have it fail in every way. */
  worker?: URL;
}

/**
 * The mail parser: the one place that knows `mailparser`. The raw mail goes to a file and is parsed in a process with
 * its own heap and a time limit; what a mail does in there never reaches the caller. `parse` rejects only when the
 * source or the disk fails.
 */
export function createMailParser(options: MailParserOptions = {}): MailParser {
  const limits: MailLimits = { ...MAIL_LIMITS, ...options.limits };
  const parser = new ParseProcess(options.worker ?? workerModule(import.meta.url), limits);
  return {
    parse: async (raw) => {
      const directory = await mkdtemp(join(options.tmpDir ?? tmpdir(), 'posthorn-mail-'));
      const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
      try {
        return Object.assign(await parseInto(directory, raw, parser, limits), {
          [Symbol.asyncDispose]: dispose,
        });
      } catch (error) {
        await dispose();
        throw error;
      }
    },
  };
}

/** Sources run as they are, with the worker's beside; a bundle is one `.mjs` and the worker's is another. */
export function workerModule(moduleUrl: string): URL {
  const bundled = !new URL(moduleUrl).pathname.endsWith('.ts');
  return new URL(bundled ? `./${MIME_WORKER_BUNDLE}` : './mime/worker.ts', moduleUrl);
}

async function parseInto(
  directory: string,
  raw: AsyncIterable<Uint8Array>,
  parser: ParseProcess,
  limits: MailLimits,
): Promise<Pick<ParsedFile, 'mail' | 'digest' | 'size'>> {
  const path = join(directory, 'raw');
  const { digest, size } = await spool(raw, path, limits.rawBytes);
  const { mail, failure } = await parser.parse({ path, directory, limits });
  const parsed: ParsedMail = mail ?? (await unparsedMail(path, failure ?? 'the parser stopped', limits));
  const problems = [
    ...(size > limits.rawBytes
      ? [`the mail is larger than ${limits.rawBytes} bytes; the rest was not read`]
      : []),
    ...(mail !== undefined && failure !== undefined ? [failure] : []),
    ...(parsed.parse_error === undefined ? [] : [parsed.parse_error]),
  ];
  return {
    mail: problems.length === 0 ? parsed : { ...parsed, parse_error: problems.join('; ') },
    digest,
    size,
  };
}
