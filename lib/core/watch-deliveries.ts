import type { Now } from './ports.ts';
import type { DueWorks } from './run-due.ts';
import type { WebhookDelivery, WebhookDeliveryStore } from './webhook-ports.ts';

export interface WatchDeliveriesDeps {
  deliveries: Pick<WebhookDeliveryStore, 'of' | 'nudge' | 'watch'>;
  now: Now;
}

const minute = 60_000;
/** A delivery that nobody has tried for this long after its time has lost its nudge. */
const patience = 10 * minute;
/** How long after its fan-out, and after the next try it waits for, an event's deliveries are looked at. */
export const watchAfter = 15 * minute;

/** What waiting deliveries leave to be done: the far rungs of the ladder, and the care that none is forgotten. */
export const watchDeliveries = ({
  deliveries,
  now,
}: WatchDeliveriesDeps): Pick<DueWorks, 'retry-delivery' | 'watch-deliveries'> => ({
  'retry-delivery': ({ kind: _kind, ...job }) => deliveries.nudge(job),

  async 'watch-deliveries'({ organization_id, event, webhook_ids }) {
    const found = await deliveries.of(organization_id, event, webhook_ids);
    const waiting = found.filter(({ state }) => state === 'pending');
    if (waiting.length === 0) return;
    const time = now();
    for (const delivery of waiting) {
      if (nextOf(delivery) + patience > time) continue;
      const { webhook_id, attempt_count } = delivery;
      await deliveries.nudge({ organization_id, webhook_id, event, attempt: attempt_count + 1 });
    }
    const next = Math.max(time, Math.min(...waiting.map(nextOf)));
    await deliveries.watch(
      { organization_id, event, webhook_ids: waiting.map(({ webhook_id }) => webhook_id) },
      next + watchAfter,
    );
  },
});

const nextOf = ({ next_attempt_at, created_at }: WebhookDelivery): number =>
  Date.parse(next_attempt_at ?? created_at);
