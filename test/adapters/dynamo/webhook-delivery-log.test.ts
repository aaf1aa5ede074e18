import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { nudgeOf } from '../../../lib/adapters/dynamo/task-rows.ts';
import { webhookDeliveryLog } from '../../../lib/adapters/dynamo/webhook-delivery-log.ts';
import { newDeliveryRow } from '../../../lib/adapters/dynamo/webhook-delivery-rows.ts';
import type { Position } from '../../../lib/core/ports.ts';
import type { DeliveryLog } from '../../../lib/core/webhook-deliveries.ts';
import type { WebhookDelivery } from '../../../lib/core/webhook-ports.ts';
import { organizationId, ulidAt } from '../../support/mail-samples.ts';
import { deedOf } from '../../support/memory-keys.ts';
import { sampleDelivery } from '../../support/memory-webhooks.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
let log: DeliveryLog;
beforeEach(async () => {
  house = await tableHouse();
  log = webhookDeliveryLog(house.database, house.now);
});
afterEach(() => house.close());

const webhook = `wh_${ulidAt(1)}`;
async function put(n: number, more: Partial<WebhookDelivery> = {}): Promise<WebhookDelivery> {
  const delivery = sampleDelivery(n, more);
  const Item = newDeliveryRow(delivery, Math.floor(house.now() / 1000));
  await house.database.client.send(new PutCommand({ TableName: 'mailroom', Item }));
  return delivery;
}
const done = { state: 'delivered' as const, attempt_count: 1 };
const rowOf = async (n: number) => (await house.rows()).find(({ sk }) => sk === ulidAt(n))!;

describe('the log of a webhook', () => {
  it('is in order, in pages, of that webhook alone, for thirty days', async () => {
    const deliveries = [];
    for (const n of [1, 2, 3, 4, 5]) deliveries.push(await put(n));
    await put(6, { webhook_id: `wh_${ulidAt(2)}` });
    for (const limit of [1, 2, 50])
      for (const ascending of [true, false]) {
        const found: WebhookDelivery[] = [];
        let after: Position | undefined;
        do {
          const page = await log.list(organizationId, webhook, { limit, ascending, ...(after && { after }) });
          found.push(...page.items);
          after = page.next;
        } while (after !== undefined);
        expect(found).toEqual(ascending ? deliveries : deliveries.toReversed());
      }
    house.cloud.clock.advance(31 * 86_400_000);
    expect((await log.list(organizationId, webhook, { limit: 50, ascending: true })).items).toEqual([]);
    expect(await log.again(organizationId, webhook, ulidAt(1))).toBe('gone');
  });
});

describe('another try', () => {
  it('is asked for through the stream, watched over, and leaves the earlier tries', async () => {
    const { next_attempt_at: _, ...delivery } = sampleDelivery(1);
    const attempts = [{ attempted_at: 'x', status: 200, duration_ms: 1 }];
    await put(1, { ...delivery, ...done, attempts });
    const before = house.stream().length;
    const deed = deedOf(organizationId);
    const at = house.now();
    const now = webhookDeliveryLog(house.database, () => at);
    expect(await now.again(organizationId, webhook, ulidAt(1), deed)).toBe('asked');
    expect(deed.written).toBe(true);
    expect(await rowOf(1)).toMatchObject({ state: 'pending', attempt_count: 1, attempts });
    expect((await rowOf(1))['next_attempt_at']).toBe(new Date(at).toISOString());
    const nudges = house
      .stream()
      .slice(before)
      .map(({ dynamodb }: any) => nudgeOf(dynamodb.OldImage, dynamodb.NewImage))
      .filter((nudge) => nudge !== undefined);
    expect(nudges).toEqual([
      expect.objectContaining({
        count: 2,
        queue: 'deliveries',
        job: expect.objectContaining({ event: ulidAt(1) }),
      }),
    ]);
    expect(nudges[0]).not.toHaveProperty('not_before');
    const watch = (await house.rows()).filter(({ work }) => work?.kind === 'watch-deliveries');
    expect(watch.map(({ work }) => work)).toEqual([
      { kind: 'watch-deliveries', organization_id: organizationId, event: ulidAt(1), webhook_ids: [webhook] },
    ]);
  });

  it('of what was never sent is none, and changes nothing', async () => {
    const deed = deedOf(organizationId);
    expect(await log.again(organizationId, webhook, ulidAt(9), deed)).toBe('gone');
    expect(deed.written).toBe(false);
    expect(await house.rows()).toEqual([]);
  });
});
