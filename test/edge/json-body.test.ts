import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../lib/contract/problem.ts';
import type { HttpRequest } from '../../lib/edge/http-request.ts';
import { readJsonBody } from '../../lib/edge/json-body.ts';
import { jsonFault } from '../../lib/edge/json-fault.ts';

const read = (body: string | Buffer) =>
  readJsonBody({ body: Buffer.from(body), headers: {} } as unknown as HttpRequest);

describe('a JSON body', () => {
  it('is read', () => {
    expect(read('{"a":[1,{"b":null}]}')).toEqual({ a: [1, { b: null }] });
    expect(read('')).toBeUndefined();
  });
  for (const [text, position] of [
    ['abc', 0],
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ['[1 2]', 3],
    ['{a}', 1],
    ['   x', 3],
    ['{"a":[1,2}', 9],
    ['{"k":"v"} x', 10],
    ['[1,]', 3],
    ['{"a" 1}', 5],
    ['{"a":tru}', 5],
    ['{', 1],
    ['["a', 3],
  ] as const) {
    it(`names where it ends to be one: ${text}`, () =>
      expect(() => read(text)).toThrow(` at position ${position}`));
  }
  it('is bounded in depth before it is parsed', () => {
    expect(() => read('['.repeat(5_000_000))).toThrow('deeper than 32');
    expect(() => read(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`)).toThrow('deeper than 32');
    expect(read(`${'['.repeat(32)}${']'.repeat(32)}`)).toBeDefined();
    expect(read(JSON.stringify('[['.repeat(40)))).toBe('[['.repeat(40));
    expect(read(JSON.stringify(`\\"${'[['.repeat(40)}`))).toBe(`\\"${'[['.repeat(40)}`);
  });
  it('pollutes nothing', () => {
    for (const text of ['{"__proto__":{"x":1}}', '[{"a":{"__proto__":1}}]', '{"\\u005f_proto__":1}'])
      expect(() => read(text)).toThrow('__proto__');
    expect(read('{"constructor":1}')).toEqual({ constructor: 1 });
  });
  it('is UTF-8', () => expect(() => read(Buffer.from([0x22, 0xff, 0x22]))).toThrow('UTF-8'));

  it('that is broken is always a Problem', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (json, at, put) => {
        const text = json.slice(0, at % (json.length + 1)) + put + json.slice(at % (json.length + 1));
        try {
          read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
        }
      }),
    );
  });
});

describe('the place of a fault', () => {
  it('is the end of a text without one', () => {
    fc.assert(fc.property(fc.json(), (json) => jsonFault(json) === json.length));
  });
  it('is where something was put in that belongs nowhere', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue()),
        fc.nat(),
        fc.constantFrom('!', "'", 'nul', ' .5', '\u00a0'),
        (value, at, put) => {
          const json = JSON.stringify(value, null, 1);
          const places = [...json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g)]
            .filter(([token]) => token[0] !== '"')
            .map(({ index }) => index + 1);
          const place = places[at % places.length]!;
          expect(jsonFault(json.slice(0, place) + put + json.slice(place))).toBe(
            place + (put.startsWith(' ') ? 1 : 0),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
