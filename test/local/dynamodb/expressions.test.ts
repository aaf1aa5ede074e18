import { describe, expect, it } from 'vitest';
import { holds } from '../../../lib/local/dynamodb/expression/condition.ts';
import { readCondition } from '../../../lib/local/dynamodb/expression/condition-reader.ts';
import { Placeholders } from '../../../lib/local/dynamodb/expression/placeholders.ts';
import { project, readProjection } from '../../../lib/local/dynamodb/expression/projection.ts';
import { applyUpdate } from '../../../lib/local/dynamodb/expression/update.ts';
import { readUpdate } from '../../../lib/local/dynamodb/expression/update-reader.ts';
import type { Item } from '../../../lib/local/dynamodb/value/attribute-value.ts';
import { N, S } from './world.ts';

const item: Item = {
  a: N(5),
  b: S('hello'),
  list: { L: [S('x'), S('y'), S('z')] },
  doc: { M: { in: { M: { deep: N(1) } }, 'with.dot': S('!') } },
  tags: { SS: ['red', 'blue'] },
  bin: { B: 'YWJj' },
  blank: S(''),
  yes: { BOOL: true },
};
const names = { '#l': 'list', '#in': 'in', '#dot': 'with.dot' };
const values = {
  ':n': N(5),
  ':s': S('hello'),
  ':he': S('he'),
  ':x': S('x'),
  ':red': S('red'),
  ':type': S('M'),
  ':bin': { B: 'YWI=' },
  ':low': N(1),
  ':three': N(3),
};

/** The names and values an expression uses. */
function scope(source: string): Placeholders {
  const used = <T>(map: Record<string, T>): Record<string, T> | undefined => {
    const entries = Object.entries(map).filter(([key]) => new RegExp(`${key}\\b`).test(source));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  };
  return new Placeholders(used(names), used(values));
}
const test = (source: string) => holds(readCondition(source, 'ConditionExpression', scope(source)), item);
const update = (source: string, more: Record<string, object> = {}) => {
  const placeholders = new Placeholders(undefined, Object.keys(more).length > 0 ? more : undefined);
  return applyUpdate(item, readUpdate(source, placeholders));
};

