import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDictionary, serializeDictionary } from 'structured-headers';
import { strictDictionary } from '../../lib/edge/strict-dictionary.ts';

const textsOf = (header: string): unknown => {
  const read = strictDictionary(header);
  return read instanceof Map ? Object.fromEntries([...read].map(([key, { text }]) => [key, text])) : read;
};

describe('a dictionary', () => {
  it.each([
    ['a=1, b=2', { a: '1', b: '2' }],
    [' a=1 \t,\tb=2 ', { a: '1', b: '2' }],
    ['a', { a: '' }],
    ['a;x;y=1', { a: ';x;y=1' }],
    ['a;  x;  y=1.0', { a: ';x;y=1.0' }],
    ['a="b,c=1", d=","', { a: '"b,c=1"', d: '","' }],
    ['a="\\",b=1", c=1', { a: '"\\",b=1"', c: '1' }],
    ['a=%"\\", b=%"x,b=%22"', { a: '%"\\"', b: '%"x,b=%22"' }],
    ['a=( "b"   "c,)("  ;x ), d=()', undefined],
    ['a=( "b"   "c,)(";  x ), d=()', { a: '("b" "c,)(";x)', d: '()' }],
    ['a=("a  b");y="c  d;  e"', { a: '("a  b");y="c  d;  e"' }],
    ['a=(%"\\" "b)"),c=1', { a: '(%"\\" "b)")', c: '1' }],
    ['a=tok:en/*, b=:AQ==:;c=x:y', { a: 'tok:en/*', b: ':AQ==:;c=x:y' }],
    ['', {}],
    ['  ', {}],
  ])('%j has the members as they are written', (header, members) => {
    expect(textsOf(header)).toEqual(members);
  });

  it.each([
    ['a=1,a=1', 'a'],
    ['a, b, a=2', 'a'],
    ['a=();x=1;x=2', 'x'],
    ['a=1;x;y;x', 'x'],
    ['a=("b;x;x");y="z;y;"; y', 'y'],
    ['c=1;x, a=:AQ==:;x;x', 'x'],
  ])('%j has something twice', (header, twice) => {
    expect(strictDictionary(header)).toEqual({ twice });
  });

  it.each(['a=1;x, b=1;x', 'a=("b";x);x', 'a="a=1,a=1;x;x"', 'a=("a" "a")', 'a=%"\\";x'])(
    '%j has nothing twice',
    (header) => {
      expect(strictDictionary(header)).toBeInstanceOf(Map);
    },
  );

  it.each(['a=1,', ',', 'A=1', 'a=1 b=2', 'a="ü"', 'a="', 'a=(', 'a=1;', 'a=\n1', 'a==1'])(
    '%j is none',
    (header) => {
      expect(strictDictionary(header)).toBeUndefined();
    },
  );

  it('of any content has the keys and values the library reads, and its texts make the same again', () => {
    const key = fc.stringMatching(/^[a-c]$/);
    const bare = fc.oneof(
      fc.string({ maxLength: 6 }).map((text) => `"${text.replace(/[^ -~]|["\\]/g, '\\"')}"`),
      fc.constantFrom('1', '1.5', 't:k/%', ':AQ==:', '?0', '%"\\,)("', '"\\\\"'),
    );
    const parameters = fc
      .uniqueArray(fc.tuple(key, bare), { maxLength: 2, selector: ([name]) => name })
      .map((all) => all.map(([name, value]) => `;${name}=${value}`).join(''));
    const item = fc.tuple(bare, parameters).map(([value, more]) => value + more);
    const value = fc.oneof(
      item,
      fc
        .tuple(fc.array(item, { maxLength: 3 }), parameters)
        .map(([items, more]) => `(${items.join(' ')})${more}`),
    );
    const header = fc
      .array(fc.tuple(key, value), { maxLength: 4 })
      .map((members) => ({ members, text: members.map(([name, text]) => `${name}=${text}`).join(', ') }));
    fc.assert(
      fc.property(header, ({ members, text }) => {
        const read = strictDictionary(text);
        const names = members.map(([name]) => name);
        if (new Set(names).size < names.length) {
          expect(read).toHaveProperty('twice');
          return;
        }
        expect([...(read as Map<string, { text: string }>)].map(([name, one]) => [name, one.text])).toEqual(
          members,
        );
        expect(serializeDictionary(parseDictionary(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});
