import { readFile } from 'node:fs/promises';
import type { ParsedFile, ParsedMail } from '../../../lib/core/mail.ts';
import { createMailParser, type MailParserOptions } from '../../../lib/adapters/mime.ts';

/** A fixture as SMTP delivers it: with CRLF. */
export async function fixture(name: string): Promise<Buffer> {
  const file = await readFile(new URL(`../../fixtures/mail/${name}.eml`, import.meta.url), 'latin1');
  return Buffer.from(file.replace(/\r?\n/g, '\r\n'), 'latin1');
}

/** A mail with the usual headers; `headers` replace or extend them. */
export function mailOf(body: string, headers: Record<string, string> = {}): Buffer {
  const all = { From: 'a@sender.test', To: 'b@agents.test', Subject: 's', 'MIME-Version': '1.0', ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${head.join('')}\r\n${body}`);
}

/** `text` repeated to about `bytes`, in chunks, after `head`. */
export function* repeated(head: Uint8Array, text: string, bytes: number): Generator<Uint8Array> {
  yield head;
  const chunk = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
  for (let sent = 0; sent < bytes; sent += chunk.byteLength) yield chunk;
}

/** Bytes as a stream, in chunks of `size`. */
export async function* streamed(
  bytes: Uint8Array | Iterable<Uint8Array>,
  size = 65_536,
): AsyncGenerator<Uint8Array> {
  for (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) {
    for (let at = 0; at < chunk.byteLength; at += size) yield chunk.subarray(at, at + size);
  }
}

const shared = createMailParser();

/** Parses with the parser that all tests of a file share, or one with `options`. */
export async function parse(
  bytes: Uint8Array | Iterable<Uint8Array>,
  options?: MailParserOptions,
): Promise<ParsedFile> {
  return (options === undefined ? shared : createMailParser(options)).parse(streamed(bytes));
}

/** The parsed mail; its files are gone already. */
export async function parsed(
  bytes: Uint8Array | Iterable<Uint8Array>,
  options?: MailParserOptions,
): Promise<ParsedMail> {
  await using file = await parse(bytes, options);
  return file.mail;
}
