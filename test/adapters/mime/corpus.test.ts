import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { replyText } from '../../../lib/adapters/mime/reply-text.ts';
import { parse } from './mail-source.ts';
import { corpus, DIFFERENCES, EMPTY, filesOf, structures } from './mime4j-corpus.ts';
import { outlineOf } from './mime4j-structure.ts';

const replies = new URL('reply-extraction/', corpus);
const replyNames = filesOf(new URL('emails/', replies), '.txt');

describe.skipIf(structures.length === 0)(`${structures.length} mails of Mime4j`, () => {
  it.each(structures)('$name', async ({ name, url }) => {
    await using file = await parse(readFileSync(new URL(`${name}.msg`, url)));
    const { mail } = file;
    const expected = outlineOf(readFileSync(new URL(`${name}.xml`, url), 'utf8'));
    const seen = {
      text: (mail.text ?? '').trim() !== '',
      html: (mail.html ?? '').trim() !== '',
      attachments: mail.attachments.map((each) => each.content_type),
    };
    const difference = DIFFERENCES[name];
    if (difference !== undefined) {
      expect({ ...seen, parse_error: mail.parse_error }).toMatchObject(difference.seen);
      expect(seen).not.toEqual({
        text: expected.text,
        html: expected.html,
        attachments: expected.attachments,
      });
      return;
    }
    expect(seen).toEqual({ text: expected.text, html: expected.html, attachments: expected.attachments });
    expect(mail.parse_error).toBe(
      EMPTY.has(name) ? 'it says it has parts, but none could be found' : undefined,
    );
    const sizes = mail.attachments.map(({ size }, index) =>
      expected.sizes[index] === undefined ? undefined : size,
    );
    expect(sizes).toEqual(expected.sizes);
  });

  it('is whole', () => {
    expect(structures).toHaveLength(80);
  });
});

describe.skipIf(replyNames.length === 0)(`${replyNames.length} replies of email_reply_trimmer`, () => {
  // Compared as upstream does: exactly, without the white space around.
  const failed = replyNames.filter((name) => {
    const read = (folder: string): string =>
      readFileSync(new URL(`${folder}/${name}`, replies), 'utf8').trim();
    return replyText(read('emails')) !== read('trimmed').replaceAll('\r\n', '\n');
  });

  it('are extracted, 59 of 64', () => {
    expect(replyNames).toHaveLength(64);
    expect(failed).toEqual([
      // The library takes "Best regards," or "Cheers" and the name below it for the signature; upstream keeps them.
      'email_headers_5.txt',
      'embedded_email_17.txt',
      'embedded_email_2.txt',
      // A signature below a rule of underscores, which may as well be the writer's own.
      'embedded_email_7.txt',
      'embedded_email_swedish.txt',
    ]);
  });
});
