import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messagesQuery } from '../../lib/contract/message.ts';
import { threadQuery } from '../../lib/contract/thread.ts';
import { readQuery } from '../../lib/edge/query.ts';
import { encodeQuery } from '../../lib/sdk/caller.ts';

const read = (raw: string) => messagesQuery.parse(readQuery(raw));
const wrong = (raw: string): string =>
  messagesQuery
    .safeParse(readQuery(raw))
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('; ') ?? '';

describe('a list in a query', () => {
  for (const [how, raw] of [
    ['repeated', 'labels=a&labels=b%20c'],
    ['separated by commas', 'labels=a,b%20c'],
    ['one JSON array, as the TypeScript SDK writes it', `labels=${encodeURIComponent('["a","b c"]')}`],
    ['repeated and separated', 'labels=a,&labels=%20b%20c%20'],
    ['with + for a space', 'labels=a&labels=b+c'],
  ] as const) {
    it(how, () => expect(read(raw).labels).toEqual(['a', 'b c']));
  }
  it('one JSON string', () => expect(read(`to=${encodeURIComponent('"q@r.s"')}`).to).toEqual(['q@r.s']));
  it('what merely begins like JSON', () =>
    expect(read('subject=%5Burgent%5D%20x').subject).toEqual(['[urgent] x']));
  it('of digits stays text', () => expect(read('subject=2026').subject).toEqual(['2026']));
  it('refuses what is no text, empty, or too many', () => {
    expect(wrong(`labels=${encodeURIComponent('[1]')}`)).toContain('labels.0');
    expect(wrong(`labels=${encodeURIComponent('[""]')}`)).toContain('labels.0');
    expect(wrong(`labels=${Array(21).fill('a').join(',')}`)).toContain('labels');
  });
  it('comes back as the SDK sent it, commas, brackets and quotes included', () => {
    const value = fc
      .string({ minLength: 1, maxLength: 50, unit: 'binary' })
      .filter((text) => text.trim() === text && text.isWellFormed());
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), (labels) => {
        expect(read(encodeQuery({ labels })).labels).toEqual(labels);
      }),
    );
  });
});

describe('a single value in a query', () => {
  it('is read as what it is, the last one of several', () => {
    expect(read('limit=5&limit=7&ascending=true&include_spam=false&page_token=t')).toEqual({
      limit: 7,
      ascending: true,
      include_spam: false,
      page_token: 't',
    });
    expect(read('after=1970-01-01T00%3A00%3A00.000Z').after).toBe('1970-01-01T00:00:00.000Z');
    expect(read('unknown=1')).toEqual({});
  });
  it('is refused when it is something else', () => {
    for (const raw of [
      'limit=0',
      'limit=501',
      'limit=1.5',
      'limit=-1',
      'limit=',
      'limit=1e2',
      'ascending=yes',
      'before=yesterday',
      'before=2026-01-31',
      `page_token=${'x'.repeat(1025)}`,
    ]) {
      expect(wrong(raw), raw).toContain(raw.split('=')[0]!);
    }
  });
  it('limits a page that has to be filtered to 100', () => {
    expect(wrong('limit=101&labels=a')).toContain('limit: give a limit of at most 100');
    expect(wrong('limit=100&labels=a')).toBe('');
    expect(wrong('limit=500&before=2026-01-31T12:00:00Z')).toBe('');
    expect(threadQuery.safeParse(readQuery('limit=101')).success).toBe(false);
  });
  it('can be named like a member of every object', () => {
    expect(read('__proto__=1&constructor=2&limit=5')).toEqual({ limit: 5 });
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });
});
