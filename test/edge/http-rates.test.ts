import { describe, expect, it } from 'vitest';
import type { Deed } from '../../lib/contract/call.ts';
import type { KeyPrincipal } from '../../lib/contract/principal.ts';
import type { RateLimits } from '../../lib/edge/rates.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { createLog } from '../../lib/edge/log.ts';
import { leasedRates, type RateBuckets } from '../../lib/edge/rates.ts';
import { apiEvent, lambdaContext } from './api-event.ts';

const start = Date.parse('2026-01-31T12:00:20Z');

/** A door whose callers say in a header with which key they come. */
function setUp(limits: RateLimits | undefined, instances = 1) {
  const clock = { now: start };
  const used = new Map<string, number>();
  const settled: Deed[] = [];
  const carriedOut: string[] = [];
  const buckets: RateBuckets = {
    async take({ bucket, minute }, slice, limit) {
      const before = used.get(`${bucket} ${minute}`) ?? 0;
      const granted = Math.max(0, Math.min(slice, limit - before));
      used.set(`${bucket} ${minute}`, before + granted);
      return { granted, used: before + granted };
    },
  };
  const doors = Array.from({ length: instances }, () =>
    httpDoor<'threads.get' | 'threads.delete'>({
      useCases: {
        'threads.get': async () => {
          carriedOut.push('get');
          throw new Error('not asked for in these tests');
        },
        'threads.delete': async () => (carriedOut.push('delete'), undefined),
      },
      authenticate: async ({ headers }) => {
        const principal: KeyPrincipal = {
          kind: 'key',
          scope: { organization_id: 'org_1' },
          api_key_id: headers['x-key'] ?? 'key_1',
          keyid: 'k',
        };
        return { principal, ...(limits && { limits }), once: { key: 'nonce', expires: 1 } };
      },
      deeds: { settle: async (deed) => void settled.push(deed), commit: async () => ({}) },
      ulid: () => '01k',
      rates: leasedRates({ buckets, now: () => clock.now }),
      log: createLog(
        () => undefined,
        () => clock.now,
      ),
      now: () => clock.now,
    }),
  );
  let next = 0;
  const call = async (key = 'key_1', path = '/v0/threads/thr_1', method = 'DELETE') => {
    const event = apiEvent({ method, url: `https://mail.test${path}`, headers: { 'x-key': key } });
    const { statusCode, headers, body } = await doors[next++ % instances]!(event, lambdaContext);
    return { status: statusCode, headers, body: body === undefined ? undefined : JSON.parse(body) };
  };
  return { call, clock, settled, carriedOut };
}

describe('the rates of the http door', () => {
  it('answer 429 with what is exceeded and when to come again, and nothing is carried out', async () => {
    const { call, settled, carriedOut } = setUp({ organization: 10, key: 2 });
    await call();
    await call();
    expect(carriedOut).toEqual(['delete', 'delete']);
    const before = [carriedOut.length, settled.length];
    const { status, headers, body } = await call();
    expect(status).toBe(429);
    expect(headers).toMatchObject({
      'retry-after': '40',
      'ratelimit-limit': '2',
      'ratelimit-remaining': '0',
      'ratelimit-reset': '40',
    });
    expect(body).toMatchObject({
      code: 'rate_limit_exceeded',
      resource: 'key requests',
      limit: 2,
      window: 'minute',
      docs: 'docs/errors.md#rate_limit_exceeded',
    });
    expect([carriedOut.length, settled.length]).toEqual(before);
  });

  it('stand on every answer, also on refusals and failures', async () => {
    const { call } = setUp({ organization: 100, key: 10 });
    const seen = [
      await call(),
      await call('key_1', '/v0/nowhere'),
      await call('key_1', '/v0/threads/thr_1', 'PUT'),
      await call('key_1', '/v0/threads/thr_1', 'GET'),
    ];
    expect(seen.map(({ status }) => status)).toEqual([expect.any(Number), 404, 405, 500]);
    expect(seen.map(({ headers }) => headers['ratelimit-remaining'])).toEqual(['9', '8', '7', '6']);
    expect(new Set(seen.map(({ headers }) => headers['ratelimit-limit']))).toEqual(new Set(['10']));
  });

  it('are those of each key, and of the organization over all its keys', async () => {
    const { call, clock } = setUp({ organization: 3, key: 2 });
    const statusOf = async (key: string) => (await call(key, '/v0/nowhere')).status;
    expect(await statusOf('key_1')).toBe(404);
    expect(await statusOf('key_1')).toBe(404);
    expect(await statusOf('key_1')).toBe(429);
    expect(await statusOf('key_2')).toBe(404);
    const { status, body } = await call('key_3', '/v0/nowhere');
    expect([status, body.resource]).toEqual([429, 'organization requests']);
    clock.now += 40_000;
    expect(await statusOf('key_1')).toBe(404);
  });

  it('hold over instances', async () => {
    const { call } = setUp({ organization: 1000, key: 21 }, 4);
    const answers = await Promise.all(Array.from({ length: 60 }, () => call('key_1', '/v0/nowhere')));
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(21);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(39);
  });

  it('say nothing of callers without limits', async () => {
    const { call } = setUp(undefined);
    expect((await call('key_1', '/v0/nowhere')).headers).not.toHaveProperty('ratelimit-limit');
  });
});
