import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rateBuckets } from '../../../lib/adapters/dynamo/rate-buckets.ts';
import { leasedRates } from '../../../lib/edge/rates.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
beforeAll(async () => {
  house = await tableHouse();
});
afterAll(() => house.close());
beforeEach(() => house.forget());

const minute = '2026-01-31T12:00';
const started = Date.parse(`${minute}:05Z`);

describe('a rate bucket', () => {
  it('is one write unit a slice, and is gone minutes after', async () => {
    const buckets = rateBuckets(house.database);
    const at = { organization_id: 'org_1', bucket: 'all', minute };
    expect(await buckets.take(at, 10, 100)).toEqual({ granted: 10, used: 10 });
    expect(await buckets.take(at, 10, 100)).toEqual({ granted: 10, used: 20 });
    expect(house.counted()).toEqual([
      { action: 'UpdateItem', writeUnits: 1 },
      { action: 'UpdateItem', writeUnits: 1 },
    ]);
    const row = (await house.rows()).find(({ pk }) => pk === 'O#org_1#RATE#all');
    expect(row).toMatchObject({ sk: minute, used: 20, expires: Date.parse(`${minute}:00Z`) / 1000 + 300 });
  });

  it('gives what is left exactly, and then nothing', async () => {
    const buckets = rateBuckets(house.database);
    const at = { organization_id: 'org_1', bucket: 'key_rest', minute };
    expect(await buckets.take(at, 7, 10)).toEqual({ granted: 7, used: 7 });
    expect(await buckets.take(at, 7, 10)).toEqual({ granted: 3, used: 10 });
    expect(await buckets.take(at, 7, 10)).toEqual({ granted: 0, used: 10 });
    expect(await buckets.take(at, 7, 5)).toEqual({ granted: 0, used: 10 });
    expect(await buckets.take({ ...at, minute: '2026-01-31T12:01' }, 7, 5)).toEqual({ granted: 5, used: 5 });
  });

  it('is another in each organization and minute, and for each key', async () => {
    const buckets = rateBuckets(house.database);
    const at = { organization_id: 'org_2', bucket: 'key_1', minute };
    for (const one of [at, { ...at, organization_id: 'org_3' }, { ...at, bucket: 'key_2' }])
      expect(await buckets.take(one, 1, 1)).toEqual({ granted: 1, used: 1 });
  });

  it('is tried again when a transaction holds its row', async () => {
    const place = await tableHouse();
    const buckets = rateBuckets(place.database);
    const { TransactionConflictException } = await import('@aws-sdk/client-dynamodb');
    let conflicts = 3;
    place.database.client.middlewareStack.add(
      (next) => async (args) => {
        if (conflicts-- > 0) throw new TransactionConflictException({ message: 'busy', $metadata: {} });
        return next(args);
      },
      { step: 'initialize', priority: 'low' },
    );
    expect(await buckets.take({ organization_id: 'org_1', bucket: 'all', minute }, 2, 5)).toEqual({
      granted: 2,
      used: 2,
    });
    await place.close();
  });

  it.each([
    ['the organization', { organization: 237, key: 10_000 }],
    ['the key', { organization: 10_000, key: 151 }],
  ])('holds over 8 instances at once, by the limit of %s, and all of it can be used', async (_of, limits) => {
    const organization_id = `org_8_${limits.key}`;
    const instances = Array.from({ length: 8 }, () =>
      leasedRates({ buckets: rateBuckets(house.database), now: () => started }),
    );
    const until = async (rates: (typeof instances)[number]): Promise<number> => {
      for (let through = 0; ; through++) {
        const spent = await rates
          .spend({ organization_id, api_key_id: 'key_1' }, limits)
          .catch(() => undefined);
        if (spent === undefined) return through;
      }
    };
    const through = await Promise.all(instances.map(until));
    expect(through.reduce((sum, one) => sum + one)).toBe(Math.min(limits.organization, limits.key));
    expect(through.filter((one) => one > 0).length).toBeGreaterThan(1);
  });
});
