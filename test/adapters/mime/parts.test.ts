import { access, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { ParsedAttachment } from '../../../lib/core/mail.ts';
import { attachmentFacts, safeFilename } from '../../../lib/adapters/mime/attachment-facts.ts';
import { fixture, mailOf, parse, parsed } from './mail-source.ts';

const withoutPath = ({ path: _path, ...rest }: ParsedAttachment): Omit<ParsedAttachment, 'path'> => rest;

describe('the parts of a mail', () => {
  it('are text, HTML and attachments with their decoded bytes', async () => {
    const file = await parse(await fixture('alternative-with-attachments'));
    expect(file.mail).toMatchObject({
      text: 'Café at nine?',
      html: '<p>Café at nine? <img src="cid:pixel@x"></p>',
    });
    expect(file.mail.attachments.map(withoutPath)).toEqual([
      { content_type: 'text/calendar', content_disposition: 'attachment', size: 30 },
      {
        filename: 'pixel.gif',
        content_type: 'image/gif',
        content_disposition: 'inline',
        content_id: 'pixel@x',
        size: 14,
      },
      {
        filename: 'Report 1.pdf',
        content_type: 'application/pdf',
        content_disposition: 'attachment',
        size: 9,
      },
    ]);
    const pdf = file.mail.attachments[2]!.path;
    expect(await readFile(pdf, 'latin1')).toBe('%PDF-1.4\n');
    await file[Symbol.asyncDispose]();
    await expect(access(pdf)).rejects.toThrow('ENOENT');
  });

  it('keep a forwarded mail whole, as one attachment', async () => {
    await using file = await parse(await fixture('forwarded-message'));
    expect(file.mail.text).toBe('For your files.');
    expect(file.mail.attachments).toHaveLength(1);
    expect(file.mail.attachments[0]).toMatchObject({
      content_type: 'message/rfc822',
      content_disposition: 'inline',
    });
    const forwarded = await readFile(file.mail.attachments[0]!.path);
    expect((await parsed(forwarded)).attachments[0]?.filename).toBe('inner.pdf');
  });

  it('name the mail that a delivery report is about', async () => {
    const headers = await parsed(await fixture('delivery-report-headers'));
    const whole = await parsed(await fixture('delivery-report-mail'));
    expect(headers.reported_message_id).toBe('<question-1@agents.test>');
    expect(headers).not.toHaveProperty('in_reply_to');
    expect(headers.text).toBe('It did not work.');
    expect(whole.reported_message_id).toBe('<question-2@agents.test>');
    expect(whole.attachments.map((each) => each.content_type)).toEqual([
      'message/delivery-status',
      'message/rfc822',
    ]);
    // A forward is no report.
    expect(await parsed(await fixture('forwarded-message'))).not.toHaveProperty('reported_message_id');
  });

  it('give no text for HTML only, but a preview and what was newly written', async () => {
    const mail = await parsed(await fixture('html-only'));
    expect(mail).not.toHaveProperty('text');
    expect(mail.preview).toMatch(/^Yes, €40 is fine\. On Mon/);
    expect(mail.extracted_text).toBe('Yes, €40 is fine.\n\nAda');
    expect(mail.extracted_html).not.toContain('Is 40 fine');
  });

  it('are all in the text when HTML and text stand side by side', async () => {
    const mail = await parsed(await fixture('mailing-list-footer'));
    expect(mail.text).toBe('The actual message.\n-- \nlist@lists.test & <more>');
    expect(mail.html).toContain('<pre>-- \nlist@lists.test &amp; &lt;more&gt;</pre>');
    expect(mail.extracted_text).toBe('The actual message.');
  });

  it('take a text with a file name for a file', async () => {
    const mail = await parsed(await fixture('named-inline-text'));
    expect(mail.text).toBe('See notes.');
    expect(mail.attachments[0]).toMatchObject({
      filename: 'notes.txt',
      content_disposition: 'inline',
      size: 10,
    });
  });

  it('say so when there are none', async () => {
    const mail = await parsed(await fixture('missing-boundary'));
    expect(mail.parse_error).toBe('it says it has parts, but none could be found');
    expect(mail.subject).toBe('Hello');
  });

  it.each([
    ['charset-iso-2022-jp', 'こんにちは\n'],
    ['charset-gb18030', '你好，世界\n'],
    ['charset-utf-7', 'Grüße £5\n'],
    ['charset-unknown', 'nuqneH\n'],
  ])('are decoded: %s', async (name, text) => {
    expect((await parsed(await fixture(name))).text).toBe(text);
  });

  it('are strings that every store takes', async () => {
    const mail = await parsed(await fixture('nul-and-surrogates'));
    expect(mail.html).toBe('<p>\ufffd</p>');
    expect(mail.subject).toBe('a b');
    expect(JSON.stringify(mail)).not.toMatch(/\\u0000|\\ud8/);
  });

  it('fold the preview to 200 characters, none of them cut in half', async () => {
    const mail = await parsed(
      mailOf(`  a\r\n\r\n\tb ${'😀'.repeat(300)}`, { 'Content-Type': 'text/plain; charset=utf-8' }),
    );
    expect([...mail.preview!]).toHaveLength(200);
    expect(mail.preview).toMatch(/^a b 😀+$/u);
    expect(mail.preview!.isWellFormed()).toBe(true);
  });
});

describe('what an attachment says of itself', () => {
  it('is cleaned', async () => {
    const { attachments } = await parsed(await fixture('hostile-filenames'));
    expect(attachments.map((each) => each.filename)).toEqual([
      'passwd',
      'boot.ini',
      'photogpj.exe',
      'naïve file.txt',
      'part one and two.txt',
      undefined,
      '€.pdf',
      `${'a'.repeat(251)}.pdf`,
      'q',
    ]);
    expect(attachments.at(-1)).toMatchObject({
      content_type: 'application/octet-stream',
      content_disposition: 'attachment',
    });
  });

  it.each([
    ['a/b\\c.txt', 'c.txt'],
    ['.', undefined],
    ['dir/', undefined],
    ['.htaccess', '.htaccess'],
    ['a\u0000b.txt', 'a b.txt'],
    ['\ud800.txt', '\ufffd.txt'],
  ])('names the file %j', (name, expected) => {
    expect(safeFilename(name)).toBe(expected);
  });

  it.each([
    ['TEXT/Plain', 'text/plain'],
    ['application/vnd.ms-excel', 'application/vnd.ms-excel'],
    ['text', 'application/octet-stream'],
    ['text/html"><script>', 'application/octet-stream'],
  ])('has the type %j', (contentType, expected) => {
    expect(attachmentFacts({ contentType }).content_type).toBe(expected);
  });
});
