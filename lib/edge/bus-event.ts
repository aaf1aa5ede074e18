import * as z from 'zod';
import { announced, published, type Announced, type PublishedEvent } from '../contract/event.ts';

/** An event as EventBridge hands it to a target. */
const envelope = z.object({ 'detail-type': z.enum(announced), detail: z.looseObject({}) });

/** Reads an SQS message that a rule of the bus sent. Throws for what is no event of ours. */
export function busEvent(body: string): PublishedEvent & { event_type: Announced } {
  const { 'detail-type': type, detail } = envelope.parse(JSON.parse(body));
  return published[type].parse(detail) as unknown as PublishedEvent & { event_type: Announced };
}
