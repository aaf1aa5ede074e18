import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventLog } from '../../../lib/adapters/dynamo/event-log.ts';
import { eventOf, eventRow } from '../../../lib/adapters/dynamo/event-rows.ts';
import { newUlid } from '../../../lib/adapters/ulids.ts';
import type { MailEvent } from '../../../lib/contract/event.ts';
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
  timestamp: '2026-01-01T00:00:00.000Z',
  labels: ['received'],
  subject: 'Hi',
});
async function happen(to = owner): Promise<MailEvent & { uid: string }> {
  const one = event();
  await house.database.client.send(
    new PutCommand({ TableName: 'mailroom', Item: eventRow(to, one, Math.floor(house.now() / 1000)) }),
  );
  return { uid: to.uid, ...one };
}

describe('the log of an inbox', () => {
  it('counts its events from 1, each once and for good', async () => {
    const log = eventLog(house.database);
    const [a, b] = [await happen(), await happen()];
    expect(await log.position(a)).toBe(1);
    expect(await log.position(b)).toBe(2);
    expect(await log.position(a)).toBe(1);
    expect(await log.position(await happen(inboxRef('grace')))).toBe(1);
  });

  it('has neither gap nor twin when many are counted at once, some of them twice', async () => {
    const log = eventLog(house.database);
    const events: (MailEvent & { uid: string })[] = [];
    for (let n = 0; n < 6; n++) events.push(await happen());
    const positions = await Promise.all([...events, ...events.slice(0, 2)].map((one) => log.position(one)));
    expect(positions.slice(0, 6).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(positions.slice(6)).toEqual(positions.slice(0, 2));
  });

  it('has no place for an event whose row is gone', async () => {
    expect(await eventLog(house.database).position({ uid: owner.uid, ...event() })).toBe(0);
    expect(await house.rows()).toEqual([]);
  });
});

describe('an event in the stream', () => {
  it('is what was written, without the keys', async () => {
    const one = event();
    expect(eventOf(marshall(eventRow(owner, one, 0)))).toEqual({ uid: owner.uid, ...one });
    expect(eventOf(marshall({ pk: 'x', sk: 'y', v: 1 }))).toBeUndefined();
    expect(eventOf(undefined)).toBeUndefined();
  });
});

it('the function that publishes does not hear itself: what it writes is announced once', async () => {
  const announced: { Detail: string; DetailType: string; Source: string; EventBusName: string }[] = [];
  const bus = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      announced.push(...(JSON.parse(body) as { Entries: typeof announced }).Entries);
      response
        .writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify({ FailedEntryCount: 0, Entries: [{ EventId: '1' }] }));
    });
  });
  await new Promise<void>((resolve) => bus.listen(0, '127.0.0.1', resolve));
  for (const [name, value] of Object.entries({
    TABLE_NAME: 'mailroom',
    EVENT_BUS_NAME: 'mailroom',
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
  // An event that the stream tells twice has the place it had.
  await handler({ Records: house.stream().slice(0, 1) }, {} as never);
  expect(JSON.parse(announced[3]!.Detail)).toEqual(JSON.parse(announced[0]!.Detail));
  vi.unstubAllEnvs();
  bus.closeAllConnections();
  await new Promise((resolve) => bus.close(resolve));
});
