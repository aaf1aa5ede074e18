import * as z from 'zod';

export const eventTypes = [
  'message.received', 'message.received.spam', 'message.received.blocked', 'message.received.unauthenticated',
  'message.sent', 'message.delivered', 'message.bounced', 'message.complained', 'message.rejected',
  'message.opened', 'domain.verified',
] as const; // prettier-ignore
export const eventType = z.enum(eventTypes);
export type EventType = z.infer<typeof eventType>;

/** A webhook asked for together with its inbox. */
export const webhookRequest = z.object({
  url: z.string().max(2048),
  event_types: z.array(eventType).min(1).max(eventTypes.length).default(['message.received']),
});
export type WebhookRequest = z.infer<typeof webhookRequest>;

export const webhook = z.object({
  webhook_id: z.string(),
  url: z.string(),
  event_types: z.array(eventType).optional(),
  pod_ids: z.array(z.string()).optional(),
  inbox_ids: z.array(z.string()).optional(),
  /** `whsec_` and the base64 key, as Standard Webhooks writes it. */
  secret: z.string(),
  enabled: z.boolean(),
  updated_at: z.string(),
  created_at: z.string(),
  client_id: z.string().optional(),
});
export type Webhook = z.infer<typeof webhook>;
