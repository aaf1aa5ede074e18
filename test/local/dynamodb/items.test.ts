import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  ResourceNotFoundException,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { World } from './world.ts';
import { index, N, properties, S, served, world } from './world.ts';

let here: World;
let http: Awaited<ReturnType<typeof served>>;
let client: DynamoDBClient;
const TableName = 'table';
const key = (pk: string, sk = 'x') => ({ pk: S(pk), sk: S(sk) });

beforeAll(async () => {
  here = world();
  await here.deploy(
    properties([index('byOwner', 'boss'), index('keys', 'boss', 'due', { ProjectionType: 'KEYS_ONLY' })]),
  );
  http = await served(here);
  client = http.client;
});
afterAll(async () => {
  await http.close();
  await here.stop();
});

const put = (item: object, more: object = {}) =>
  client.send(new PutItemCommand({ TableName, Item: item as any, ...more }));
const get = async (at: object) => (await client.send(new GetItemCommand({ TableName, Key: at as any }))).Item;

describe('single items through the SDK', () => {
  it('puts, gets, updates and deletes', async () => {
    const item = { ...key('a'), n: N('1e2'), b: { B: new Uint8Array([1, 2]) }, t: { BOOL: true } };
    expect((await put(item, { ReturnValues: 'ALL_OLD' })).Attributes).toBeUndefined();
    expect(await get(key('a'))).toEqual({ ...item, n: N(100) });
    const updated = await client.send(
      new UpdateItemCommand({
        TableName,
        Key: key('a'),
        UpdateExpression: 'SET n = n + :one REMOVE b',
        ExpressionAttributeValues: { ':one': N(1) },
        ReturnValues: 'ALL_NEW',
      }),
    );
    expect(updated.Attributes).toEqual({ ...key('a'), n: N(101), t: { BOOL: true } });
    const gone = await client.send(
      new DeleteItemCommand({ TableName, Key: key('a'), ReturnValues: 'ALL_OLD' }),
    );
    expect(gone.Attributes?.['n']).toEqual(N(101));
    expect(await get(key('a'))).toBeUndefined();
  });

  it('throws the SDK errors, with the item when asked', async () => {
    await put({ ...key('c'), n: N(1) });
    const clash = put(key('c'), {
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await expect(clash).rejects.toBeInstanceOf(ConditionalCheckFailedException);
    await expect(clash).rejects.toMatchObject({
      Item: { ...key('c'), n: N(1) },
      message: 'The conditional request failed',
    });
    await expect(put(key('c'), { ConditionExpression: 'attribute_not_exists(pk)' })).rejects.toMatchObject({
      Item: undefined,
    });
    const missing = client.send(new GetItemCommand({ TableName: 'nowhere', Key: key('c') }));
    await expect(missing).rejects.toBeInstanceOf(ResourceNotFoundException);
    const empty = put({ pk: S(''), sk: S('x') });
    await expect(empty).rejects.toMatchObject({
      name: 'ValidationException',
      message: /cannot contain an empty string value. Key: pk/,
    });
  });

  it.each([
    ['UPDATED_OLD', { doc: { M: { a: N(1) } } }],
    ['UPDATED_NEW', { doc: { M: { a: N(2), b: N(3) } } }],
    ['ALL_OLD', { ...key('r'), doc: { M: { a: N(1), z: N(9) } } }],
    ['NONE', undefined],
  ] as const)('answers ReturnValues %s', async (ReturnValues, expected) => {
    await put({ ...key('r'), doc: { M: { a: N(1), z: N(9) } } });
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName,
        Key: key('r'),
        UpdateExpression: 'SET doc.a = :a, doc.b = :b',
        ExpressionAttributeValues: { ':a': N(2), ':b': N(3) },
        ReturnValues,
      }),
    );
    expect(Attributes).toEqual(expected);
  });

  it('creates on update, but not by taking away', async () => {
    const update = (UpdateExpression?: string) =>
      client.send(
        new UpdateItemCommand({ TableName, Key: key('u', UpdateExpression ?? 'none'), UpdateExpression }),
      );
    await update();
    expect(await get(key('u', 'none'))).toEqual(key('u', 'none'));
    await update('REMOVE a');
    expect(await get(key('u', 'REMOVE a'))).toBeUndefined();
  });

  it.each([
    [{ Key: { pk: S('a') } }, /key element does not match the schema/],
    [{ Key: { pk: N(1), sk: S('a') } }, /key element does not match the schema/],
    [{ Key: key('x'.repeat(2049)) }, /hashkey has exceeded the maximum size limit of 2048/],
    [{ Key: key('a', 'x'.repeat(1025)) }, /size limit of 1024 bytes/],
    [{ Key: key('a'), ProjectionExpression: 'pk.x' }, /Key attributes must be scalars/],
    [
      { Key: key('a'), ExpressionAttributeNames: { '#a': 'a' } },
      /can only be specified when using expressions/,
    ],
    [{ Key: key('a'), AttributesToGet: ['a'] }, /does not offer the parameter AttributesToGet/],
    [{ Key: key('a'), ReturnConsumedCapacity: 'SOME' }, /enum value set: \[INDEXES, TOTAL, NONE\]/],
    [{}, /Value null at 'key' failed to satisfy constraint: Member must not be null/],
  ])('refuses to get by %j', (input, why) => {
    expect(() => here.call('GetItem', { TableName, ...input })).toThrow(why);
  });

  it('holds items to 400 KB', () => {
    // Names and key values take 13 of the bytes.
    const item = (bytes: number) => ({ ...key('400', 'KB'), body: S('x'.repeat(bytes - 13)) });
    here.call('PutItem', { TableName, Item: item(400 * 1024) });
    const large = { TableName, Item: item(400 * 1024 + 1) };
    expect(() => here.call('PutItem', large)).toThrow('Item size has exceeded the maximum allowed size');
    const grow = { TableName, Key: key('400', 'KB'), UpdateExpression: 'SET b = pk' };
    expect(() => here.call('UpdateItem', grow)).toThrow('Item size to update has exceeded');
  });

  it('refuses index keys of another type or without content', () => {
    const item = (boss: object) => ({ TableName, Item: { ...key('i'), boss } });
    expect(() => here.call('PutItem', item(N(1)))).toThrow(
      /Type mismatch for Index Key boss Expected: S Actual: N/,
    );
    expect(() => here.call('PutItem', item(S('')))).toThrow(
      /empty string value. IndexName: byOwner, IndexKey: boss/,
    );
    const set = (boss: object) => ({
      TableName,
      Key: key('i'),
      UpdateExpression: 'SET boss = :o',
      ExpressionAttributeValues: { ':o': boss },
    });
    expect(() => here.call('UpdateItem', set(N(1)))).toThrow(/Type mismatch for Index Key boss/);
    expect(() =>
      here.call('UpdateItem', { TableName, Key: key('i'), UpdateExpression: 'SET pk = sk' }),
    ).toThrow(/Cannot update attribute pk. This attribute is part of the key/);
  });

  it('refuses unknown calls and broken requests', async () => {
    expect(() => here.call('CreateTable', {})).toThrow(
      /does not offer CreateTable; tables come from the template/,
    );
    const send = (body: string, target = 'DynamoDB_20120810.GetItem') =>
      fetch(http.settings.endpoint, { method: 'POST', body, headers: { 'x-amz-target': target } });
    const broken = await send('{');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ __type: 'com.amazon.coral.service#SerializationException' });
    const typed = await send(JSON.stringify({ TableName: 1, Key: {} }));
    expect(await typed.json()).toMatchObject({ __type: 'com.amazon.coral.service#SerializationException' });
    const large = await send(JSON.stringify({ x: 'x'.repeat(16 * 1024 * 1024) }));
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ __type: expect.stringMatching('RequestEntityTooLarge') });
  });
});

