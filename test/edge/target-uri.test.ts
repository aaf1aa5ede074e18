import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { targetUris } from '../../lib/edge/target-uri.ts';

const origin = 'https://mail.example.com';
const uris = (path: string, query = ''): string[] => targetUris([origin], path, query);

describe('the URI a signer may have meant', () => {
  it.each([
    '/v0/inboxes/x+1@d.example',
    '/v0/inboxes/x%2B1%40d.example',
    '/v0/inboxes/x+1%40d.example',
    '/v0/inboxes/x%2B1@d.example',
  ])('may be %s, where the path arrives decoded', (spelling) => {
    expect(uris('/v0/inboxes/x+1@d.example')).toContain(`${origin}${spelling}`);
  });

  it('may mix spellings from segment to segment', () => {
    expect(uris('/v0/inboxes/a@b/messages/<c@d> e')).toEqual(
      expect.arrayContaining([
        `${origin}/v0/inboxes/a@b/messages/%3Cc%40d%3E%20e`,
        `${origin}/v0/inboxes/a%40b/messages/%3Cc@d%3E%20e`,
      ]),
    );
  });

  it('is never one that reads as another URI', () => {
    const given = uris('/v0/inboxes/a?limit=1');
    expect(given.every((uri) => new URL(uri).search === '')).toBe(true);
    expect(uris('/v0/a#b').every((uri) => new URL(uri).hash === '')).toBe(true);
  });

  it('is one of at most 65 for a path and its query, however it is made', () => {
    expect(uris(`/${Array.from({ length: 50 }, () => '@+@+').join('/')}`, 'a=1').length).toBeLessThanOrEqual(
      65,
    );
  });

  it('may end in a question mark, which an event without a query does not tell of', () => {
    expect(uris('/v0/inboxes')).toEqual([`${origin}/v0/inboxes`, `${origin}/v0/inboxes?`]);
    expect(uris('/v0/inboxes', 'a=1')).toEqual([`${origin}/v0/inboxes?a=1`]);
  });

  it('is none where the query holds what no client sends', () => {
    for (const query of ['a b', 'a=ü', 'a=\n', 'a=\0']) expect(uris('/v0/inboxes', query)).toEqual([]);
  });

  it('is never that of another path', () => {
    const segment = fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.string({
        unit: fc.constantFrom('%', '4', '0', '@', '+', '2', 'B', '5', 'a', '?', '#'),
        maxLength: 8,
      }),
    );
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(path, path, (one, two) => {
        fc.pre(one !== two && one.isWellFormed() && two.isWellFormed());
        const others = new Set(uris(two, 'q'));
        expect(uris(one, 'q').filter((uri) => others.has(uri))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
