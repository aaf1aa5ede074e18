import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { traceLength } from '../../../lib/adapters/mime/ses-trace.ts';
import { createMailParser } from '../../../lib/adapters/mime.ts';
import { fixture, mailOf, parse, streamed } from './mail-source.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('the digest below the trace headers of SES', () => {
  it('is the same for the same bytes in two SMTP sessions', async () => {
    await using one = await parse(await fixture('ses-received'));
    await using two = await parse(await fixture('ses-received-again'));
    expect(one.digest).toBe(two.digest);
  });

  it('covers everything the sender sent, headers that look like those of SES included', async () => {
    const raw = await fixture('ses-received');
    const sent = raw.subarray(raw.indexOf('Received: from laptop'));
    await using file = await parse(raw);
    expect(file.digest).toBe(sha256(sent));
    expect(file.size).toBe(raw.byteLength);
  });

  it('does not depend on how the stream is cut', async () => {
    const raw = await fixture('ses-received');
    const parser = createMailParser();
    await using whole = await parser.parse(streamed(raw));
    await using bytes = await parser.parse(streamed(raw, 1));
    expect(bytes.digest).toBe(whole.digest);
    expect(bytes.mail).toEqual({ ...whole.mail, attachments: [] });
  });

  it('is that of the whole mail when SES wrote nothing', async () => {
    const raw = mailOf('hi');
    await using file = await parse(raw);
    expect(file.digest).toBe(sha256(raw));
  });

  it('differs when one byte of the mail differs', async () => {
    const raw = await fixture('ses-received');
    const other = Buffer.from(raw.toString('latin1').replace('Hello\r\n', 'Hella\r\n'), 'latin1');
    await using one = await parse(raw);
    await using two = await parse(other);
    expect(one.digest).not.toBe(two.digest);
  });

  const length = (text: string): number => traceLength(Buffer.from(text));
  it.each([
    ['a Received header of another server', 'Received: by mx.sender.test\r\nX: y\r\n', 0],
    ['an authserv-id that is not SES', 'Authentication-Results: mx.test; spf=pass\r\nX: y\r\n', 0],
    ['an authserv-id that only begins like it', 'Authentication-Results: amazonses.company\r\nX: y\r\n', 0],
    ['a header repeated', 'Return-Path: <a>\r\nReturn-Path: <b>\r\nX: y\r\n', 18],
    ['one below another header', 'X: y\r\nReturn-Path: <a>\r\nZ: y\r\n', 0],
    ['bare line feeds', 'Return-Path: <a>\nX-SES-RECEIPT: a\n b\nX: y\n', 37],
    ['a mail that ends within', 'Return-Path: <a>', 0],
    ['no header at all', '\r\nReturn-Path: <a>\r\n', 0],
  ])('judges %s', (_what, text, expected) => {
    expect(length(text)).toBe(expected);
  });

  it('stops looking after 64 KB', async () => {
    const long = Buffer.from(`X-SES-RECEIPT: ${'a'.repeat(70_000)}\r\nSubject: s\r\n\r\nhi`);
    await using file = await parse(long);
    expect(file.digest).toBe(sha256(long));
  });
});