describe('batches', () => {
  it('writes and reads through the SDK', async () => {
    const items = Array.from({ length: 25 }, (_, at) => ({ ...key('batch', String(at)), n: N(at) }));
    const written = await client.send(
      new BatchWriteItemCommand({
        RequestItems: { [TableName]: items.map((Item) => ({ PutRequest: { Item } })) },
      }),
    );
    expect(written.UnprocessedItems).toEqual({});
    await client.send(
      new BatchWriteItemCommand({
        RequestItems: { [TableName]: [{ DeleteRequest: { Key: key('batch', '3') } }] },
      }),
    );
    const read = await client.send(
      new BatchGetItemCommand({
        RequestItems: {
          [TableName]: { Keys: items.map(({ pk, sk }) => ({ pk, sk })), ProjectionExpression: 'n' },
        },
        ReturnConsumedCapacity: 'TOTAL',
      }),
    );
    expect(read.Responses?.[TableName]).toHaveLength(24);
    expect(read.ConsumedCapacity?.[0]?.CapacityUnits).toBe(12.5);
  });

  it.each([
    ['BatchGetItem', { Keys: [key('a'), key('a')] }, /contains duplicates/],
    [
      'BatchGetItem',
      { Keys: Array.from({ length: 101 }, (_, at) => key(String(at))) },
      /Too many items requested/,
    ],
    [
      'BatchWriteItem',
      Array.from({ length: 26 }, (_, at) => ({ DeleteRequest: { Key: key(String(at)) } })),
      /Too many items/,
    ],
    [
      'BatchWriteItem',
      [{ PutRequest: { Item: key('a') } }, { DeleteRequest: { Key: key('a') } }],
      /duplicates/,
    ],
    ['BatchWriteItem', [{}], /exactly one of the supported datatypes/],
  ])('%s is refused: %#', (action, table, why) => {
    expect(() => here.call(action, { RequestItems: { [TableName]: table } })).toThrow(why);
  });

  it('leaves what goes over 16 MB for later', () => {
    const keys = Array.from({ length: 45 }, (_, at) => key('huge', String(at)));
    for (const one of keys)
      here.call('PutItem', { TableName, Item: { ...one, body: S('x'.repeat(390 * 1024)) } });
    const { Responses, UnprocessedKeys } = here.call('BatchGetItem', {
      RequestItems: { [TableName]: { Keys: keys } },
    });
    expect(Responses[TableName].length + UnprocessedKeys[TableName].Keys.length).toBe(45);
    expect(Responses[TableName]).toHaveLength(42);
  });
});

