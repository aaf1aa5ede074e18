import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { encodeTime } from 'ulid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventLog } from '../../../lib/adapters/dynamo/event-log.ts';
import { eventOf, eventRow } from '../../../lib/adapters/dynamo/event-rows.ts';
import { outbox } from '../../../lib/adapters/dynamo/outbox.ts';
import { nudgeEvents } from '../../../lib/core/nudge-events.ts';
import type { LoggedEvent } from '../../../lib/core/publish-event.ts';
import { inboxRef } from '../../support/mail-samples.ts';
import { tableHouse, type TableHouse } from '../../support/table-house.ts';

const minuteMs = 60_000;
let house: TableHouse;
let time: number;
beforeEach(async () => {
  house = await tableHouse();
  time = Date.parse('2026-01-31T12:00:00.000Z');
});
afterEach(() => house.close());

const owner = inboxRef();
let count = 0;
async function happen(at = time): Promise<LoggedEvent> {
  const event: LoggedEvent = {
    uid: owner.uid,
    event_id: `evt_${encodeTime(at, 10).toLowerCase()}${String(++count).padStart(16, '0')}`,
    event_type: 'inbox.created',
    organization_id: owner.organization_id,
    pod_id: owner.pod_id,
    inbox_id: owner.inbox_id,
    timestamp: new Date(at).toISOString(),
  };
  await house.database.client.send(
    new PutCommand({ TableName: 'mailroom', Item: eventRow(owner, event, Math.floor(at / 1000)) }),
  );
  return event;
}
const sweep = () => nudgeEvents({ outbox: outbox(house.database), now: () => time })();
/** Ids the stream tells of, from the given record on. */
const told = (from: number) =>
  house
    .stream()
    .slice(from)
    .flatMap(({ dynamodb }) => eventOf(dynamodb.OldImage, dynamodb.NewImage)?.event_id ?? []);

describe('an event nobody has announced', () => {
  it('is told of again after ten minutes, then after twenty more and so on, up to an hour, and alarms in the end', async () => {
    const event = await happen();
    const before = house.stream().length;
    const nudged: number[] = [];
    const failed: string[] = [];
    const start = time;
    for (let minute = 0; minute < 260; minute++, time += minuteMs) {
      const seen = house.stream().length;
      await sweep().catch(({ message }: Error) => failed.push(`${minute} ${message}`));
      if (house.stream().length > seen) nudged.push((time - start) / minuteMs);
    }
    expect(nudged).toEqual([11, 31, 71, 131, 191, 251]);
    expect(told(before)).toEqual(nudged.map(() => event.event_id));
    expect(failed).toEqual(['251 1 events could not be announced for hours']);
  });

  it('is left alone when it was announced meanwhile, or is young', async () => {
    const [old, young] = [await happen(), await happen(time + 5 * minuteMs)];
    const log = eventLog(house.database, () => time);
    await log.places([old, young]);
    time += 12 * minuteMs;
    const [waiting] = await outbox(house.database).waiting(time - 10 * minuteMs);
    await log.settle([old]);
    expect(await outbox(house.database).nudge(waiting!, () => time)).toBeUndefined();
    const before = house.stream().length;
    await sweep();
    expect(told(before)).toEqual([]);
  });

  it('is found among those of all shards, many of them at once', async () => {
    for (let n = 0; n < 60; n++) await happen(time - n);
    time += 12 * minuteMs;
    const before = house.stream().length;
    await sweep();
    expect(told(before)).toHaveLength(60);
  });
});
