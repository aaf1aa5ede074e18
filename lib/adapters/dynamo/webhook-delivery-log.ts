import type { Now } from '../../core/ports.ts';
import { watchAfter } from '../../core/watch-deliveries.ts';
import type { DeliveryLog } from '../../core/webhook-deliveries.ts';
import type { Database } from './client.ts';
import { transactDeed } from './deed.ts';
import { dueWrite } from './due-store.ts';
import { deliveryKey, deliveryPk } from './keys.ts';
import { alive, queryRange } from './rows.ts';
import { table } from './table.ts';
import type { Write } from './transaction.ts';
import { toDelivery } from './webhook-delivery-rows.ts';

/** Deliveries for those whose webhook it is: the key is the event's ULID, so newest sorts last. */
export const webhookDeliveryLog = (database: Database, now: Now): DeliveryLog => ({
  async list(organizationId, webhookId, { limit, ascending, after }) {
    const { rows, last } = await queryRange(database, {
      partition: deliveryPk(organizationId, webhookId),
      ...{ limit, ascending },
      ...(after && { after }),
    });
    const time = now();
    return {
      items: rows.filter((row) => alive(row, time)).map(toDelivery),
      ...(last && { next: last }),
    };
  },

  async again(organizationId, webhookId, event, deed) {
    const time = now();
    const watch = { kind: 'watch-deliveries' as const, organization_id: organizationId, event };
    const writes: Write<'gone'>[] = [
      {
        // A try that is under way moves the count of attempts; its nudge is of the one after that then.
        update: deliveryKey(organizationId, webhookId, event),
        set: 'SET #state = :pending, next_attempt_at = :at, nudge.#count = nudge.#count + :one REMOVE nudge.not_before',
        condition: 'attribute_exists(pk) AND #expires > :seconds',
        names: { '#state': 'state', '#count': 'count', '#expires': table.ttl },
        values: {
          ':pending': 'pending',
          ':at': new Date(time).toISOString(),
          ':one': 1,
          ':seconds': Math.floor(time / 1000),
        },
        otherwise: 'gone',
      },
      // The watch of its fan-out may be over.
      dueWrite({ ...watch, webhook_ids: [webhookId] }, time + watchAfter),
    ];
    const outcome = await transactDeed(database, deed, writes);
    return outcome === 'done' ? 'asked' : 'gone';
  },
});
