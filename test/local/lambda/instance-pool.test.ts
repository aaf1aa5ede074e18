import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Instance } from '../../../lib/local/lambda/instance/instance.ts';
import { InstancePool } from '../../../lib/local/lambda/instance/instance-pool.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function poolOf(max: number) {
  const events = { started: 0, ended: 0 };
  const start = async () => {
    events.started++;
    const instance = {
      gone: false,
      end: async () => {
        events.ended++;
        instance.gone = true;
      },
    };
    return instance as unknown as Instance;
  };
  return { pool: new InstancePool(start, max), events };
}

/** So many events at once, each taking a tenth of a second. */
async function burst(pool: InstancePool, events: number): Promise<void> {
  const work = Array.from({ length: events }, () =>
    pool.use(() => new Promise((done) => setTimeout(done, 100))),
  );
  await vi.advanceTimersByTimeAsync(100);
  await Promise.all(work);
}

it('keeps what is in use warm, however long the load lasts', async () => {
  const { pool, events } = poolOf(8);
  for (let n = 0; n < 120; n++) {
    await burst(pool, 8);
    await vi.advanceTimersByTimeAsync(630);
  }
  expect(events).toEqual({ started: 8, ended: 0 });
});

it('takes back all but one once they have been idle for half a minute', async () => {
  const { pool, events } = poolOf(8);
  await burst(pool, 8);
  await vi.advanceTimersByTimeAsync(20_000);
  await burst(pool, 8);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(events.ended).toBe(0);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(events).toEqual({ started: 8, ended: 7 });
});
