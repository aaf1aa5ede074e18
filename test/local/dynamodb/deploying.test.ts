import { describe, expect, it } from 'vitest';
import { index, N, properties, S, world } from './world.ts';

const TableName = 'table';
const item = { pk: S('a'), sk: S('b'), g: S('g'), ttl: N(1) };

describe('deploying a table', () => {
  it('answers Ref and attributes, the same after a restart', async () => {
    const here = world();
    const first = await here.deploy(properties());
    expect(first).toEqual({
      ref: 'table',
      attributes: {
        Arn: 'arn:aws:dynamodb:us-east-1:000000000000:table/table',
        TableId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        StreamArn: expect.stringMatching(/:table\/table\/stream\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/),
      },
    });
    here.call('PutItem', { TableName, Item: item });
    await here.restart();
    expect(() => here.call('GetItem', { TableName, Key: { pk: S('a'), sk: S('b') } })).toThrow(
      /resource not found/,
    );
    expect(await here.deploy(properties())).toEqual(first);
    expect(here.call('GetItem', { TableName, Key: { pk: S('a'), sk: S('b') } }).Item).toEqual(item);
    await here.stop();
  });

  it('fills a new index from what is there', async () => {
    const here = world();
    await here.deploy(properties());
    for (let at = 0; at < 1200; at++)
      here.call('PutItem', { TableName, Item: { ...item, sk: S(String(at)) } });
    here.call('PutItem', { TableName, Item: { ...item, pk: S('odd'), g: N(1) } });
    await here.restart();
    await here.deploy(properties([index('new', 'g', undefined, { ProjectionType: 'KEYS_ONLY' })]));
    const query = {
      TableName,
      IndexName: 'new',
      KeyConditionExpression: 'g = :g',
      ExpressionAttributeValues: { ':g': S('g') },
    };
    expect(here.call('Query', { ...query, Select: 'COUNT' }).Count).toBe(1200);
    await here.stop();
  });

  it('takes up another TTL attribute for what is there', async () => {
    const here = world();
    await here.deploy(properties([], { TimeToLiveSpecification: { Enabled: false } }));
    here.call('PutItem', { TableName, Item: { ...item, ttl: N(Math.floor(Date.now() / 1000)) } });
    here.clock.advance(60 * 60 * 1000);
    expect(here.call('Scan', { TableName }).Count).toBe(1);
    await here.deploy(properties());
    here.clock.advance(60 * 60 * 1000);
    expect(here.call('Scan', { TableName }).Count).toBe(0);
    await here.stop();
  });

  it.each([
    [
      properties([index('i', 'g')], {
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'g', AttributeType: 'S' },
        ],
      }),
      /its key schema has changed/,
    ],
    [properties(), /its index i has been removed/],
    [properties([index('i', 'g', 'h')]), /its index i has other keys or another projection/],
    [
      properties([index('i', 'g', undefined, { ProjectionType: 'KEYS_ONLY' })]),
      /its index i has other keys or another/,
    ],
  ])('refuses a change that the data does not survive: %#', async (changed, why) => {
    const here = world();
    await here.deploy(properties([index('i', 'g')]));
    await expect(here.deploy(changed)).rejects.toThrow(why);
    await expect(here.deploy(changed)).rejects.toThrow(/start with a new home/);
    await here.stop();
  });

  it.each([
    [{ ...properties(), Colour: 'red' }, /Colour/],
    [{ ...properties(), Replicas: [{ Region: 'us-east-1' }, { Region: 'eu-central-1' }] }, /one replica/],
    [{ ...properties(), Replicas: [{ Region: 'eu-central-1' }] }, /its replica is in eu-central-1/],
    [
      { ...properties(), AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }] },
      /lacks the key attribute sk/,
    ],
    [
      properties([], {
        AttributeDefinitions: ['pk', 'sk', 'x'].map((AttributeName) => ({
          AttributeName,
          AttributeType: 'S',
        })),
      }),
      /names x, which no key uses/,
    ],
    [properties([], { TimeToLiveSpecification: { Enabled: true } }), /without an AttributeName/],
    [properties([], { LocalSecondaryIndexes: [] }), /LocalSecondaryIndexes/],
  ])('refuses a template it would not play: %#', async (wrong, why) => {
    const here = world();
    await expect(here.deploy(wrong)).rejects.toThrow(why);
    await here.stop();
  });

  it('takes what CDK writes for TableV2 and Table', async () => {
    const here = world();
    const { Replicas: _, ...plain } = properties();
    const v2 = {
      ...properties([], { TableName: 'two' }),
      SSESpecification: { SSEEnabled: false },
      Replicas: [
        {
          Region: 'us-east-1',
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          DeletionProtectionEnabled: true,
          Tags: [{ Key: 'a', Value: 'b' }],
        },
      ],
    };
    expect((await here.deploy(v2)).ref).toBe('two');
    expect(here.call('DescribeTable', { TableName: 'two' }).Table.DeletionProtectionEnabled).toBe(true);
    const v1 = {
      ...plain,
      TableName: 'one',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    };
    expect((await here.deploy(v1, 'AWS::DynamoDB::Table')).ref).toBe('one');
    expect(here.call('ListTables', { Limit: 1 })).toEqual({
      TableNames: ['one'],
      LastEvaluatedTableName: 'one',
    });
    await here.stop();
  });

  it('is held by one process at a time', async () => {
    const here = world();
    expect(() => world({ home: here.home })).toThrow(/in use by another process/);
    await here.stop();
    await world({ home: here.home }).stop();
  });
});