describe('request units', () => {
  const item = (bytes: number) => ({
    ...key('cost'),
    boss: S('o'),
    due: S('d'),
    body: S('x'.repeat(bytes)),
  });
  const consumed = (action: string, input: object) =>
    here.call(action, { TableName, ReturnConsumedCapacity: 'INDEXES', ...input }).ConsumedCapacity;

  it('counts the table and each index that is written', () => {
    expect(consumed('PutItem', { Item: item(1500) })).toEqual({
      TableName,
      CapacityUnits: 5,
      Table: { CapacityUnits: 2 },
      GlobalSecondaryIndexes: { byOwner: { CapacityUnits: 2 }, keys: { CapacityUnits: 1 } },
    });
    const touch = {
      Key: key('cost'),
      UpdateExpression: 'SET body = :b',
      ExpressionAttributeValues: { ':b': S('y'.repeat(1500)) },
    };
    expect(consumed('UpdateItem', touch)).toMatchObject({
      CapacityUnits: 4,
      GlobalSecondaryIndexes: { byOwner: {} },
    });
    const move = {
      Key: key('cost'),
      UpdateExpression: 'SET due = :d',
      ExpressionAttributeValues: { ':d': S('e') },
    };
    expect(consumed('UpdateItem', move)).toMatchObject({
      CapacityUnits: 6,
      GlobalSecondaryIndexes: { byOwner: { CapacityUnits: 2 }, keys: { CapacityUnits: 2 } },
    });
  });

  it('counts reads in blocks of 4 KB, half when eventual', () => {
    here.call('PutItem', { TableName, Item: item(5000) });
    expect(consumed('GetItem', { Key: key('cost') }).CapacityUnits).toBe(1);
    expect(consumed('GetItem', { Key: key('cost'), ConsistentRead: true }).CapacityUnits).toBe(2);
    expect(consumed('GetItem', { Key: key('nothing') }).CapacityUnits).toBe(0.5);
  });

  it('records each call with its units, failed ones too', () => {
    here.calls.length = 0;
    here.call('PutItem', { TableName, Item: key('rec') });
    here.call('GetItem', { TableName, Key: key('rec') });
    const failing = { TableName, Item: key('rec'), ConditionExpression: 'attribute_not_exists(pk)' };
    expect(() => here.call('PutItem', failing)).toThrow();
    expect(here.calls).toEqual([
      { service: 'dynamodb', action: 'PutItem', by: 'operator', writeUnits: 1 },
      { service: 'dynamodb', action: 'GetItem', by: 'operator', readUnits: 0.5 },
      {
        service: 'dynamodb',
        action: 'PutItem',
        by: 'operator',
        writeUnits: 1,
        error: 'ConditionalCheckFailedException',
      },
    ]);
  });
});

describe('descriptions', () => {
  it('describe the table as deployed', async () => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({
      TableName,
      TableStatus: 'ACTIVE',
      TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/table',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    });
    expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)).toEqual(['byOwner', 'keys']);
    expect(Table?.CreationDateTime).toBeInstanceOf(Date);
    expect((await client.send(new ListTablesCommand({}))).TableNames).toEqual([TableName]);
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' });
    const byArn = here.call('DescribeTable', { TableName: Table!.TableArn });
    expect(byArn.Table.TableName).toBe(TableName);
  });
});
