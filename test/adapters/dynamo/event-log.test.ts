import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventLog } from '../../../lib/adapters/dynamo/event-log.ts';
import { eventOf, eventRow } from '../../../lib/adapters/dynamo/event-rows.ts';
import { newUlid } from '../../../lib/adapters/ulids.ts';
import { logHeadKey, type LogOwner } from '../../../lib/adapters/dynamo/keys.ts';
import { table } from '../../../lib/adapters/dynamo/table.ts';
import type { MailEvent } from '../../../lib/contract/event.ts';
import type { LoggedEvent } from '../../../lib/core/publish-event.ts';
import { inboxRef } from '../../support/mail-samples.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
beforeEach(async () => {
  house = await tableHouse();
});
afterEach(() => house.close());

const owner = inboxRef();
const event = (): MailEvent => ({
  event_id: `evt_${newUlid()}`,
  event_type: 'message.received',
  organization_id: owner.organization_id,
  pod_id: owner.pod_id,
  inbox_id: owner.inbox_id,
  thread_id: 'thr_1',
  message_id: 'msg_1',
  from: 'bob@sender.test',
  to: [owner.inbox_id],
  timestamp: '2026-01-01T00:00:00.000Z',
  labels: ['received'],
  subject: 'Hi',
});
async function happen(to: LogOwner = owner, more: Partial<MailEvent> = {}): Promise<LoggedEvent> {
  const one = { ...event(), ...more };
  const row = eventRow(to, one, Math.floor(house.now() / 1000));
  await house.database.client.send(new PutCommand({ TableName: 'mailroom', Item: row }));
  return { ...(to.uid !== undefined && { uid: to.uid }), ...one };
}
const open = () => eventLog(house.database, house.now);
const head = async (of: LogOwner = owner) =>
  (await house.rows()).find(({ pk, sk }) => pk === logHeadKey(of).pk && sk === 'HEAD');

