import { beforeEach, describe, expect, it } from 'vitest';
import type { Scope } from '../../lib/contract/principal.ts';
import { listDeliveries, redeliver } from '../../lib/core/webhook-deliveries.ts';
import { keyPrincipal, organizationId, ulidAt } from '../support/mail-samples.ts';
import { deedOf } from '../support/memory-keys.ts';
import { plainTokens } from '../support/memory-ports.ts';
import {
  MemoryDeliveryLog,
  MemoryWebhooks,
  sampleDelivery,
  sampleWebhook,
} from '../support/memory-webhooks.ts';

const organization: Scope = { organization_id: organizationId };
const refused = (code: string) => expect.objectContaining({ code }) as Error;
let webhooks: MemoryWebhooks;
let deliveries: MemoryDeliveryLog;
const webhook = sampleWebhook(1, { pod_id: 'pod_a' });
beforeEach(() => {
  webhooks = new MemoryWebhooks();
  deliveries = new MemoryDeliveryLog();
  webhooks.rows.set(webhook.webhook_id, webhook);
  deliveries.rows.push(
    sampleDelivery(1, {
      ...{ uid: 'inb_a', inbox_id: 'ada@mail.example.com', body: '{"secret":"body"}', state: 'delivered' },
      ...{ attempt_count: 1, attempts: [{ attempted_at: 'x', status: 204, duration_ms: 7 }] },
    }),
    sampleDelivery(2),
  );
});
const path = { webhook_id: webhook.webhook_id };
const list = (scope: Scope, at = path) =>
  listDeliveries({ webhooks, deliveries, tokens: plainTokens })({ scope, path: at, query: {} });
const again = (delivery_id: string, scope = organization, deed = deedOf(organizationId)) =>
  redeliver({ webhooks, deliveries })({
    principal: keyPrincipal({ scope }),
    ...{ scope, deed, path: { ...path, delivery_id } },
  });

describe('deliveries', () => {
  it('are listed with what came of each try, and without what was sent', async () => {
    const { count, deliveries: shown } = await list(organization);
    expect(count).toBe(2);
    expect(shown[1]).toEqual({
      ...{ delivery_id: `evt_${ulidAt(1)}`, event_id: `evt_${ulidAt(1)}`, webhook_id: webhook.webhook_id },
      ...{ event_type: 'message.received', inbox_id: 'ada@mail.example.com', state: 'delivered' },
      ...{ attempt_count: 1, attempts: [{ attempted_at: 'x', status: 204, duration_ms: 7 }] },
      ...{ next_attempt_at: '2026-01-01T00:00:00.000Z', created_at: '2026-01-01T00:00:00.000Z' },
    });
    expect(JSON.stringify(shown)).not.toMatch(/body|inb_a/);
  });

  it('belong to whoever has the webhook in scope', async () => {
    expect((await list({ ...organization, pod_id: 'pod_a' })).count).toBe(2);
    await expect(list({ ...organization, pod_id: 'pod_b' })).rejects.toThrow(refused('not_found'));
    await expect(list(organization, { webhook_id: 'wh_none' })).rejects.toThrow(refused('not_found'));
    await expect(again(`evt_${ulidAt(1)}`, { ...organization, pod_id: 'pod_b' })).rejects.toThrow(
      refused('not_found'),
    );
  });
});

describe('redelivering', () => {
  it('asks for one try now and says so in the line', async () => {
    const deed = deedOf(organizationId);
    const delivery_id = `evt_${ulidAt(1)}`;
    expect(await again(delivery_id, organization, deed)).toEqual({ delivery_id, pending: true });
    expect(deliveries.asked).toEqual([ulidAt(1)]);
    expect(deed.line.resources).toEqual([webhook.webhook_id, delivery_id]);
  });

  it.each([`evt_${ulidAt(9)}`, ulidAt(1), 'evt_1', `evt_${ulidAt(1)}x`, 'HEAD'])(
    '%s is no delivery',
    async (id) => {
      await expect(again(id)).rejects.toThrow(refused('not_found'));
      expect(deliveries.asked).toEqual([]);
    },
  );

  it('to a disabled webhook is refused', async () => {
    webhooks.rows.set(webhook.webhook_id, { ...webhook, enabled: false });
    await expect(again(`evt_${ulidAt(1)}`)).rejects.toThrow(refused('unprocessable'));
    expect(deliveries.asked).toEqual([]);
  });
});