describe('conditions', () => {
  it.each([
    'a = :n',
    'a <> :s',
    'nope <> :s',
    ':low < a AND a <= :n',
    'NOT a < :low',
    'a BETWEEN :low AND :n',
    'b IN (:x, :s)',
    'b in (nope, :s)',
    '(a = :n OR nope = :n) AND (b = :s)',
    'a = :low OR a = :n AND b = :s',
    'begins_with(b, :he)',
    'begins_with(bin, :bin)',
    'contains(b, :he)',
    'contains(tags, :red)',
    'contains(#l, :x)',
    'contains(bin, :bin)',
    'size(b) = a',
    'size(#l) = :three',
    'size(bin) = :three',
    'size(blank) < :low',
    'attribute_exists(doc.#in.deep)',
    'attribute_not_exists(doc.#in.shallow)',
    'attribute_exists(doc.#dot)',
    'attribute_exists(#l[2])',
    'attribute_not_exists(#l[3])',
    'attribute_type(doc, :type)',
    'doc.#in.deep = :low',
    'blank <> b',
  ])('%s holds', (source) => expect(test(source)).toBe(true));

  it.each([
    'a = :s',
    'nope = :n',
    'nope < :n',
    'nope = gone',
    'nope <= gone',
    'b BETWEEN :low AND :n',
    'size(a) = :n',
    'size(yes) > :low',
    'contains(b, :n)',
    'attribute_exists(toString)',
    'NOT (a = :n AND b = :s)',
  ])('%s does not hold', (source) => expect(test(source)).toBe(false));

  it.each([
    ['', /can not be empty/],
    ['a = ', /Syntax error; token: "<EOF>", near: "= *"/],
    ['a == :n', /Syntax error; token: "=", near: "== :n"/],
    ['_a = :n', /Syntax error; token: "_"/],
    ['NOT NOT a = :n', /Syntax error; token: "NOT"/],
    ['a = :n b', /Syntax error; token: "b"/],
    ['a', /Syntax error/],
    ['((a = :n))', /redundant parentheses/],
    ['status = :n', /reserved keyword; reserved keyword: status/],
    ['#nope = :n', /attribute name used in the document path is not defined; attribute name: #nope/],
    ['a = :nope', /attribute value used in expression is not defined; attribute value: :nope/],
    ['what(a)', /Invalid function name; function: what/],
    ['size(b)', /not allowed to be used this way in an expression; function: size/],
    ['a = begins_with(b, :he)', /not allowed to be used this way/],
    ['contains(b)', /number of operands: 1/],
    ['attribute_exists(:n)', /requires a document path/],
    ['begins_with(b, :n)', /Incorrect operand type.*operand type: N/],
    ['attribute_type(a, :s)', /Invalid attribute type name found; type: hello/],
    ['a = a', /first operand must be distinct/],
    ['a BETWEEN :n AND :low', /upper bound to be greater than or equal/],
    ['a BETWEEN :low AND :s', /same data type for lower and upper/],
    [`a IN (${Array(101).fill(':n').join(',')})`, /number of operands: 102/],
    [Array(302).fill('a=:n').join(' OR '), /maximum of 300 operators/],
    [`a = :n${' '.repeat(4096)}OR a = :n`, /Expression size has exceeded/],
  ])('%s is refused', (source, why) => {
    expect(() => test(source)).toThrow(why);
    expect(() => test(source)).toThrow(/^Invalid ConditionExpression: /);
  });

  it('refuses placeholders that no expression uses', () => {
    const placeholders = new Placeholders({ '#a': 'a', '#b': 'b' }, { ':v': N(1) });
    readCondition('#a = :v', 'ConditionExpression', placeholders);
    expect(() => placeholders.checkAllUsed()).toThrow(
      'Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}',
    );
    expect(() => new Placeholders({}, undefined)).toThrow('ExpressionAttributeNames must not be empty');
    expect(() => new Placeholders({ a: 'a' }, undefined)).toThrow(
      /contains invalid key: Syntax error; key: "a"/,
    );
    expect(() => new Placeholders(undefined, { ':v': { N: 'x' } })).toThrow(
      'ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :v',
    );
  });
});

describe('updates', () => {
  it('sets from the item as it was before', () => {
    const after = update('SET a = a + :one, c = a, d = if_not_exists(nope, a), b = if_not_exists(b, :one)', {
      ':one': N(1),
    });
    expect(after).toMatchObject({ a: N(6), c: N(5), d: N(5), b: S('hello') });
  });

  it('appends to lists, also to one that is not there yet', () => {
    const more = { ':more': { L: [S('!')] }, ':none': { L: [] } };
    expect(update('SET fresh = list_append(if_not_exists(fresh, :none), :more)', more)['fresh']).toEqual({
      L: [S('!')],
    });
  });

  it('takes list positions from before the update, and closes ranks after', () => {
    expect(update('REMOVE doc.gone SET tags = :v', { ':v': N(1) })['doc']).toEqual(item['doc']);
    const removed = applyUpdate(item, [
      { kind: 'REMOVE', path: ['list', 0] },
      { kind: 'REMOVE', path: ['list', 1] },
      { kind: 'REMOVE', path: ['list', 9] },
    ]);
    expect(removed['list']).toEqual({ L: [S('z')] });
    const grown = applyUpdate(item, [
      { kind: 'SET', path: ['list', 4_000_000_000], value: { kind: 'value', value: S('last') } },
      { kind: 'SET', path: ['list', 7], value: { kind: 'value', value: S('first') } },
      { kind: 'REMOVE', path: ['list', 1] },
    ]);
    expect(grown['list']).toEqual({ L: [S('x'), S('z'), S('first'), S('last')] });
  });

  it('adds to numbers and sets and deletes from sets', () => {
    const more = { ':two': N(2), ':set': { SS: ['red', 'green'] } };
    const after = update('ADD a :two, d :two, tags :set', {
      ...more,
      ':two': N(2),
      ':set': more[':set'],
    });
    expect(after['a']).toEqual(N(7));
    expect(after['tags']).toEqual({ SS: ['red', 'blue', 'green'] });
    expect(update('DELETE tags :set', { ':set': { SS: ['red'] } })['tags']).toEqual({ SS: ['blue'] });
    expect(update('DELETE tags :set', { ':set': { SS: ['red', 'blue'] } })).not.toHaveProperty('tags');
  });

  it('leaves the item it was given alone', () => {
    const before = structuredClone(item);
    update('SET doc.x = :v REMOVE b ADD tags :set', { ':v': N(1), ':set': { SS: ['new'] } });
    expect(item).toEqual(before);
  });

  it.each([
    ['SET a = :v, a = :v', /Two document paths overlap.*path one: \[a\], path two: \[a\]/],
    ['SET doc.x = :v REMOVE doc', /overlap.*path one: \[doc, x\], path two: \[doc\]/],
    ['SET doc.x = :v REMOVE doc[0]', /conflict/],
    ['SET a = :v SET b = :v', /"SET" section can only be used once/],
    ['SET nope.x = :v', /document path provided in the update expression is invalid/],
    ['SET a.x = :v', /document path provided in the update expression is invalid/],
    ['REMOVE nope.x', /document path provided in the update expression is invalid/],
    ['SET c = nope', /refers to an attribute that does not exist/],
    ['SET c = b + :v', /incorrect data type/],
    ['ADD b :v', /incorrect data type/],
    ['DELETE a :v', /Incorrect operand type.*operator: DELETE, operand type: NUMBER/],
    ['ADD c :s', /Incorrect operand type.*operator: ADD, operand type: STRING/],
    ['SET c = list_append(d, :v)', /Incorrect operand type.*list_append, operand type: N/],
    ['SET c = if_not_exists(:v, :v)', /requires a document path/],
    ['SET c = size(b)', /Invalid function name; function: size/],
    ['INSERT c :v', /Syntax error; token: "INSERT"/],
    ['SET c :v', /Syntax error; token: ":v"/],
  ])('%s is refused', (source, why) => {
    expect(() => update(source, { ':v': N(1), ':s': S('s') })).toThrow(why);
  });
});

describe('projections', () => {
  const get = (source: string) => project(item, readProjection(source, scope(source)));

  it('keeps the shape of documents and closes the ranks of lists', () => {
    expect(get('a, doc.#in.deep, nope, #l[2], #l[0]')).toEqual({
      a: N(5),
      doc: { M: { in: { M: { deep: N(1) } } } },
      list: { L: [S('x'), S('z')] },
    });
    expect(get('doc.#dot')).toEqual({ doc: { M: { 'with.dot': S('!') } } });
  });

  it('refuses overlapping paths', () => {
    expect(() => get('a, a')).toThrow(/overlap/);
    expect(() => get('doc.x, doc[1]')).toThrow(/conflict/);
  });
});
