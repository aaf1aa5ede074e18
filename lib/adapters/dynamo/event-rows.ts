import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { encodeTime } from 'ulid';
import type { MailEvent } from '../../contract/event.ts';
import { ulidOf } from '../../core/message-lists.ts';
import type { LoggedEvent } from '../../core/publish-event.ts';
import { rowVersion, type Row } from './client.ts';
import { eventKey, outboxPk, outboxShards, shardOf, type LogOwner } from './keys.ts';
import { table } from './table.ts';

/** How long a log can be replayed. */
export const keptSeconds = 30 * 24 * 3600;

const { partitionKey, sortKey } = table.byOrganization;

/** Where the ULIDs of a time (milliseconds since the epoch) begin. */
export const ulidAt = (time: number): string =>
  `${encodeTime(Math.max(0, time), 10).toLowerCase()}${'0'.repeat(16)}`;

/**
 * The announcement of a change, written with it: the stream takes it from here. Without a uid it stands in the
 * organization's log. Until it is announced it stands in the outbox too.
 */
export const eventRow = (owner: LogOwner, event: MailEvent, nowSeconds: number): Row => {
  const ulid = ulidOf(event.event_id);
  return {
    ...eventKey(owner, ulid),
    v: rowVersion,
    [table.rowType]: table.eventRow,
    ...(owner.uid !== undefined && { uid: owner.uid }),
    ...event,
    [partitionKey]: outboxPk(shardOf(ulid, outboxShards)),
    [sortKey]: ulid,
    [table.ttl]: nowSeconds + keptSeconds,
  };
};

/** The event in a row, and its place once it has one. */
export function toEvent({
  pk: _pk,
  sk: _sk,
  v: _v,
  [table.rowType]: _type,
  [table.ttl]: _expires,
  [partitionKey]: _outbox,
  [sortKey]: _since,
  nudges: _nudges,
  ...event
}: Row): LoggedEvent & { position?: number } {
  return event as LoggedEvent & { position?: number };
}

/**
 * The event that a change of the stream tells of: one that is new, or that waits in the outbox and was nudged.
 * `undefined` for every other change, its own numbering and announcing among them.
 */
export function eventOf(oldImage: unknown, newImage: unknown): LoggedEvent | undefined {
  const [before, after] = [oldImage, newImage].map((image) =>
    image === undefined ? undefined : unmarshall(image as Record<string, AttributeValue>),
  );
  if (after?.[table.rowType] !== table.eventRow) return undefined;
  const nudged = after[partitionKey] !== undefined && (before?.['nudges'] ?? 0) !== (after['nudges'] ?? 0);
  if (before !== undefined && !nudged) return undefined;
  const { position: _position, ...event } = toEvent(after);
  return event;
}
