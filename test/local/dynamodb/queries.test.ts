import { paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { World } from './world.ts';
import { index, N, properties, S, served, world } from './world.ts';

let here: World;
const TableName = 'table';
const sorts = ['a', 'a\0', 'a\0b', 'ab', 'b', 'é', '\u{1F600}'];

beforeAll(async () => {
  here = world();
  const keysOnly = { ProjectionType: 'KEYS_ONLY' };
  const some = { ProjectionType: 'INCLUDE', NonKeyAttributes: ['note'] };
  await here.deploy(
    properties([
      index('all', 'g', 'h'),
      index('keys', 'g', 'h', keysOnly),
      index('some', 'g', undefined, some),
    ]),
  );
  for (const [at, sk] of sorts.entries()) {
    const indexed = at % 2 === 0 ? { g: S('even'), h: S(`h${9 - at}`) } : {};
    here.call('PutItem', { TableName, Item: { pk: S('p'), sk: S(sk), n: N(at), note: S('x'), ...indexed } });
  }
});
afterAll(() => here.stop());

function query(condition: string, values: object, more: object = {}) {
  return here.call('Query', {
    TableName,
    KeyConditionExpression: condition,
    ExpressionAttributeValues: values,
    ...more,
  });
}
const sks = (answer: any) => answer.Items.map((item: any) => item.sk.S);
const p = { ':p': S('p') };

describe('Query', () => {
  it('orders strings by their UTF-8 bytes, either way', () => {
    expect(sks(query('pk = :p', p))).toEqual(sorts);
    expect(sks(query('pk = :p', p, { ScanIndexForward: false }))).toEqual([...sorts].reverse());
  });

  it.each([
    ['sk = :a', ['a']],
    ['sk < :a', []],
    ['sk <= :a', ['a']],
    ['sk > :a', sorts.slice(1)],
    [':a <= sk', sorts],
    ['begins_with(sk, :a)', sorts.slice(0, 4)],
    ['sk BETWEEN :a AND :ab', sorts.slice(0, 4)],
  ])('finds %s', (condition, expected) => {
    const values = { ...p, ':a': S('a'), ...(condition.includes(':ab') ? { ':ab': S('ab') } : {}) };
    expect(sks(query(`pk = :p AND ${condition}`, values))).toEqual(expected);
  });

  it('counts Limit before the filter and goes on from any key', () => {
    const filtered = { FilterExpression: 'n >= :n', Limit: 3 };
    const first = query('pk = :p', { ...p, ':n': N(2) }, filtered);
    expect(first).toMatchObject({
      Count: 1,
      ScannedCount: 3,
      LastEvaluatedKey: { pk: S('p'), sk: S('a\0b') },
    });
    const rest = query('pk = :p', p, { ExclusiveStartKey: first.LastEvaluatedKey });
    expect(sks(rest)).toEqual(sorts.slice(3));
    const between = query('pk = :p', p, {
      ExclusiveStartKey: { pk: S('p'), sk: S('aa') },
      ScanIndexForward: false,
    });
    expect(sks(between)).toEqual(sorts.slice(0, 3).reverse());
    expect(query('pk = :p', p, { Limit: 7 }).LastEvaluatedKey).toBeDefined();
    expect(query('pk = :p', p, { Limit: 8 }).LastEvaluatedKey).toBeUndefined();
  });

  it('counts without items', () => {
    expect(query('pk = :p', p, { Select: 'COUNT' })).toEqual({ Count: 7, ScannedCount: 7 });
  });

  it('ends a page at 1 MB', async () => {
    for (let at = 0; at < 6; at++) {
      here.call('PutItem', {
        TableName,
        Item: { pk: S('big'), sk: S(String(at)), body: S('x'.repeat(300_000)) },
      });
    }
    const page = query('pk = :p', { ':p': S('big') }, { ReturnConsumedCapacity: 'TOTAL' });
    expect(page.Count).toBe(4);
    expect(page.ConsumedCapacity.CapacityUnits).toBe(146.5);
    const { client, close } = await served(here);
    let items = 0;
    for await (const { Items = [] } of paginateQuery(
      { client, pageSize: 2 },
      { TableName, KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': S('big') } },
    )) {
      items += Items.length;
    }
    await close();
    expect(items).toBe(6);
  });

  it.each([
    ['pk > :p', {}, /Query key condition not supported/],
    ['sk = :p', {}, /missed key schema element: pk/],
    ['pk = :p AND n = :p', {}, /missed key schema element: sk/],
    ['pk = :p AND pk = :p', {}, /only contain one condition per key/],
    ['pk = :p OR sk = :p', {}, /Invalid operator used in KeyConditionExpression: OR/],
    ['pk = :p AND sk <> :p', {}, /Invalid operator used in KeyConditionExpression: <>/],
    ['pk = :p AND contains(sk, :p)', {}, /Invalid operator used in KeyConditionExpression: contains/],
    ['pk = :p AND size(sk) = :p', {}, /cannot contain nested operations/],
    ['pk = :p AND sk = pk', {}, /Multiple attribute names used in one condition/],
    [
      'pk = :p',
      { FilterExpression: 'sk = :p' },
      /Filter Expression can only contain non-primary key attributes/,
    ],
    ['pk = :p', { IndexName: 'nope' }, /does not have the specified index: nope/],
    ['pk = :p', { ExclusiveStartKey: { pk: S('q'), sk: S('a') } }, /outside query boundaries/],
    ['pk = :p', { ExclusiveStartKey: { pk: S('p') } }, /starting key is invalid/],
    ['pk = :p', { Select: 'ALL_PROJECTED_ATTRIBUTES' }, /only when Querying using an IndexName/],
    ['pk = :p', { Select: 'COUNT', ProjectionExpression: 'n' }, /Cannot specify the ProjectionExpression/],
    [
      'pk = :p',
      { Select: 'SPECIFIC_ATTRIBUTES' },
      /Must specify the AttributesToGet or ProjectionExpression/,
    ],
    ['pk = :p', { Limit: 0 }, /Member must have value greater than or equal to 1/],
    ['pk = :p', { KeyConditions: {} }, /does not offer the parameter KeyConditions/],
  ])('%s with %j is refused', (condition, more, why) => {
    expect(() => query(condition, p, more)).toThrow(why);
  });
});

describe('global indexes', () => {
  const even = { ':g': S('even') };

  it('are sparse, in their own order, and project what they say', () => {
    const all = query('g = :g', even, { IndexName: 'all' });
    expect(all.Items.map((item: any) => item.h.S)).toEqual(['h3', 'h5', 'h7', 'h9']);
    expect(all.Items[0]).toHaveProperty('note');
    const [first] = query('g = :g', even, { IndexName: 'keys' }).Items;
    expect(Object.keys(first).sort()).toEqual(['g', 'h', 'pk', 'sk']);
    const [some] = query('g = :g', even, { IndexName: 'some' }).Items;
    expect(Object.keys(some).sort()).toEqual(['g', 'note', 'pk', 'sk']);
  });

  it('go on from a key of index and table together', () => {
    const seen: string[] = [];
    let start: object | undefined;
    do {
      const page = query('g = :g', even, {
        IndexName: 'some',
        Limit: 1,
        ...(start ? { ExclusiveStartKey: start } : {}),
      });
      seen.push(...sks(page));
      start = page.LastEvaluatedKey;
      if (start !== undefined) expect(Object.keys(start).sort()).toEqual(['g', 'pk', 'sk']);
    } while (start !== undefined);
    expect(seen.sort()).toEqual(['a', 'a\0b', 'b', '\u{1F600}'].sort());
  });

  it('follow every change of the item', () => {
    const change = (UpdateExpression: string, ExpressionAttributeValues?: object) =>
      here.call('UpdateItem', {
        TableName,
        Key: { pk: S('f'), sk: S('1') },
        UpdateExpression,
        ...(ExpressionAttributeValues ? { ExpressionAttributeValues } : {}),
      });
    const found = (g: string) => query('g = :g', { ':g': S(g) }, { IndexName: 'all' }).Count;
    change('SET g = :g, h = :h', { ':g': S('one'), ':h': S('h') });
    expect([found('one'), found('two')]).toEqual([1, 0]);
    change('SET g = :g', { ':g': S('two') });
    expect([found('one'), found('two')]).toEqual([0, 1]);
    change('REMOVE h');
    expect(found('two')).toBe(0);
    change('SET h = :h', { ':h': S('h') });
    here.call('DeleteItem', { TableName, Key: { pk: S('f'), sk: S('1') } });
    expect(found('two')).toBe(0);
  });

  it('refuse what only a table can do', () => {
    expect(() => query('g = :g', even, { IndexName: 'all', ConsistentRead: true })).toThrow(
      /Consistent reads are not/,
    );
    expect(() => query('g = :g', even, { IndexName: 'keys', Select: 'ALL_ATTRIBUTES' })).toThrow(
      /projection type is not ALL/,
    );
    expect(() => query('g = :g', even, { IndexName: 'keys', ProjectionExpression: 'n' })).toThrow(
      /does not project \[n\]/,
    );
  });
});

describe('Scan', () => {
  it('reads every item once, also in segments and pages', async () => {
    const total = here.call('Scan', {
      TableName,
      Select: 'COUNT',
      FilterExpression: 'attribute_exists(n)',
    }).Count;
    const { client, close } = await served(here);
    const seen = new Set<string>();
    for (const Segment of [0, 1, 2]) {
      for await (const page of paginateScan(
        { client, pageSize: 1 },
        { TableName, Segment, TotalSegments: 3 },
      )) {
        for (const item of page.Items ?? []) seen.add(`${item['pk']!.S}/${item['sk']!.S}`);
      }
    }
    await close();
    expect(total).toBe(7);
    expect(seen.size).toBe(here.call('DescribeTable', { TableName }).Table.ItemCount);
    expect(here.call('Scan', { TableName, IndexName: 'keys' }).Count).toBe(4);
  });

  it('refuses half of a segment', () => {
    expect(() => here.call('Scan', { TableName, Segment: 0 })).toThrow(/TotalSegments parameter is required/);
    expect(() => here.call('Scan', { TableName, TotalSegments: 2 })).toThrow(/Segment parameter is required/);
    expect(() => here.call('Scan', { TableName, Segment: 2, TotalSegments: 2 })).toThrow(/zero-based/);
  });
});
