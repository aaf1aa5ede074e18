import { describe, expect, it } from 'vitest';
import { watchDeliveries } from '../../lib/core/watch-deliveries.ts';
import type { WebhookDelivery } from '../../lib/core/webhook-ports.ts';
import { organizationId, ulidAt } from '../support/mail-samples.ts';
import { sampleDelivery, sampleWebhook } from '../support/memory-webhooks.ts';

const start = Date.parse('2026-01-31T12:00:00.000Z');
const minute = 60_000;
const iso = (time: number): string => new Date(time).toISOString();
const id = (n: number): string => sampleWebhook(n).webhook_id;

/** Looks after these deliveries of one event: what was nudged and which watch follows. */
async function watched(...rows: Partial<WebhookDelivery>[]) {
  const nudged: { webhook_id: string; attempt: number }[] = [];
  const next: { webhook_ids: string[]; at: string }[] = [];
  const works = watchDeliveries({
    deliveries: {
      of: async (_organization, _event, ids) =>
        rows
          .map((row, n) => sampleDelivery(3, { webhook_id: id(n), ...row }))
          .filter((one) => ids.includes(one.webhook_id)),
      nudge: async ({ webhook_id, attempt }) => void nudged.push({ webhook_id, attempt }),
      watch: async ({ webhook_ids }, at) => void next.push({ webhook_ids, at: iso(at) }),
    },
    now: () => start,
  });
  await works['watch-deliveries']({
    kind: 'watch-deliveries',
    organization_id: organizationId,
    event: ulidAt(3),
    webhook_ids: rows.map((_, n) => id(n)),
  });
  return { nudged, next };
}

describe('the watch over deliveries', () => {
  it('ends when all are done', async () => {
    const done = (['delivered', 'failed', 'cancelled'] as const).map((state) => ({ state }));
    expect(await watched(...done)).toEqual({ nudged: [], next: [] });
    expect(await watched()).toEqual({ nudged: [], next: [] });
  });

  it('nudges what is overdue by ten minutes, and looks again', async () => {
    const at = (ms: number) => ({ next_attempt_at: iso(start + ms), attempt_count: 2 });
    expect(await watched(at(-10 * minute), at(-10 * minute + 1), { state: 'delivered' })).toEqual({
      nudged: [{ webhook_id: id(0), attempt: 3 }],
      next: [{ webhook_ids: [id(0), id(1)], at: iso(start + 15 * minute) }],
    });
  });

  it('waits for a try that is far away', async () => {
    const away = { next_attempt_at: iso(start + 120 * minute) };
    expect(await watched(away)).toEqual({
      nudged: [],
      next: [{ webhook_ids: [id(0)], at: iso(start + 135 * minute) }],
    });
  });

  it('hands a try that was far away to the queue', async () => {
    const nudged: unknown[] = [];
    const deliveries = { nudge: async (job: unknown) => void nudged.push(job) } as never;
    const job = { organization_id: organizationId, webhook_id: id(0), event: ulidAt(3), attempt: 4 };
    await watchDeliveries({ deliveries, now: () => start })['retry-delivery']({
      kind: 'retry-delivery',
      ...job,
    });
    expect(nudged).toEqual([job]);
  });
});
