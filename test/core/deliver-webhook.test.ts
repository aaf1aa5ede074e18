import { describe, expect, it } from 'vitest';
import type { MailEvent } from '../../lib/contract/event.ts';
import { deliverWebhook, type Answer } from '../../lib/core/deliver-webhook.ts';
import type { StoredWebhook, WebhookDelivery } from '../../lib/core/webhook-ports.ts';
import { organizationId, ulidAt } from '../support/mail-samples.ts';
import { sampleDelivery, sampleWebhook } from '../support/memory-webhooks.ts';

const start = Date.parse('2026-01-31T12:00:00.000Z');
const day = 24 * 3600 * 1000;
const iso = (time: number): string => new Date(time).toISOString();

interface Given {
  delivery?: Partial<WebhookDelivery>;
  webhook?: Partial<StoredWebhook> | 'gone';
  body?: string | null;
  answers?: Answer[];
}

function house({ delivery = {}, webhook = {}, body = '{}', answers = [{ status: 200 }] }: Given = {}) {
  let row = sampleDelivery(3, delivery);
  let hook = webhook === 'gone' ? undefined : sampleWebhook(1, webhook);
  const posts: { url: string; headers: Record<string, string>; body: string }[] = [];
  const signed: string[][] = [];
  const events: MailEvent[] = [];
  const state = { time: start, order: [] as string[] };
  const run = deliverWebhook({
    deliveries: {
      load: async () => ({
        delivery: row,
        ...(hook && { webhook: hook }),
        ...(body !== null && { body }),
      }),
      record: async (next, attempt) => {
        state.order.push('recorded');
        if (row.attempt_count !== attempt - 1) return 'moved';
        row = next;
        return 'recorded';
      },
    },
    webhooks: {
      update: async (next, expected, _deed, event) => {
        state.order.push('webhook');
        if (hook?.updated_at !== expected) return 'stale';
        hook = next;
        if (event !== undefined) events.push(event);
        return 'updated';
      },
    },
    post: async (call) => {
      posts.push(call);
      state.time += 120;
      return answers[Math.min(posts.length, answers.length) - 1]!;
    },
    sign: (secrets, { id, seconds }) => {
      signed.push(secrets);
      return { 'webhook-id': id, 'webhook-timestamp': String(seconds) };
    },
    now: () => state.time,
    ulid: () => ulidAt(99),
    random: () => 0,
  });
  const job = (attempt = row.attempt_count + 1) => ({
    organization_id: organizationId,
    webhook_id: row.webhook_id,
    event: ulidAt(3),
    attempt,
  });
  return { run, job, posts, signed, events, state, row: () => row, hook: () => hook! };
}

