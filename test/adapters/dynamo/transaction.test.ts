import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { getRow, getRows, queryRange } from '../../../lib/adapters/dynamo/rows.ts';
import { transact, TransactionConflict, type Write } from '../../../lib/adapters/dynamo/transaction.ts';
import { maxWrites } from '../../../lib/core/mail-ports.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
afterEach(() => house.close());
const key = (n: number) => ({ pk: 'O#x', sk: String(n).padStart(3, '0') });
const claim = (n: number, otherwise = `taken ${n}`): Write<string> => ({
  put: key(n),
  condition: 'attribute_not_exists(pk)',
  otherwise,
});

describe('a transaction', () => {
  it('answers the word of the first failed condition and the row as it stands', async () => {
    house = await tableHouse();
    await house.database.client.send(new PutCommand({ TableName: 'mailroom', Item: { ...key(2), n: 2 } }));
    await house.database.client.send(new PutCommand({ TableName: 'mailroom', Item: { ...key(3), n: 3 } }));
    expect(await transact(house.database, [claim(1), claim(3), claim(2)])).toEqual({
      refused: 'taken 3',
      row: { ...key(3), n: 3 },
    });
    expect(
      await transact(house.database, [
        { check: key(9), condition: 'attribute_exists(pk)', otherwise: 'gone' },
      ]),
    ).toEqual({ refused: 'gone', row: undefined });
    expect(await getRow(house.database, key(1))).toBeUndefined();
    expect(
      await transact(house.database, [
        claim(1),
        { update: key(2), set: 'ADD n :one', values: { ':one': 1 } },
        { delete: key(3) },
      ]),
    ).toBe('done');
    expect(await house.rows()).toEqual([key(1), { ...key(2), n: 3 }]);
  });

  it('with more writes than DynamoDB takes is an error of ours, and with as many is done', async () => {
    house = await tableHouse();
    const writes = Array.from({ length: maxWrites + 1 }, (_, n) => claim(n));
    await expect(transact(house.database, writes)).rejects.toThrow(`holds ${maxWrites}`);
    expect(house.counted()).toEqual([]);
    expect(await transact(house.database, writes.slice(1))).toBe('done');
  });

  it('whose condition has no word is a bug, said as one', async () => {
    house = await tableHouse();
    await expect(
      transact(house.database, [{ check: key(1), condition: 'attribute_exists(pk)' }]),
    ).rejects.toThrow('without a word');
  });

  it('kept out by neighbours is tried again, and given up at last', async () => {
    house = await tableHouse({ weather: badWeather(1, { 'transaction-conflict': 0.5 }) });
    for (let n = 0; n < 20; n++) expect(await transact(house.database, [claim(n)])).toBe('done');
    await house.close();
    house = await tableHouse({ weather: badWeather(1, { 'transaction-conflict': 1 }) });
    await expect(transact(house.database, [claim(1)])).rejects.toThrow(TransactionConflict);
    expect(house.counted()).toHaveLength(8);
  });
});

describe('rows', () => {
  it('come in the order asked, repeated where asked twice, whatever a batch leaves undone', async () => {
    house = await tableHouse({ weather: badWeather(2, { 'partial-batch': 0.5, reorder: 0.5 }) });
    await house.fill(Array.from({ length: 240 }, (_, n) => ({ ...key(n), n })));
    const asked = [...Array.from({ length: 260 }, (_, n) => 259 - n), 5, 5];
    const found = await getRows(house.database, asked.map(key));
    expect(found.map((row) => row?.['n'] as number | undefined)).toEqual(
      asked.map((n) => (n < 240 ? n : undefined)),
    );
    expect(await getRows(house.database, [])).toEqual([]);
  });

  it('of a range come between its bounds, both included', async () => {
    house = await tableHouse();
    await house.fill(Array.from({ length: 10 }, (_, n) => ({ ...key(n), n })));
    const range = async (more: object) =>
      (await queryRange(house.database, { partition: 'O#x', limit: 100, ...more })).rows.map(
        (row) => row['n'] as number,
      );
    expect(await range({})).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(await range({ from: '003', to: '005', ascending: true })).toEqual([3, 4, 5]);
    expect(await range({ after: key(4), limit: 2 })).toEqual([3, 2]);
  });
});
