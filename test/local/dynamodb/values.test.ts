import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isReserved, RESERVED_WORDS } from '../../../lib/local/dynamodb/expression/reserved-words.ts';
import { readItem, readValue } from '../../../lib/local/dynamodb/value/attribute-value.ts';
import {
  addNumbers,
  compareNumbers,
  encodeNumber,
  normalizeNumber,
  subtractNumbers,
} from '../../../lib/local/dynamodb/value/decimal.ts';
import { sameValue } from '../../../lib/local/dynamodb/value/equality.ts';
import { afterElement, element, prefixRange } from '../../../lib/local/dynamodb/value/key-bytes.ts';
import { itemSize } from '../../../lib/local/dynamodb/value/size.ts';

const decimal = fc
  .tuple(fc.boolean(), fc.stringMatching(/^[1-9]\d{0,20}$/), fc.integer({ min: -100, max: 100 }))
  .map(([minus, digits, exponent]) => `${minus ? '-' : ''}${digits}e${exponent}`);

describe('numbers', () => {
  it.each([
    ['1e3', '1000'],
    ['007', '7'],
    ['+1.50', '1.5'],
    ['-0', '0'],
    ['.5', '0.5'],
    ['1E-3', '0.001'],
    ['123456789012345678901234567890.12345678', '123456789012345678901234567890.12345678'],
  ])('writes %s as %s', (given, written) => {
    expect(normalizeNumber(given)).toBe(written);
  });

  it.each([
    ['', /cannot be converted/],
    ['1x', /cannot be converted to a numeric value: 1x/],
    ['.', /cannot be converted/],
    ['NaN', /cannot be converted/],
    ['1e126', /Number overflow/],
    ['1e-131', /Number underflow/],
    ['123456789012345678901234567890123456789', /more than 38 significant digits/],
  ])('refuses %j', (given, why) => {
    expect(() => normalizeNumber(given)).toThrow(why);
  });

  it('takes the ends of the range', () => {
    expect(normalizeNumber('1e125')).toBe('1' + '0'.repeat(125));
    expect(normalizeNumber('1e-130')).toBe(`0.${'0'.repeat(129)}1`);
  });

  it('sorts as bytes the way the numbers do', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const bytes = Math.sign(Buffer.compare(encodeNumber(a), encodeNumber(b)));
        const [left, right] = [normalizeNumber(a), normalizeNumber(b)];
        expect(bytes).toBe(left === right ? 0 : subtractSign(left, right));
        expect(Math.sign(compareNumbers(left, right))).toBe(bytes);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('adds exactly what a double would lose', () => {
    expect(addNumbers('0.1', '0.2')).toBe('0.3');
    expect(addNumbers('12345678901234567890', '1')).toBe('12345678901234567891');
    expect(subtractNumbers('1', '1')).toBe('0');
    expect(subtractNumbers('1', '-1.5')).toBe('2.5');
    expect(() => addNumbers('1e30', '1e-30')).toThrow(/38 significant digits/);
  });
});

/** Sign of left - right, by BigInt. */
function subtractSign(left: string, right: string): number {
  const scaled = (text: string) => {
    const [whole = '', fraction = ''] = text.split('.');
    return BigInt(whole + fraction.padEnd(130, '0'));
  };
  return scaled(left) < scaled(right) ? -1 : 1;
}

describe('values', () => {
  it.each([
    [{}, /is empty, must contain exactly one/],
    [{ S: 'a', N: '1' }, /more than one datatypes set/],
    [{ NULL: false }, /must have the value of true/],
    [{ SS: [] }, /string set {2}may not be empty/],
    [{ SS: ['a', 'a'] }, /contains duplicates/],
    [{ NS: ['1', '1.0'] }, /contains duplicates/],
    [{ BS: ['YQ==', 'YQ=='] }, /contains duplicates/],
    [{ S: 1 }, /cannot be converted to String/],
    [{ B: 'not base64!' }, /Base64/],
  ])('refuses %j', (given, why) => {
    expect(() => readValue(given)).toThrow(why);
  });

  it('counts nesting to 32 levels', () => {
    const nested = (levels: number): object => (levels === 0 ? { S: 'x' } : { L: [nested(levels - 1)] });
    expect(() => readItem({ a: nested(32) })).not.toThrow();
    expect(() => readItem({ a: nested(33) })).toThrow(/Nesting Levels/);
  });

  it('treats __proto__ and constructor as attributes like any other', () => {
    const item = readItem(JSON.parse('{"__proto__":{"S":"a"},"constructor":{"N":"01"}}'));
    expect(JSON.stringify(item)).toBe('{"__proto__":{"S":"a"},"constructor":{"N":"1"}}');
    expect(Object.getPrototypeOf(item)).toBe(Object.prototype);
  });

  it('sees the same set whatever the order of its members', () => {
    expect(sameValue({ SS: ['a', 'b'] }, { SS: ['b', 'a'] })).toBe(true);
    expect(sameValue({ SS: ['a', 'b'] }, { SS: ['a'] })).toBe(false);
    expect(sameValue({ L: [{ S: 'a' }] }, { L: [{ S: 'b' }] })).toBe(false);
    expect(sameValue({ M: { a: { N: '1' } } }, { M: { a: { N: '1' } } })).toBe(true);
    expect(sameValue({ S: '1' }, { N: '1' })).toBe(false);
  });

  it.each([
    [{ pk: { S: 'é' } }, 4],
    [{ n: { N: '-12.5' } }, 5],
    [{ n: { N: '0' } }, 2],
    [{ b: { B: 'YWJj' } }, 4],
    [{ t: { BOOL: true }, z: { NULL: true as const } }, 4],
    [{ l: { L: [{ S: 'ab' }] } }, 7],
    [{ m: { M: { k: { S: 'v' } } } }, 7],
    [{ s: { SS: ['ab', 'c'] } }, 4],
  ])('counts the bytes of %j', (item, bytes) => {
    expect(itemSize(item)).toBe(bytes);
  });
});

describe('key bytes', () => {
  const key = fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes));

  it('sort tuples element by element', () => {
    fc.assert(
      fc.property(fc.tuple(key, key), fc.tuple(key, key), (a, b) => {
        const byElement = Buffer.compare(a[0], b[0]) || Buffer.compare(a[1], b[1]);
        expect(Buffer.compare(Buffer.concat(a.map(element)), Buffer.concat(b.map(element)))).toBe(byElement);
      }),
      { seed: 2, numRuns: 2000 },
    );
  });

  it('bound exactly what has the prefix, and what equals the element', () => {
    fc.assert(
      fc.property(key, key, fc.constantFrom(0, 1), (prefix, rest, related) => {
        const bytes = related === 1 ? Buffer.concat([prefix, rest]) : rest;
        const inside = ({ lower, upper }: { lower: Buffer; upper: Buffer }) =>
          Buffer.compare(lower, element(bytes)) <= 0 && Buffer.compare(element(bytes), upper) < 0;
        expect(inside(prefixRange(prefix))).toBe(bytes.subarray(0, prefix.length).equals(prefix));
        expect(inside({ lower: element(prefix), upper: afterElement(prefix) })).toBe(bytes.equals(prefix));
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});

describe('reserved words', () => {
  it('are all 573, whatever the case', () => {
    expect(RESERVED_WORDS.size).toBe(573);
    expect(['abort', 'Zone', 'TTL', 'name', 'status'].every(isReserved)).toBe(true);
    expect(['pk', 'inbox', 'label'].some(isReserved)).toBe(false);
  });
});
