import {
  IdempotentParameterMismatchException,
  TransactGetItemsCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { World } from './world.ts';
import { index, N, properties, S, served, world } from './world.ts';

const TableName = 'table';
const key = (sk: string) => ({ pk: S('t'), sk: S(sk) });
let here: World;
let http: Awaited<ReturnType<typeof served>>;
let stream: string;

beforeEach(async () => {
  here = world();
  stream = String((await here.deploy(properties([index('g', 'g')]))).attributes!['StreamArn']);
  http = await served(here);
});
afterEach(async () => {
  await http.close();
  await here.stop();
});

const write = (TransactItems: TransactWriteItem[], more: object = {}) =>
  http.client.send(new TransactWriteItemsCommand({ TransactItems, ...more }));
const put = (sk: string, more: object = {}): TransactWriteItem => ({
  Put: { TableName, Item: key(sk), ...more },
});
const count = () => here.call('Scan', { TableName, Select: 'COUNT' }).Count;
const records = () =>
  here.dynamodb.readStream({ kind: 'operator', arn: 'a', accessKeyId: 'a' }, stream, 'TRIM_HORIZON', 1000);

describe('TransactWriteItems', () => {
  it('does all of it, with its stream records', async () => {
    await write([put('old'), put('gone')]);
    await write([
      put('new', { ConditionExpression: 'attribute_not_exists(pk)' }),
      {
        Update: {
          TableName,
          Key: key('old'),
          UpdateExpression: 'SET n = :n',
          ExpressionAttributeValues: { ':n': N(1) },
        },
      },
      { Delete: { TableName, Key: key('gone') } },
      { ConditionCheck: { TableName, Key: key('other'), ConditionExpression: 'attribute_not_exists(pk)' } },
    ]);
    expect(count()).toBe(2);
    expect(records().map(({ eventName }) => eventName)).toEqual([
      'INSERT',
      'INSERT',
      'INSERT',
      'MODIFY',
      'REMOVE',
    ]);
  });

  it('does nothing of it when one condition fails, and says which', async () => {
    await write([{ Put: { TableName, Item: { ...key('there'), n: N(7) } } }]);
    const failing = write([
      put('fresh'),
      put('there', {
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
      { Update: { TableName, Key: key('there2'), UpdateExpression: 'SET a = nope' } },
      { ConditionCheck: { TableName, Key: key('x'), ConditionExpression: 'attribute_exists(pk)' } },
    ]);
    await expect(failing).rejects.toBeInstanceOf(TransactionCanceledException);
    await expect(failing).rejects.toMatchObject({
      message:
        'Transaction cancelled, please refer cancellation reasons for specific reasons ' +
        '[None, ConditionalCheckFailed, ValidationError, ConditionalCheckFailed]',
      CancellationReasons: [
        { Code: 'None' },
        {
          Code: 'ConditionalCheckFailed',
          Message: 'The conditional request failed',
          Item: { ...key('there'), n: N(7) },
        },
        { Code: 'ValidationError', Message: expect.stringContaining('does not exist in the item') },
        { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' },
      ],
    });
    expect(count()).toBe(1);
    expect(records()).toHaveLength(1);
  });

  it('is done once for one token, for ten minutes', async () => {
    const add: TransactWriteItem = {
      Update: {
        TableName,
        Key: key('n'),
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': N(1) },
      },
    };
    const token = { ClientRequestToken: 'token', ReturnConsumedCapacity: 'TOTAL' };
    const first = await write([add], token);
    expect(first.ConsumedCapacity).toEqual([{ TableName, CapacityUnits: 2, WriteCapacityUnits: 2 }]);
    const again = await write([add], token);
    expect(again.ConsumedCapacity).toEqual([{ TableName, CapacityUnits: 2, ReadCapacityUnits: 2 }]);
    await expect(write([put('other')], token)).rejects.toBeInstanceOf(IdempotentParameterMismatchException);
    await http.close();
    await here.restart();
    http = await served(here);
    await here.deploy(properties([index('g', 'g')]));
    await write([add], token);
    expect(here.call('GetItem', { TableName, Key: key('n') }).Item.n).toEqual(N(1));
    here.clock.advance(10 * 60 * 1000);
    await write([add], token);
    expect(here.call('GetItem', { TableName, Key: key('n') }).Item.n).toEqual(N(2));
  });

  it('does not keep the token of a cancelled transaction', async () => {
    const guarded = [put('later', { ConditionExpression: 'attribute_exists(pk)' })];
    await expect(write(guarded, { ClientRequestToken: 'again' })).rejects.toThrow(/cancelled/);
    here.call('PutItem', { TableName, Item: key('later') });
    await write(guarded, { ClientRequestToken: 'again' });
  });

  it('costs double, indexes included, and a check like a write', async () => {
    const { ConsumedCapacity } = await write(
      [
        { Put: { TableName, Item: { ...key('c'), g: S('g') } } },
        { ConditionCheck: { TableName, Key: key('d'), ConditionExpression: 'attribute_not_exists(pk)' } },
      ],
      { ReturnConsumedCapacity: 'INDEXES' },
    );
    expect(ConsumedCapacity).toEqual([
      {
        TableName,
        CapacityUnits: 6,
        WriteCapacityUnits: 6,
        Table: { CapacityUnits: 4, WriteCapacityUnits: 4 },
        GlobalSecondaryIndexes: { g: { CapacityUnits: 2, WriteCapacityUnits: 2 } },
      },
    ]);
  });

  it.each([
    [[put('a'), { Delete: { TableName, Key: key('a') } }], /multiple operations on one item/],
    [
      [{ ...put('a'), Delete: { TableName, Key: key('b') } }],
      /only contain one of Check, Put, Update or Delete/,
    ],
    [Array.from({ length: 101 }, (_, at) => put(String(at))), /length less than or equal to 100/],
    [[], /length greater than or equal to 1/],
    [
      Array.from({ length: 12 }, (_, at) => ({
        Put: { TableName, Item: { ...key(String(at)), b: S('x'.repeat(380_000)) } },
      })),
      /4 MB/,
    ],
    [[put('a', { ConditionExpression: 'a = = b' })], /Invalid ConditionExpression/],
  ])('is refused: %#', async (items, why) => {
    await expect(write(items as TransactWriteItem[])).rejects.toMatchObject({
      name: 'ValidationException',
      message: why,
    });
    expect(count()).toBe(0);
  });
});

describe('TransactGetItems', () => {
  it('answers in order, at double price', async () => {
    await write([{ Put: { TableName, Item: { ...key('a'), n: N(1) } } }]);
    const answer = await http.client.send(
      new TransactGetItemsCommand({
        TransactItems: [
          { Get: { TableName, Key: key('none') } },
          { Get: { TableName, Key: key('a'), ProjectionExpression: 'n' } },
        ],
        ReturnConsumedCapacity: 'TOTAL',
      }),
    );
    expect(answer.Responses).toEqual([{}, { Item: { n: N(1) } }]);
    expect(answer.ConsumedCapacity).toEqual([{ TableName, CapacityUnits: 4, ReadCapacityUnits: 4 }]);
  });
});
