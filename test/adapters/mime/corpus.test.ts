import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { replyText } from '../../../lib/adapters/mime/reply-text.ts';
import { outlineOf, type Outline } from './mime4j-structure.ts';
import { parse } from './mail-source.ts';

const corpus = new URL('../../../../shared/corpus/', import.meta.url);
const structures = ['mimetools-testmsgs', 'testmsgs'].flatMap((folder) => {
  const url = new URL(`mime4j/${folder}/`, corpus);
  return filesOf(url, '.msg').map((name) => ({ name: name.slice(0, -4), url }));
});
const replies = new URL('reply-extraction/', corpus);
const replyNames = filesOf(new URL('emails/', replies), '.txt');

function filesOf(folder: URL, ending: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(ending)) : [];
}

/** Where the library sees another structure than Mime4j, and why that is good enough. */
const DIFFERENCES: Record<string, { why: string; seen: Partial<Outline> & { parse_error?: string } }> = {
  'multi-frag': {
    why: 'the inner closing boundary is damaged: the library keeps to the inner multipart and takes the rest as its text',
    seen: { text: true, attachments: ['image/gif', 'image/gif'] },
  },
  'multi-weirdspace': {
    why: 'blanks behind the boundary (transport padding, RFC 2046 §5.1.1) hide it from the library; the mail says so',
    seen: { text: false, attachments: [], parse_error: 'it says it has parts, but none could be found' },
  },
  'ending-boundaries': {
    why: 'text behind the boundary on its line: not RFC 2046; the mail says so',
    seen: { text: false, attachments: [], parse_error: 'it says it has parts, but none could be found' },
  },
  'malformedHeaderStartsBody-noheader': {
    why: 'text without any header or empty line: the library takes it for the header, as SMTP servers do',
    seen: { text: false, attachments: [] },
  },
};

/** Multiparts without a part to read, also for Mime4j. */
const EMPTY = new Set(['badbound', 'missing-boundary', 'multipartemptypart', 'multipartnopart']);

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
