import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inboxRow } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { deliveryKey, inboxKey, payloadKey } from '../../../lib/adapters/dynamo/keys.ts';
import { nudgeOf } from '../../../lib/adapters/dynamo/task-rows.ts';
import { transact } from '../../../lib/adapters/dynamo/transaction.ts';
import { webhookDeliveryStore } from '../../../lib/adapters/dynamo/webhook-delivery-store.ts';
import { webhookRow } from '../../../lib/adapters/dynamo/webhook-rows.ts';
import type { DueWork } from '../../../lib/core/due-ports.ts';
import type { Nudge } from '../../../lib/core/nudge.ts';
import type { WebhookDelivery } from '../../../lib/core/webhook-ports.ts';
import { inboxRef, organizationId, ulidAt } from '../../support/mail-samples.ts';
import { sampleDelivery, sampleWebhook } from '../../support/memory-webhooks.ts';
import { storedInbox, tableHouse, type TableHouse } from '../../support/table-house.ts';

const minute = 60_000;
const start = Date.parse('2026-01-31T12:00:30.000Z');
const iso = (ms: number): string => new Date(ms).toISOString();
const ada = inboxRef();
const own = { inbox: { uid: ada.uid, inbox_id: ada.inbox_id } };

let house: TableHouse;
let time: number;
let store: ReturnType<typeof webhookDeliveryStore>;
beforeEach(async () => {
  house = await tableHouse();
  time = start;
  store = webhookDeliveryStore(house.database, () => time);
});
afterEach(() => house.close());

const event = (n = 3) => ({
  organization_id: organizationId,
  event_id: `evt_${ulidAt(n)}`,
  inbox_uid: ada.uid,
});
const putAll = (...rows: Record<string, unknown>[]) =>
  transact(
    house.database,
    rows.map((put) => ({ put })),
  );
const settle = () =>
  putAll(inboxRow(storedInbox()), webhookRow(sampleWebhook(1)), webhookRow(sampleWebhook(2, own)));
const remove = (key: { pk: string; sk: string }) => transact(house.database, [{ delete: key }]);

const wide = (n = 3, more: Partial<WebhookDelivery> = {}) => sampleDelivery(n, { body: '{"a":1}', ...more });
const { body: _, ...content } = wide();
const mail = { ...content, uid: ada.uid, inbox_id: ada.inbox_id };
const narrow = { ...mail, webhook_id: sampleWebhook(2).webhook_id, webhook_uid: ada.uid };
const job = ({ webhook_id, webhook_uid, uid, event_id }: WebhookDelivery) => ({
  organization_id: organizationId,
  webhook_id,
  event: event_id.slice(4),
  ...(webhook_uid && { webhook_uid }),
  ...(uid && { uid }),
});

const rowOf = async ({ webhook_id }: WebhookDelivery, n = 3) => {
  const Key = deliveryKey(organizationId, webhook_id, ulidAt(n));
  return (await house.database.client.send(new GetCommand({ TableName: 'mailroom', Key }))).Item;
};
/** The nudges that the stream asks for, in its order. */
const nudges = (): Nudge[] =>
  house.stream().flatMap(({ dynamodb }) => nudgeOf(dynamodb.OldImage, dynamodb.NewImage) ?? []);
/** Due work of a minute. */
const due = (at: number): Promise<DueWork[]> => house.dueAt(at);

describe('deliveries of an event', () => {
  beforeEach(settle);

  it('are made in one transaction with what is said and with their watch, and asked for', async () => {
    house.forget();
    await store.add(event(), [mail, narrow], '{"told":"✉"}');
    expect(house.sent.map(({ name }) => name)).toEqual(['TransactWrite']);
    expect(nudges()).toMatchObject([
      { group: organizationId, count: 1, queue: 'deliveries', job: { ...job(mail), attempt: 1 } },
      { group: organizationId, count: 1, queue: 'deliveries', job: { ...job(narrow), attempt: 1 } },
    ]);
    expect(await due(start + 15 * minute + 30_000)).toEqual([
      {
        kind: 'watch-deliveries',
        organization_id: organizationId,
        event: ulidAt(3),
        webhook_ids: [mail.webhook_id, narrow.webhook_id],
      },
    ]);
    expect((await rowOf(mail))!['expires']).toBe(Math.floor(start / 1000) + 30 * 24 * 3600);
  });

  it('stay as they are when they are made again', async () => {
    await store.add(event(), [mail], 'first');
    await store.record({ ...mail, attempt_count: 1, state: 'delivered' }, 1);
    await store.add(event(), [mail, narrow], 'second');
    expect(await store.load(job(mail))).toMatchObject({ body: 'first', delivery: { state: 'delivered' } });
    expect(await store.load(job(narrow))).toBeUndefined();
  });

  it('are not made of content whose inbox is gone', async () => {
    await remove(inboxKey(ada));
    await store.add(event(), [mail], 'content');
    expect(await rowOf(mail)).toBeUndefined();
    const Key = payloadKey(ada, ulidAt(3));
    expect(
      (await house.database.client.send(new GetCommand({ TableName: 'mailroom', Key }))).Item,
    ).toBeUndefined();
  });

  it('hold 60 webhooks', async () => {
    const many = Array.from({ length: 60 }, (_, n) => ({ ...mail, webhook_id: sampleWebhook(n).webhook_id }));
    await store.add(event(), many, 'content');
    const ids = many.map(({ webhook_id }) => webhook_id);
    expect(await store.of(organizationId, ulidAt(3), ids)).toHaveLength(60);
  });
});

