import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { decodeTime } from 'ulid';
import { ulidOf } from '../../core/message-lists.ts';
import type { EventLog, LoggedEvent, Place } from '../../core/publish-event.ts';
import { together } from '../../core/together.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { keptSeconds } from './event-rows.ts';
import { eventKey, logHeadKey } from './keys.ts';
import { laterThanUsual } from './log-head.ts';
import { getRows } from './rows.ts';
import { table } from './table.ts';
import { singleWrite } from './single-write.ts';
import { transact, type Write } from './transaction.ts';

/** Events that one transaction numbers: fewer would be more transactions, more would meet more conflicts. */
const numberedAtOnce = 50;
const attempts = 10;
/** Rows that leave the outbox side by side. */
const settledAtOnce = 10;
const day = 24 * 3600;

const { partitionKey: outbox, sortKey: since } = table.byOrganization;
const keyOf = (event: LoggedEvent) => eventKey(event, ulidOf(event.event_id));
const happenedAt = ({ event_id }: LoggedEvent): number => decodeTime(ulidOf(event_id).toUpperCase());

/**
 * Numbers events with a counter beside them: both move in one transaction, so that no number is skipped or given
 * twice. The counter is only ever updated, so that a time to live somebody set on it stays.
 */
export const eventLog = (database: Database, now: () => number): EventLog => ({
  async places(events) {
    const places: Place[] = [];
    for (let at = 0; at < events.length; at += numberedAtOnce)
      places.push(...(await number(database, events.slice(at, at + numberedAtOnce), now)));
    return places;
  },

  async settle(events) {
    for (let at = 0; at < events.length; at += settledAtOnce) {
      await together(events.slice(at, at + settledAtOnce).map((event) => leaveOutbox(database, event)));
    }
  },
});

async function number(database: Database, events: LoggedEvent[], now: () => number): Promise<Place[]> {
  const owner = events[0]!;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const [head, ...rows] = await getRows(database, [logHeadKey(owner), ...events.map(keyOf)]);
    const places = rows.map(placeOf);
    const open = events.filter((_, n) => places[n] === undefined);
    if (open.length === 0) return places as Place[];
    const first = ((head?.['position'] as number | undefined) ?? 0) + 1;
    const outcome = await transact<'numbered' | 'moved'>(database, [
      ...open.map((event, n) => numberWrite(event, first + n)),
      headWrite(open, head, now()),
    ]);
    if (outcome !== 'done') continue;
    return places.map((place, n) => place ?? first + open.indexOf(events[n]!));
  }
  throw new Error(`a log of ${owner.uid ?? owner.organization_id} moved ${attempts} times`);
}

/** What the row of an event says of its place; `undefined` when it has none yet. */
function placeOf(row: Row | undefined): Place | undefined {
  if (row === undefined) return 'gone';
  const position = row['position'] as number | undefined;
  return position !== undefined && row[outbox] === undefined ? 'announced' : position;
}

const numberWrite = (event: LoggedEvent, position: number): Write<'numbered'> => ({
  update: keyOf(event),
  set: 'SET #position = :position',
  condition: 'attribute_exists(pk) AND attribute_not_exists(#position)',
  names: { '#position': 'position' },
  values: { ':position': position },
  otherwise: 'numbered',
});

/** An inbox that is taken down leaves its events to their time; its counter goes a day after the last of them. */
function headWrite(open: LoggedEvent[], head: Row | undefined, time: number): Write<'moved'> {
  const position = (head?.['position'] as number | undefined) ?? 0;
  const next = position + open.length;
  const late = laterThanUsual(head, next, time - Math.min(...open.map(happenedAt)));
  const ends = open.some(({ event_type }) => event_type === 'inbox.deleted');
  return {
    update: logHeadKey(open[0]!),
    set: `SET #position = :next, v = :v${ends ? ', #ttl = :ttl' : ''}${late ? ', late = :late' : ''}`,
    condition: position === 0 ? 'attribute_not_exists(#position)' : '#position = :now',
    names: { '#position': 'position', ...(ends && { '#ttl': table.ttl }) },
    values: {
      ':next': next,
      ':v': rowVersion,
      ...(position > 0 && { ':now': position }),
      ...(ends && { ':ttl': Math.floor(time / 1000) + keptSeconds + day }),
      ...(late && { ':late': late }),
    },
    otherwise: 'moved',
  };
}

async function leaveOutbox({ client, tableName }: Database, event: LoggedEvent): Promise<void> {
  await singleWrite(() =>
    client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: keyOf(event),
        UpdateExpression: 'REMOVE #outbox, #since',
        // Nothing brings a row back that was taken away meanwhile.
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#outbox': outbox, '#since': since },
      }),
    ),
  );
}
