import { describe, expect, it } from 'vitest';
import { replyHtml } from '../../../lib/adapters/mime/reply-html.ts';
import { replyText } from '../../../lib/adapters/mime/reply-text.ts';

const lines = (...all: string[]): string => all.join('\n');

// Not from the corpus, which the rules were made with.
describe('replyText', () => {
  it.each([
    [
      'Gmail',
      lines(
        'Sounds good.',
        '',
        'On Tue, Jun 2, 2026 at 9:14 AM Scout <scout@agents.test> wrote:',
        '',
        '> Tea?',
      ),
      'Sounds good.',
    ],
    [
      'Gmail, wrapped',
      lines(
        'Ja.',
        '',
        'On Tue, Jun 2, 2026 at 9:14 AM Scout the Agent <',
        'scout@agents.test> wrote:',
        '> Tea?',
      ),
      'Ja.',
    ],
    [
      'Outlook',
      lines(
        'See attached.',
        '',
        '________________________________',
        'From: Scout <scout@agents.test>',
        'Sent: Tuesday',
        'To: Ada',
        'Subject: Q',
        '',
        'Hi',
      ),
      'See attached.',
    ],
    [
      'Outlook in French',
      lines(
        'Voilà.',
        '',
        'De : Scout <scout@agents.test>',
        'Envoyé : mardi 2 juin',
        'À : Ada',
        'Objet : Q',
        '',
        'Bonjour',
      ),
      'Voilà.',
    ],
    [
      'Thunderbird in German',
      lines('Geht klar.', '', 'Am 02.06.26 um 09:14 schrieb Scout:', '> Tee?'),
      'Geht klar.',
    ],
    ['a signature', lines('Ok', '', '-- ', 'Ada Lovelace', 'Analyst'), 'Ok'],
    ['a telephone', lines('Ok', '', 'Sent from my iPhone'), 'Ok'],
    [
      'answers between the quotations',
      lines('On 2 Jun 2026, at 09:14, Scout wrote:', '', '> Tea?', '', 'Yes.', '', '> Milk?', '', 'No.'),
      lines('Yes.', '', '> Milk?', '', 'No.'),
    ],
    [
      'a forward without a word',
      lines(
        '---------- Forwarded message ---------',
        'From: X <x@y.test>',
        'Date: Tue',
        'To: me',
        '',
        'News.',
      ),
      'News.',
    ],
  ])('takes what was newly written: %s', (_who, text, own) => {
    expect(replyText(text)).toBe(own);
    expect(replyText(text.replaceAll('\n', '\r\n'))).toBe(own);
  });

  it.each([
    [
      'prose about dates',
      lines('On Monday 1 June we met at 10:30.', 'Then he wrote a book.', 'The end: it sold.'),
    ],
    [
      'prose before a colon',
      lines('In 2016 and 2017 I read what Knuth meant:', '', 'Premature optimization.'),
    ],
    ['a table', lines('Prices:', '', '| tea | 2 |', '| milk | 1 |')],
    ['one header-like line', lines('From: here on I am alone.', '', 'Ada')],
    ['code', lines('Try', '', '```', '> git log', 'On Mon, Jun 1, 2026 at 1:00 PM X wrote:', '```', 'Done.')],
  ])('keeps %s', (_what, text) => {
    expect(replyText(text)).toBe(text);
  });

  it('does not swallow the sentence before an attribution', () => {
    const text = lines(
      'Call me at 10:30 on 5 May',
      'On Mon, Jun 1, 2026 at 1:00 PM X <x@y.test> wrote:',
      '> hi',
    );
    expect(replyText(text)).toBe('Call me at 10:30 on 5 May');
  });

  it('looks for the history in the first 262,144 characters', () => {
    const history = `\nOn Mon, Jun 1, 2026 at 1:00 PM X <x@y.test> wrote:\n${'> old\n'.repeat(100_000)}`;
    expect(replyText(`New.\n${history}`)).toBe('New.');
    expect(replyText('word '.repeat(100_000))).toBeUndefined();
  });
});

describe('replyHtml', () => {
  it.each([
    ['Gmail', '<div>Yes</div><div class="gmail_quote"><div>On …</div><p>old</p></div>', '<div>Yes</div>'],
    ['Apple Mail', '<p>Yes</p><blockquote type="cite">old</blockquote><p>More</p>', '<p>Yes</p><p>More</p>'],
    [
      'Outlook on the web',
      '<html><body><p>Yes</p><hr><div id="divRplyFwdMsg">From…</div><div>old</div></body></html>',
      '<html><body><p>Yes</p><hr></body></html>',
    ],
    [
      'Outlook',
      '<div class="WordSection1"><p>Yes</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt">From</div></div><p>old</p></div>',
      '<div class="WordSection1"><p>Yes</p><div></div></div>',
    ],
    ['nothing quoted', '<p>Yes</p>', '<p>Yes</p>'],
    [
      'an indented paragraph',
      '<p>Yes</p><blockquote>verse</blockquote>',
      '<p>Yes</p><blockquote>verse</blockquote>',
    ],
    [
      'nothing but quoted',
      '<div class="gmail_quote">forwarded</div>',
      '<div class="gmail_quote">forwarded</div>',
    ],
    ['an element left open', '<p>Yes</p><div class="gmail_quote"><p>old', '<p>Yes</p>'],
  ])('cuts the history of %s', (_what, html, own) => {
    expect(replyHtml(html)).toBe(own);
  });

  it('gives up on HTML that is too large or too deep', () => {
    expect(replyHtml('<p>x</p>'.repeat(200_000))).toBeUndefined();
    expect(replyHtml('<b>'.repeat(501))).toBeUndefined();
  });
});
