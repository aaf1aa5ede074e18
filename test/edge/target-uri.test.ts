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

  it('is one of at most 65 for a path, however it is made', () => {
    expect(uris(`/${Array.from({ length: 50 }, () => '@+@+').join('/')}`).length).toBeLessThanOrEqual(65);
  });
});
