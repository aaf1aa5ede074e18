import { describe, expect, it } from 'vitest';
import { Problem } from '../../lib/contract/problem.ts';
import { leasedRates, type RateBuckets } from '../../lib/edge/rates.ts';

const start = Date.parse('2026-01-31T12:00:20Z');
const who = { organization_id: 'org_1', api_key_id: 'key_1' };

/** Counters in memory, with what they were asked. */
function counters() {
  const used = new Map<string, number>();
  const asked: { bucket: string; minute: string; slice: number }[] = [];
  const buckets: RateBuckets = {
    async take({ organization_id, bucket, minute }, slice, limit) {
      asked.push({ bucket, minute, slice });
      const name = `${organization_id} ${bucket} ${minute}`;
      const before = used.get(name) ?? 0;
      const granted = Math.max(0, Math.min(slice, limit - before));
      used.set(name, before + granted);
      return { granted, used: before + granted };
    },
  };
  return { buckets, asked, used };
}

function instance(options: { remembered?: number } = {}) {
  const shared = counters();
  const clock = { now: start };
  const rates = leasedRates({ buckets: shared.buckets, now: () => clock.now, ...options });
  return { ...shared, clock, rates };
}

const refusal = (spent: Promise<unknown>): Promise<Problem> =>
  spent.then(
    () => expect.fail('was let through'),
    (error: unknown) => (error instanceof Problem ? error : expect.fail(String(error))),
  );

describe('rates', () => {
  it('lease a twentieth of the limit, at least 1 and at most 100, and use it up before the next', async () => {
    for (const [limit, slice] of [
      [1, 1],
      [39, 1],
      [40, 2],
      [1000, 50],
      [2000, 100],
      [60_000, 100],
    ] as const) {
      const { rates, asked } = instance();
      for (let n = 0; n < slice; n++) await rates.spend(who, { organization: limit, key: limit });
      expect(asked).toEqual([
        { bucket: 'all', minute: '2026-01-31T12:00', slice },
        { bucket: 'key_1', minute: '2026-01-31T12:00', slice },
      ]);
    }
  });

  it('tell where the caller stands by the tighter limit, and how long the minute lasts', async () => {
    const { rates, clock } = instance();
    expect(await rates.spend(who, { organization: 1000, key: 100 })).toEqual({
      limit: 100,
      remaining: 99,
      reset: 40,
    });
    clock.now += 39_500;
    expect(await rates.spend(who, { organization: 1000, key: 100 })).toEqual({
      limit: 100,
      remaining: 98,
      reset: 1,
    });
    const other = { ...who, organization_id: 'org_2' };
    expect((await rates.spend(other, { organization: 3, key: 100 })).limit).toBe(3);
  });

  it('refuse the key that has none left, and not its sister', async () => {
    const { rates } = instance();
    const limits = { organization: 100, key: 2 };
    await rates.spend(who, limits);
    await rates.spend(who, limits);
    const problem = await refusal(rates.spend(who, limits));
    expect(problem).toMatchObject({
      code: 'rate_limit_exceeded',
      detail: { retry_after: 40, limit: 2, window: 'minute', resource: 'key requests' },
    });
    await rates.spend({ ...who, api_key_id: 'key_2' }, limits);
  });

  it('refuse every key of an organization that has none left, and no other organization', async () => {
    const { rates } = instance();
    const limits = { organization: 2, key: 100 };
    await rates.spend(who, limits);
    await rates.spend({ ...who, api_key_id: 'key_2' }, limits);
    const problem = await refusal(rates.spend({ ...who, api_key_id: 'key_3' }, limits));
    expect(problem.detail).toMatchObject({ limit: 2, resource: 'organization requests' });
    await rates.spend({ ...who, organization_id: 'org_2' }, limits);
  });

  it('ask no more about an empty bucket until the minute is over', async () => {
    const { rates, asked, clock } = instance();
    const limits = { organization: 100, key: 1 };
    await rates.spend(who, limits);
    const before = asked.length;
    for (let n = 0; n < 50; n++) await refusal(rates.spend(who, limits));
    expect(asked).toHaveLength(before);
    clock.now += 40_000;
    await rates.spend(who, limits);
    expect(asked.slice(before)).toEqual([
      { bucket: 'all', minute: '2026-01-31T12:01', slice: 5 },
      { bucket: 'key_1', minute: '2026-01-31T12:01', slice: 1 },
    ]);
  });

  it('remember a bucket that others have emptied', async () => {
    const { rates, asked, used } = instance();
    used.set('org_1 key_1 2026-01-31T12:00', 10);
    await refusal(rates.spend(who, { organization: 100, key: 10 }));
    const before = asked.length;
    await refusal(rates.spend(who, { organization: 100, key: 10 }));
    expect(asked).toHaveLength(before);
  });

  it('take nothing of the organization for a call that its key may not make', async () => {
    const { rates } = instance();
    const limits = { organization: 3, key: 1 };
    await rates.spend(who, limits);
    for (let n = 0; n < 10; n++) await refusal(rates.spend(who, limits));
    await rates.spend({ ...who, api_key_id: 'key_2' }, limits);
    await rates.spend({ ...who, api_key_id: 'key_3' }, limits);
  });

  it('let exactly the limit through where one instance has many calls at once', async () => {
    const { rates, asked } = instance();
    const spent = await Promise.allSettled(
      Array.from({ length: 300 }, () => rates.spend(who, { organization: 1000, key: 200 })),
    );
    expect(spent.filter(({ status }) => status === 'fulfilled')).toHaveLength(200);
    expect(asked.filter(({ bucket }) => bucket === 'key_1')).toHaveLength(20);
  });

  it('follow a limit that is changed within the minute', async () => {
    const { rates } = instance();
    await rates.spend(who, { organization: 100, key: 1 });
    await refusal(rates.spend(who, { organization: 100, key: 1 }));
    await rates.spend(who, { organization: 100, key: 2 });
    await refusal(rates.spend(who, { organization: 100, key: 1 }));
  });

  it('go on after the table did not answer', async () => {
    const { buckets } = counters();
    let down = true;
    const rates = leasedRates({
      buckets: { take: (...asked) => (down ? Promise.reject(new Error('down')) : buckets.take(...asked)) },
      now: () => start,
    });
    await expect(rates.spend(who, { organization: 2, key: 2 })).rejects.toThrow('down');
    down = false;
    await rates.spend(who, { organization: 2, key: 2 });
  });

  it('forget the oldest bucket when there are too many, and still count it', async () => {
    const { rates, asked, used } = instance({ remembered: 3 });
    const limits = { organization: 4000, key: 40 };
    for (let n = 0; n < 20; n++) await rates.spend({ ...who, api_key_id: `key_${n}` }, limits);
    const before = asked.length;
    await rates.spend({ ...who, api_key_id: 'key_0' }, limits);
    expect(asked.slice(before)).toContainEqual({ bucket: 'key_0', minute: '2026-01-31T12:00', slice: 2 });
    expect(used.get('org_1 key_0 2026-01-31T12:00')).toBe(4);
  });
});
