import * as z from 'zod';
import { eventType } from './event.ts';
import { pageAnswer } from './page.ts';

/** One try to deliver. */
export const deliveryAttempt = z.object({
  attempted_at: z.string(),
  /** HTTP status of the answer; absent when there was none. */
  status: z.number().optional(),
  /** Why it failed: `timeout`, `not a public address` … */
  reason: z.string().optional(),
  duration_ms: z.number(),
});

/** One event on its way to one webhook. What was sent is not shown. */
export const webhookDelivery = z.object({
  /** The event's id, and the `webhook-id` of every try. */
  delivery_id: z.string(),
  webhook_id: z.string(),
  event_id: z.string(),
  event_type: eventType,
  inbox_id: z.string().optional(),
  /** `cancelled`: the webhook, or the inbox the event is of, was gone or disabled. */
  state: z.enum(['pending', 'delivered', 'failed', 'cancelled']),
  attempt_count: z.number(),
  /** The last 20. */
  attempts: z.array(deliveryAttempt),
  /** When it is tried next; absent when it is done. */
  next_attempt_at: z.string().optional(),
  created_at: z.string(),
});

export const webhookDeliveryList = z.object({ ...pageAnswer, deliveries: z.array(webhookDelivery) });

/** It is tried as soon as a deliverer is free; the list of deliveries says what came of it. */
export const redelivery = z.object({ delivery_id: z.string(), pending: z.literal(true) });