describe('a delivery', () => {
  beforeEach(settle);

  it('is read in one call with its webhook and what is said', async () => {
    await store.add(event(), [mail, narrow], '{"told":"✉"}');
    await store.add(event(4), [wide(4)]);
    house.forget();
    expect(await store.load(job(mail))).toEqual({
      delivery: mail,
      webhook: sampleWebhook(1),
      body: '{"told":"✉"}',
    });
    expect(house.sent.map(({ name }) => name)).toEqual(['BatchGetItem']);
    expect(await store.load(job(narrow))).toEqual({
      delivery: narrow,
      webhook: sampleWebhook(2, own),
      body: '{"told":"✉"}',
    });
    expect(await store.load(job(wide(4)))).toEqual({
      delivery: wide(4),
      webhook: sampleWebhook(1),
      body: '{"a":1}',
    });
  });

  it('has nothing to say, and an inbox’s webhook is gone, as soon as the inbox is', async () => {
    await store.add(event(), [mail, narrow], 'content');
    await store.add(event(4), [wide(4), { ...narrow, event_id: `evt_${ulidAt(4)}` }]);
    await remove(inboxKey(ada));
    expect(await store.load(job(mail))).toEqual({ delivery: mail, webhook: sampleWebhook(1) });
    expect(await store.load(job(narrow))).toEqual({ delivery: narrow });
    expect(await store.load(job(wide(4)))).toMatchObject({ webhook: sampleWebhook(1), body: '{"a":1}' });
  });

  it('is gone when its time is over, whether or not its row is', async () => {
    await store.add(event(), [mail], 'content');
    time += 30 * 24 * 3600 * 1000 + 1000;
    expect(await store.load(job(mail))).toBeUndefined();
    expect(await store.of(organizationId, ulidAt(3), [mail.webhook_id])).toEqual([]);
  });

  it('asks the queue for a try within a quarter of an hour', async () => {
    await store.add(event(), [mail], 'content');
    const next_attempt_at = iso(start + 15 * minute);
    const tried = { ...mail, attempt_count: 1, next_attempt_at };
    house.forget();
    expect(await store.record(tried, 1)).toBe('recorded');
    expect(house.sent.map(({ name }) => name)).toEqual(['UpdateItem']);
    expect(nudges().slice(1)).toEqual([
      {
        group: organizationId,
        count: 2,
        not_before: next_attempt_at,
        queue: 'deliveries',
        job: { ...job(mail), attempt: 2 },
      },
    ]);
    expect(await store.load(job(mail))).toMatchObject({ delivery: tried });
  });

  it('lets a later try wait as due work, which asks for it', async () => {
    await store.add(event(), [mail], 'content');
    const next = start + 30 * minute;
    const tried = { ...mail, attempt_count: 1, next_attempt_at: iso(next) };
    await store.record(tried, 1);
    expect(nudges()).toHaveLength(1);
    // Its minute begins after its time, so that it is not tried early.
    const retry = {
      organization_id: organizationId,
      webhook_id: mail.webhook_id,
      event: ulidAt(3),
      attempt: 2,
    };
    expect(await due(next + 30_000)).toEqual([{ kind: 'retry-delivery', ...retry }]);
    await store.nudge(retry);
    expect(nudges().at(-1)).toMatchObject({ count: 2, job: { attempt: 2 } });
    expect(nudges().at(-1)).not.toHaveProperty('not_before');
  });

  it('moves on once for each attempt', async () => {
    await store.add(event(), [mail], 'content');
    const tried = { ...mail, attempt_count: 1, next_attempt_at: iso(start + 5000) };
    expect(await store.record(tried, 1)).toBe('recorded');
    expect(await store.record({ ...tried, state: 'failed' }, 1)).toBe('moved');
    expect(await store.record({ ...tried, next_attempt_at: iso(start + 60 * minute) }, 1)).toBe('moved');
    expect(await due(start + 60 * minute + 30_000)).toEqual([]);
    expect((await rowOf(mail))!['state']).toBe('pending');
  });

  it('is asked for no more when it is done, or another try is the next', async () => {
    await store.add(event(), [mail], 'content');
    const nudge = (attempt: number) => store.nudge({ ...job(mail), attempt });
    await nudge(2);
    expect(nudges()).toHaveLength(1);
    await nudge(1);
    expect(nudges()).toHaveLength(2);
    const { next_attempt_at: _next, ...rest } = mail;
    await store.record({ ...rest, attempt_count: 1, state: 'delivered' }, 1);
    expect(await rowOf(mail)).not.toHaveProperty('next_attempt_at');
    await nudge(2);
    expect(nudges()).toHaveLength(2);
  });

  it('is watched again at a full minute', async () => {
    const work = { organization_id: organizationId, event: ulidAt(3), webhook_ids: [mail.webhook_id] };
    await store.watch(work, start + 20 * minute);
    expect(await due(start + 20 * minute + 30_000)).toEqual([{ kind: 'watch-deliveries', ...work }]);
  });
});