describe('a try', () => {
  it('that comes through ends the delivery', async () => {
    const { run, job, posts, row, state } = house({
      webhook: { headers: { 'x-own': 'yes' } },
      body: '{"a":1}',
    });
    await run(job());
    expect(posts).toEqual([
      {
        url: 'https://hooks.example.com/1',
        headers: {
          'x-own': 'yes',
          'webhook-id': `evt_${ulidAt(3)}`,
          'webhook-timestamp': String(start / 1000),
        },
        body: '{"a":1}',
      },
    ]);
    expect(row()).toMatchObject({
      state: 'delivered',
      attempt_count: 1,
      attempts: [{ attempted_at: iso(start), status: 200, duration_ms: 120 }],
    });
    expect(row()).not.toHaveProperty('next_attempt_at');
    expect(row().attempts[0]).not.toHaveProperty('reason');
    expect(state.order).toEqual(['recorded']);
  });

  it.each<[Answer, object]>([
    [{ status: 500 }, { status: 500, reason: 'status 500' }],
    [{ status: 302 }, { status: 302, reason: 'redirects are not followed' }],
    [{ reason: 'timeout' }, { reason: 'timeout' }],
  ])('that fails asks for the next one after 5 seconds: %j', async (answer, said) => {
    const { run, job, row } = house({ answers: [answer] });
    await run(job());
    expect(row()).toMatchObject({
      state: 'pending',
      attempt_count: 1,
      attempts: [said],
      next_attempt_at: iso(start + 120 + 5_000),
    });
  });

  it('waits for as long as the endpoint asks', async () => {
    const { run, job, row } = house({ answers: [{ status: 429, retryAfter: '600' }] });
    await run(job());
    expect(row().next_attempt_at).toBe(iso(start + 120 + 600_000));
  });

  it('is the last after nine, and twenty are kept', async () => {
    const attempts = Array.from({ length: 20 }, (_, n) => ({
      attempted_at: iso(start - n),
      reason: 'timeout',
      duration_ms: n,
    }));
    const { run, job, row } = house({ delivery: { attempt_count: 8, attempts }, answers: [{ status: 503 }] });
    await run(job());
    expect(row()).toMatchObject({ state: 'failed', attempt_count: 9 });
    expect(row().attempts).toHaveLength(20);
    expect(row().attempts.at(-1)).toMatchObject({ status: 503 });
  });

  it('is not made for an old job, nor for a delivery that is done', async () => {
    const old = house({ delivery: { attempt_count: 2 } });
    await old.run(old.job(2));
    const done = house({ delivery: { state: 'delivered', attempt_count: 1 } });
    await done.run(done.job());
    expect([old.posts, done.posts]).toEqual([[], []]);
  });

  it.each<[string, Given]>([
    ['the webhook is gone', { webhook: 'gone' }],
    ['the webhook is disabled', { webhook: { enabled: false } }],
    ['what is to be said is gone', { body: null }],
  ])('is not made when %s: the delivery is cancelled', async (_, given) => {
    const { run, job, posts, row } = house(given);
    await run(job());
    expect(posts).toEqual([]);
    expect(row()).toMatchObject({ state: 'cancelled', attempt_count: 0 });
    expect(row()).not.toHaveProperty('next_attempt_at');
  });

  it('is signed with the secret before too, until its time is over', async () => {
    const previous = (until: number) => ({ secret: 'whsec_b2xk', until: iso(until) });
    const rotated = house({ webhook: { previous: previous(start + 1) } });
    await rotated.run(rotated.job());
    const over = house({ webhook: { previous: previous(start) } });
    await over.run(over.job());
    expect([rotated.signed, over.signed]).toEqual([[['whsec_c2VjcmV0', 'whsec_b2xk']], [['whsec_c2VjcmV0']]]);
  });
});

describe('a webhook that fails', () => {
  it('is remembered from its first failure, until something comes through', async () => {
    const answers = [{ status: 500 }, { status: 500 }, { status: 204 }];
    const { run, job, hook, state } = house({ answers });
    await run(job());
    expect(hook().failing_since).toBe(iso(start + 120));
    expect(state.order).toEqual(['recorded', 'webhook']);
    await run(job());
    expect(hook().failing_since).toBe(iso(start + 120));
    expect(state.order).toHaveLength(3);
    await run(job());
    expect(hook()).not.toHaveProperty('failing_since');
    expect(hook().enabled).toBe(true);
  });

  it('is disabled after five days, with an event, and no sooner', async () => {
    const almost = house({ webhook: { failing_since: iso(start - 5 * day) }, answers: [{ status: 500 }] });
    almost.state.time = start - 1000;
    await almost.run(almost.job());
    expect([almost.hook().enabled, almost.events]).toEqual([true, []]);
    const { run, job, hook, events } = house({
      webhook: {
        failing_since: iso(start - 5 * day),
        pod_id: 'pod_1',
        inbox: { uid: 'inb_ada', inbox_id: 'ada@x' },
      },
      answers: [{ reason: 'timeout' }],
    });
    await run(job());
    expect(hook()).toMatchObject({
      enabled: false,
      disabled_reason: 'failing',
      updated_at: iso(start + 120),
    });
    expect(events).toEqual([
      {
        event_id: `evt_${ulidAt(99)}`,
        event_type: 'webhook.disabled',
        organization_id: organizationId,
        pod_id: 'pod_1',
        inbox_id: 'ada@x',
        webhook_id: hook().webhook_id,
        timestamp: iso(start + 120),
        reason: 'failing',
      },
    ]);
  });

  it('is disabled at once by 410, before the try is recorded; nothing is tried again', async () => {
    const { run, job, hook, row, events, state } = house({ answers: [{ status: 410, retryAfter: '5' }] });
    await run(job());
    expect(hook()).toMatchObject({ enabled: false, disabled_reason: 'gone' });
    expect(events).toMatchObject([{ reason: 'gone' }]);
    expect(row()).toMatchObject({ state: 'failed', attempts: [{ status: 410 }] });
    expect(state.order).toEqual(['webhook', 'recorded']);
  });
});