describe('a log', () => {
  it('counts its events from 1, each once and for good', async () => {
    const [a, b, c] = [await happen(), await happen(), await happen()];
    expect(await open().places([a, b])).toEqual([1, 2]);
    expect(await open().places([a, c, b])).toEqual([1, 3, 2]);
    const other = inboxRef('grace');
    expect(await open().places([await happen(other)])).toEqual([1]);
    expect(await open().places([await happen({ organization_id: owner.organization_id })])).toEqual([1]);
    expect((await head({ organization_id: owner.organization_id }))?.['position']).toBe(1);
  });

  it('numbers many in few transactions', async () => {
    const events = await Promise.all(Array.from({ length: 60 }, () => happen()));
    house.forget();
    expect(await open().places(events)).toEqual(events.map((_, n) => n + 1));
    expect(house.sent.map(({ name }) => name)).toEqual([
      'BatchGetItem',
      'TransactWrite',
      'BatchGetItem',
      'TransactWrite',
    ]);
  });

  it('has neither gap nor twin when many are counted at once, some of them twice', async () => {
    const events: LoggedEvent[] = [];
    for (let n = 0; n < 6; n++) events.push(await happen());
    const places = await Promise.all(
      [events.slice(0, 3), events.slice(3), events.slice(2, 4)].map((some) => open().places(some)),
    );
    expect([...places[0]!, ...places[1]!].map(Number).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(places[2]).toEqual([places[0]![2], places[1]![0]]);
  });

  it('has no place for an event whose row is gone', async () => {
    expect(await open().places([{ uid: owner.uid, ...event() }])).toEqual(['gone']);
    expect(await house.rows()).toEqual([]);
  });

  it('knows what was announced, and takes it out of the outbox', async () => {
    const [a, b] = [await happen(), await happen()];
    expect(await open().places([a, b])).toEqual([1, 2]);
    await open().settle([a, { uid: owner.uid, ...event() }]);
    expect(await open().places([a, b])).toEqual(['announced', 2]);
    expect(await house.rows()).toHaveLength(3);
    expect((await house.rows()).filter(({ org_pk }) => org_pk !== undefined)).toMatchObject([
      { event_id: b.event_id },
    ]);
  });

  it('keeps the end that a removal gave its counter, and ends by itself a day after the last events', async () => {
    await open().places([await happen()]);
    expect(await head()).not.toHaveProperty(table.ttl);
    const deleted = await happen(owner, { event_type: 'inbox.deleted', reason: 'deleted' });
    await open().places([deleted]);
    const row = (await house.rows()).find(({ event_id }) => event_id === deleted.event_id);
    const end = (await head())![table.ttl] as number;
    expect(end).toBe((row![table.ttl] as number) + 24 * 3600);
    await open().places([await happen()]);
    expect(await head()).toMatchObject({ position: 3, [table.ttl]: end });
  });
});

describe('an event in the stream', () => {
  const row = () => eventRow(owner, event(), 0);
  const told = (before: object | undefined, after: object) =>
    eventOf(before && marshall(before), marshall(after));

  it('is what was written, without the keys', () => {
    const one = event();
    expect(told(undefined, eventRow(owner, one, 0))).toEqual({ uid: owner.uid, ...one });
    expect(told(undefined, eventRow({ organization_id: owner.organization_id }, one, 0))).toEqual(one);
    expect(told(undefined, { pk: 'x', sk: 'y', v: 1 })).toBeUndefined();
    expect(eventOf(marshall(row()), undefined)).toBeUndefined();
  });

  it('is told of again when it was nudged and still waits, and by no other change', () => {
    const one = row();
    const { org_pk: _, org_sk: __, ...announced } = one;
    expect(told(one, { ...one, position: 7 })).toBeUndefined();
    expect(told({ ...one, position: 7 }, { ...announced, position: 7 })).toBeUndefined();
    expect(told({ ...one, position: 7 }, { ...one, position: 7, nudges: 1, org_sk: 'later' })).toMatchObject({
      event_id: one['event_id'],
    });
    expect(told({ ...one, nudges: 1 }, { ...one, nudges: 1, position: 7 })).toBeUndefined();
    expect(told({ ...one, nudges: 1 }, { ...announced, nudges: 2 })).toBeUndefined();
    expect(told({ ...one, nudges: 1 }, { ...one, nudges: 2 })).not.toHaveProperty('nudges');
  });
});

it('the function that publishes does not hear itself: what it writes is announced once', async () => {
  const announced: { Detail: string; DetailType: string; Source: string; EventBusName: string }[] = [];
  const bus = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { Entries } = JSON.parse(body) as { Entries: typeof announced };
      announced.push(...Entries);
      response
        .writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify({ FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: '1' })) }));
    });
  });
  await new Promise<void>((resolve) => bus.listen(0, '127.0.0.1', resolve));
  for (const [name, value] of Object.entries({
    TABLE_NAME: 'mailroom',
    EVENT_BUS_NAME: 'mailroom',
    DELIVERIES_QUEUE_URL: 'http://127.0.0.1:1/d',
    REMOVALS_QUEUE_URL: 'http://127.0.0.1:1/r',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL_DYNAMODB: house.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: `http://127.0.0.1:${(bus.address() as AddressInfo).port}`,
  }))
    vi.stubEnv(name, value);
  const { handler } = await import('../../../lambdas/publish-event/handler.ts');
  const events = [await happen(), await happen(), await happen()];
  await house.database.client.send(
    new PutCommand({ TableName: 'mailroom', Item: { pk: 'O#x', sk: 'no event' } }),
  );
  let seen = 0;
  // Until the stream is quiet: each round hears what the round before it wrote.
  for (let round = 0; round < 10; round++) {
    const records = house.stream().slice(seen);
    if (records.length === 0) break;
    seen += records.length;
    expect(await handler({ Records: records }, {} as never)).toEqual({ batchItemFailures: [] });
  }
  expect(
    announced.map(({ Detail }) => (JSON.parse(Detail) as { event_id: string; position: number }).event_id),
  ).toEqual(events.map(({ event_id }) => event_id));
  expect(announced.map(({ Detail }) => (JSON.parse(Detail) as { position: number }).position)).toEqual([
    1, 2, 3,
  ]);
  expect(announced[0]).toMatchObject({
    DetailType: 'message.received',
    Source: 'posthorn',
    EventBusName: 'mailroom',
  });
  expect(house.stream()).toHaveLength(seen);
  // Told of twice by the stream, an event that was announced is not announced again.
  await handler({ Records: house.stream().slice(0, 1) }, {} as never);
  expect(announced).toHaveLength(3);
  expect((await house.rows()).filter(({ org_pk }) => org_pk !== undefined)).toEqual([]);
  vi.unstubAllEnvs();
  bus.closeAllConnections();
  await new Promise((resolve) => bus.close(resolve));
});
