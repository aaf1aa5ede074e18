import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import type { Misfortune } from '../../../lib/local/weather.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import { index, properties, S, served, world } from './world.ts';

const TableName = 'table';
const key = (sk: string) => ({ pk: S('w'), sk: S(sk) });
async function stormy(odds: Partial<Record<Misfortune, number>>) {
  const here = world({ weather: badWeather(5, odds) });
  await here.deploy(properties([index('g', 'g', 'h')]));
  return here;
}

describe('bad weather', () => {
  it('cancels transactions for a neighbour, changing nothing', async () => {
    const here = await stormy({ 'transaction-conflict': 1 });
    const items = ['1', '2', '3'].map((sk) => ({ Put: { TableName, Item: key(sk) } }));
    const failure = (action: string, input: object) => {
      try {
        return here.call(action, input);
      } catch (error: any) {
        return error;
      }
    };
    const write = failure('TransactWriteItems', { TransactItems: items });
    expect(write.code).toBe('TransactionCanceledException');
    const codes = write.fields.CancellationReasons.map(({ Code }: any) => Code).sort();
    expect(codes).toEqual(['None', 'None', 'TransactionConflict']);
    const read = failure('TransactGetItems', { TransactItems: [{ Get: { TableName, Key: key('1') } }] });
    expect(read.message).toMatch(/\[TransactionConflict\]/);
    expect(here.call('Scan', { TableName }).Count).toBe(0);
    await here.stop();
  });

  it('throttles by the two names that the SDK repeats', async () => {
    const here = await stormy({ throttle: 0.5 });
    const http = await served(here);
    let answered = 0;
    for (let at = 0; at < 30; at++) {
      await http.client.send(new GetItemCommand({ TableName, Key: key('1') })).then(
        () => answered++,
        (error: Error) => expect(error.name).toMatch(/^(Throttling|ProvisionedThroughputExceeded)Exception$/),
      );
    }
    const errors = new Set(here.calls.flatMap(({ error }) => error ?? []));
    expect([...errors].sort()).toEqual(['ProvisionedThroughputExceededException', 'ThrottlingException']);
    expect(answered).toBeGreaterThan(0);
    await http.close();
    await here.stop();
  });

  it('leaves part of a batch, never all of it', async () => {
    const here = await stormy({ 'partial-batch': 1 });
    let left = Array.from({ length: 20 }, (_, at) => ({ PutRequest: { Item: key(String(at)) } }));
    let rounds = 0;
    while (left.length > 0) {
      const { UnprocessedItems } = here.call('BatchWriteItem', { RequestItems: { [TableName]: left } });
      const next = UnprocessedItems[TableName] ?? [];
      expect(next.length).toBeLessThan(left.length);
      left = next;
      rounds++;
    }
    expect(rounds).toBeGreaterThan(1);
    expect(here.call('Scan', { TableName }).Count).toBe(20);
    const Keys = Array.from({ length: 20 }, (_, at) => key(String(at)));
    const { Responses, UnprocessedKeys } = here.call('BatchGetItem', {
      RequestItems: { [TableName]: { Keys } },
    });
    expect(Responses[TableName].length + UnprocessedKeys[TableName].Keys.length).toBe(20);
    expect(UnprocessedKeys[TableName].Keys.length).toBeGreaterThan(0);
    await here.stop();
  });

  it('lets an index lag behind the table, and catch up at the next read', async () => {
    const odds = { 'index-lag': 1 };
    const here = await stormy(odds);
    const byIndex = () =>
      here
        .call('Query', {
          TableName,
          IndexName: 'g',
          KeyConditionExpression: 'g = :g',
          ExpressionAttributeValues: { ':g': S('g') },
        })
        .Items.map((item: any) => `${item.sk.S}${item.h.S}`);
    const put = (sk: string, h: string) =>
      here.call('PutItem', { TableName, Item: { ...key(sk), g: S('g'), h: S(h) } });
    for (const sk of ['1', '2', '3']) put(sk, sk);
    byIndex();
    expect(byIndex()).toEqual(['11', '22', '33']);
    put('2', '9');
    expect(here.call('GetItem', { TableName, Key: key('2') }).Item.h).toEqual(S('9'));
    expect(byIndex()).toEqual(['11', '22', '33']);
    expect(byIndex()).toEqual(['11', '33', '29']);
    here.call('DeleteItem', { TableName, Key: key('1') });
    expect(byIndex()).toEqual(['11', '33', '29']);
    put('0', '0');
    expect(byIndex()).toEqual(['33', '29']);
    expect(byIndex()).toEqual(['00', '33', '29']);
    expect(here.call('Scan', { TableName, IndexName: 'g' }).Count).toBe(3);
    await here.stop();
  });
});
