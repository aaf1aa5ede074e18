import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../lib/local/events/pattern.ts';

const event = {
  source: 'posthorn',
  'detail-type': 'message.received',
  resources: ['arn:one', 'arn:two'],
  detail: {
    state: 'running',
    size: 42,
    zero: 0,
    yes: true,
    nothing: null,
    empty: '',
    list: [],
    labels: ['unread', 'spam'],
    ip: '10.1.2.3',
    ip6: '2001:db8::7',
    file: 'dir/report-2024.PNG',
    nested: { deep: { value: 'x' } },
    people: [
      { name: 'ann', role: 'reader' },
      { name: 'bob', role: 'writer' },
    ],
  },
};

const detail = (member: unknown) => ({ detail: member });

describe('an event pattern', () => {
  it.each([
    ['equal text', { source: ['posthorn'] }, true],
    ['one of a list', { source: ['other', 'posthorn'] }, true],
    ['other text', { source: ['Posthorn'] }, false],
    ['an absent member', { missing: ['x'] }, false],
    ['every member', { source: ['posthorn'], 'detail-type': ['other'] }, false],
    ['a number', detail({ size: [42] }), true],
    ['a number that is text', detail({ size: ['42'] }), false],
    ['true', detail({ yes: [true] }), true],
    ['null', detail({ nothing: [null] }), true],
    ['null that is absent', detail({ missing: [null] }), false],
    ['the empty text', detail({ empty: [''] }), true],
    ['a list that has it', { resources: ['arn:two'] }, true],
    ['a list that has it not', { resources: ['arn:three'] }, false],
    ['depth', detail({ nested: { deep: { value: ['x'] } } }), true],
    ['depth that is a leaf', detail({ state: { deep: ['x'] } }), false],
    ['a leaf that is an object', detail({ nested: ['x'] }), false],
    ['one object of a list', detail({ people: { name: ['ann'], role: ['reader'] } }), true],
    [
      'members of different objects of a list',
      detail({ people: { name: ['ann'], role: ['writer'] } }),
      false,
    ],
    ['prefix', detail({ state: [{ prefix: 'run' }] }), true],
    ['prefix of other case', detail({ state: [{ prefix: 'RUN' }] }), false],
    ['prefix whatever the case', detail({ state: [{ prefix: { 'equals-ignore-case': 'RUN' } }] }), true],
    ['prefix of a number', detail({ size: [{ prefix: '4' }] }), false],
    ['suffix', detail({ file: [{ suffix: '.PNG' }] }), true],
    ['suffix of other case', detail({ file: [{ suffix: '.png' }] }), false],
    ['suffix whatever the case', detail({ file: [{ suffix: { 'equals-ignore-case': '.png' } }] }), true],
    ['suffix longer than the text', detail({ empty: [{ suffix: 'x' }] }), false],
    ['equals-ignore-case', detail({ state: [{ 'equals-ignore-case': 'RUNNING' }] }), true],
    ['anything-but', detail({ state: [{ 'anything-but': 'stopped' }] }), true],
    ['anything-but itself', detail({ state: [{ 'anything-but': 'running' }] }), false],
    ['anything-but a list', detail({ state: [{ 'anything-but': ['stopped', 'running'] }] }), false],
    ['anything-but a number', detail({ size: [{ 'anything-but': [1, 2] }] }), true],
    ['anything-but when absent', detail({ missing: [{ 'anything-but': 'x' }] }), false],
    ['anything-but a prefix', detail({ state: [{ 'anything-but': { prefix: 'run' } }] }), false],
    ['anything-but prefixes', detail({ state: [{ 'anything-but': { prefix: ['a', 'b'] } }] }), true],
    ['anything-but a suffix', detail({ file: [{ 'anything-but': { suffix: '.PNG' } }] }), false],
    ['anything-but a wildcard', detail({ file: [{ 'anything-but': { wildcard: 'dir/*' } }] }), false],
    [
      'anything-but whatever the case',
      detail({ state: [{ 'anything-but': { 'equals-ignore-case': 'RUNNING' } }] }),
      false,
    ],
    ['anything-but one of a list member', detail({ labels: [{ 'anything-but': 'spam' }] }), true],
    ['numeric =', detail({ size: [{ numeric: ['=', 42.0] }] }), true],
    ['numeric range', detail({ size: [{ numeric: ['>', 0, '<=', 42] }] }), true],
    ['numeric outside the range', detail({ size: [{ numeric: ['>=', 0, '<', 42] }] }), false],
    ['numeric zero', detail({ zero: [{ numeric: ['<', 1] }] }), true],
    ['numeric text', detail({ state: [{ numeric: ['>', 0] }] }), false],
    ['exists', detail({ state: [{ exists: true }] }), true],
    ['exists when absent', detail({ missing: [{ exists: true }] }), false],
    ['exists not', detail({ missing: [{ exists: false }] }), true],
    ['exists not, but it does', detail({ state: [{ exists: false }] }), false],
    ['exists not, deep in what is absent', detail({ gone: { deep: [{ exists: false }] } }), true],
    ['exists for null', detail({ nothing: [{ exists: true }] }), true],
    ['exists for an object', detail({ nested: [{ exists: true }] }), false],
    ['exists or a value', detail({ missing: ['x', { exists: false }] }), true],
    ['cidr', detail({ ip: [{ cidr: '10.0.0.0/8' }] }), true],
    ['cidr outside', detail({ ip: [{ cidr: '10.2.0.0/16' }] }), false],
    ['cidr of IPv6', detail({ ip6: [{ cidr: '2001:db8::/32' }] }), true],
    ['cidr of another family', detail({ ip6: [{ cidr: '0.0.0.0/0' }] }), false],
    ['wildcard', detail({ file: [{ wildcard: 'dir/*-*.PNG' }] }), true],
    ['wildcard that needs more', detail({ file: [{ wildcard: 'dir/*-*-*.PNG' }] }), false],
    ['wildcard over nothing', detail({ state: [{ wildcard: 'running*' }] }), true],
    ['wildcard whose ends overlap', detail({ state: [{ wildcard: 'runni*nning' }] }), false],
    ['wildcard for a star itself', detail({ state: [{ wildcard: 'run\\*' }] }), false],
    ['$or, first', { $or: [{ source: ['posthorn'] }, { source: ['x'] }] }, true],
    ['$or, second, deeper', detail({ $or: [{ state: ['x'] }, { size: [{ numeric: ['>', 1] }] }] }), true],
    ['$or, none', { $or: [{ source: ['x'] }, { account: ['y'] }] }, false],
    ['$or beside another member', { $or: [{ source: ['posthorn'] }, { source: ['x'] }], id: ['x'] }, false],
    ['an inherited name', detail({ constructor: [{ exists: true }] }), false],
  ])('matches %s', (_, pattern, expected) => {
    expect(compilePattern(pattern)(event)).toBe(expected);
  });

  it.each([
    [{}],
    [{ source: 'posthorn' }],
    [{ source: [] }],
    [{ source: [{ unknown: 'x' }] }],
    [{ source: [{ prefix: 1 }] }],
    [{ source: [{ prefix: 'a', suffix: 'b' }] }],
    [{ source: [['nested']] }],
    [{ detail: {} }],
    [{ $or: [{ source: ['x'] }] }],
    [{ source: [{ numeric: ['>'] }] }],
    [{ source: [{ numeric: ['~', 1] }] }],
    [{ source: [{ cidr: '10.0.0.1' }] }],
    [{ source: [{ wildcard: 'a**b' }] }],
    [{ source: [{ 'anything-but': [] }] }],
    [{ source: [{ 'anything-but': { cidr: '10.0.0.0/8' } }] }],
    [{ source: [{ exists: 'yes' }] }],
    [{ source: ['x'.repeat(2048)] }],
  ])('%j is not valid', (pattern) => {
    expect(() => compilePattern(pattern)).toThrow('Event pattern is not valid');
  });

  it('with wildcards agrees with a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '\\'), maxLength: 8 });
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '\\*', '\\\\'), maxLength: 2, minLength: 1 });
    fc.assert(
      fc.property(text, fc.array(piece, { minLength: 1, maxLength: 4 }), (value, pieces) => {
        const expression = new RegExp(`^${pieces.join('.*')}$`, 's');
        const matches = compilePattern({ v: [{ wildcard: pieces.join('*') }] })({ v: value });
        expect(matches).toBe(expression.test(value));
      }),
      { numRuns: 500 },
    );
  });

  it('anything-but is the opposite for a plain value', () => {
    const plain = fc.oneof(fc.string({ maxLength: 3 }), fc.integer({ min: 0, max: 3 }));
    fc.assert(
      fc.property(plain, fc.array(plain, { minLength: 1, maxLength: 3 }), (value, list) => {
        const yes = compilePattern({ v: list })({ v: value });
        const no = compilePattern({ v: [{ 'anything-but': list }] })({ v: value });
        expect(yes).toBe(!no);
      }),
    );
  });
});
