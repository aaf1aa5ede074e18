import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { MailEvent } from '../../contract/event.ts';
import { rowVersion, type Row } from './client.ts';
import { eventKey, type Owner } from './keys.ts';
import { table } from './table.ts';

/** How long the log of an inbox can be replayed. */
const keptSeconds = 30 * 24 * 3600;

/** The announcement of a change, written with it: the stream takes it from here. */
export const eventRow = (owner: Owner, event: MailEvent, nowSeconds: number): Row => ({
  ...eventKey(owner, event.event_id.slice(4)),
  v: rowVersion,
  [table.rowType]: table.eventRow,
  uid: owner.uid,
  ...event,
  [table.ttl]: nowSeconds + keptSeconds,
});

/** The event in a new image of the stream; `undefined` when the row is none. */
export function eventOf(image: unknown): (MailEvent & { uid: string }) | undefined {
  if (image === undefined) return undefined;
  const {
    pk: _pk,
    sk: _sk,
    v: _v,
    [table.rowType]: type,
    [table.ttl]: _expires,
    ...event
  } = unmarshall(image as Record<string, AttributeValue>);
  return type === table.eventRow ? (event as MailEvent & { uid: string }) : undefined;
}
