import * as z from 'zod';
import { announced, published, type Announced, type PublishedEvent } from '../contract/event.ts';

/** An event as EventBridge hands it to a target. */
const envelope = z.object({ 'detail-type': z.enum(announced), detail: z.looseObject({}) });

type BusEvent = PublishedEvent & { event_type: Announced };

/** Reads an SQS message that a rule of the bus sent. Throws for what is no event of ours. */
export const busEvent = (body: string): BusEvent => readBusEvent(JSON.parse(body));

/** Reads what a rule of the bus hands to a function. Throws for what is no event of ours. */
export function readBusEvent(given: unknown): BusEvent {
  const { 'detail-type': type, detail } = envelope.parse(given);
  return published[type].parse(detail) as unknown as BusEvent;
}
