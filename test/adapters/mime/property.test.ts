import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParsedMail } from '../../../lib/core/mail.ts';
import { replyHtml } from '../../../lib/adapters/mime/reply-html.ts';
import { replyText } from '../../../lib/adapters/mime/reply-text.ts';
import { fixture, parsed } from './mail-source.ts';
import { thorough } from '../../support/thorough.ts';

const times = thorough ? 3 : 1;

const names = readdirSync(new URL('../../fixtures/mail/', import.meta.url)).map((file) =>
  file.replace(/\.eml$/, ''),
);
const fixtures = await Promise.all(names.map(fixture));

/** No field is anything JSON or DynamoDB would refuse, and none came from a failure of the parsing process. */
function expectSane(mail: ParsedMail): void {
  const json = JSON.stringify(mail);
  expect(JSON.parse(json)).toEqual(mail);
  expect(json.isWellFormed()).toBe(true);
  expect(json).not.toMatch(/\\u0000|\\ud[89a-f]/);
  expect(mail.parse_error ?? '').not.toMatch(/the parser|longer than \d+ ms|memory|recursed/);
}

/** A fixture with some of its bytes replaced, taken out or doubled. */
const mutated = fc
  .record({
    source: fc.nat(fixtures.length - 1),
    edits: fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        drop: fc.nat(40),
        put: fc.uint8Array({ maxLength: 20 }),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  })
  .map(({ source, edits }) =>
    edits.reduce<Buffer>((bytes, { at, drop, put }) => {
      const cut = Math.floor(at * bytes.byteLength);
      return Buffer.concat([bytes.subarray(0, cut), put, bytes.subarray(cut + drop)]);
    }, fixtures[source]!),
  );

/** Bytes in which the syntax of mail is likely. */
const mailish = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'From: ',
        'To: ',
        'Content-Type: multipart/mixed; boundary=b',
        '\r\n',
        '\r\n\r\n',
        '--b',
        '--b--',
      ),
      fc.constantFrom(
        'Content-Transfer-Encoding: base64',
        '=?utf-8?B?',
        '?=',
        '<a@b>',
        '\u0000',
        '\ufeff',
        '"',
        ';',
        ':',
      ),
      fc.string({ unit: 'binary', maxLength: 30 }),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => Buffer.from(pieces.join('')));

describe('the mail parser', () => {
  it('takes any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => expectSane(await parsed(bytes))),
      { numRuns: 33 * times },
    );
  }, 60_000);

  it('takes anything that looks like mail', async () => {
    await fc.assert(
      fc.asyncProperty(mailish, async (bytes) => expectSane(await parsed(bytes))),
      { numRuns: 66 * times },
    );
  }, 60_000);

  it('takes damaged mail', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, async (bytes) => expectSane(await parsed(bytes))),
      { numRuns: 100 * times },
    );
  }, 60_000);
});

describe('the extraction of replies', () => {
  const line = fc.oneof(
    fc.constantFrom('', '> q', '>> q', '-- ', '____', '```', '| q', 'From: a', 'To: b', 'Sent: c', 'text'),
    fc.constantFrom('On Mon, Jun 1, 2026 at 1:00 PM X <x@y.test> wrote:', 'Sent from my iPhone'),
    fc.string({ maxLength: 40 }),
  );

  it('only leaves lines out', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (all) => {
        const own = replyText(all.join('\n')) ?? '';
        const source = all.join('\n').replace(/\r\n?/g, '\n').split('\n');
        let at = 0;
        for (const kept of own.split('\n')) {
          while (at < source.length && !source[at]!.includes(kept)) at++;
          expect(at).toBeLessThan(Math.max(source.length, 1));
          at++;
        }
      }),
    );
  });

  it('takes any HTML', () => {
    const tag = fc.constantFrom(
      '<p>',
      '</p>',
      '<div class="gmail_quote">',
      '</div>',
      '<blockquote type=cite>',
      '<!--',
      '<',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(tag, fc.string({ maxLength: 10 })), { maxLength: 40 }), (pieces) => {
        const html = pieces.join('');
        expect(replyHtml(html)!.length).toBeLessThanOrEqual(html.length);
      }),
    );
  });
});
