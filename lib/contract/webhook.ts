import * as z from 'zod';
import { clientId } from './client-id.ts';
import { eventType } from './event.ts';
import { pageAnswer } from './page.ts';
import { webhookHeaders } from './webhook-headers.ts';

/** Inboxes and pods that one webhook names, at most. */
export const maxTargets = 10;
/** Webhooks of an organization together with those of its pods, and webhooks of one inbox. */
export const maxWebhooks = { organization: 50, inbox: 10 } as const;

const url = z.string().max(2048);
const types = z.array(eventType).transform((all) => [...new Set(all)]);
const someTypes = z.array(eventType).min(1, 'give at least one event type').pipe(types);

/** A webhook asked for together with its inbox. */
export const webhookRequest = z.object({
  url,
  event_types: someTypes.default(['message.received']),
});

/** An inbox by an address of it or its uid, or a pod by its id. */
const targets = z
  .array(z.string().trim().min(1).max(320))
  .max(maxTargets, `give at most ${maxTargets}`)
  .nullish();
const fixed = (what: string) => z.never(`the ${what} comes from the path; leave it out`).optional();

const created = {
  url,
  event_types: someTypes,
  client_id: clientId.nullish(),
  headers: webhookHeaders.nullish(),
};
/** What a webhook hears at its level, narrowed to the inboxes and pods that are named. */
export const createWebhook = z.object({ ...created, inbox_ids: targets, pod_ids: targets });
export const createPodWebhook = z.object({ ...created, inbox_ids: targets, pod_ids: fixed('pod') });
export const createInboxWebhook = z.object({ ...created, inbox_ids: fixed('inbox'), pod_ids: fixed('pod') });
export type CreateWebhook = z.infer<typeof createWebhook>;

const updated = {
  /** Replaces the list; an empty one leaves it as it is. */
  event_types: types.nullish(),
  /** `true` sets it going again, whyever it stopped. What it missed is not delivered. */
  enabled: z.boolean().nullish(),
};
export const updateWebhook = z.object({
  ...updated,
  add_inbox_ids: targets,
  remove_inbox_ids: targets,
  add_pod_ids: targets,
  remove_pod_ids: targets,
});
export const updatePodWebhook = z.object({
  ...updated,
  add_inbox_ids: targets,
  remove_inbox_ids: targets,
  add_pod_ids: fixed('pod'),
  remove_pod_ids: fixed('pod'),
});
export const updateInboxWebhook = z.object({
  ...updated,
  add_inbox_ids: fixed('inbox'),
  remove_inbox_ids: fixed('inbox'),
  add_pod_ids: fixed('pod'),
  remove_pod_ids: fixed('pod'),
});
export type UpdateWebhook = z.infer<typeof updateWebhook>;

export const webhook = z.object({
  webhook_id: z.string(),
  organization_id: z.string(),
  /** What it is of, where it is not of the organization; `pod_ids` and `inbox_ids` say what it hears. */
  pod_id: z.string().optional(),
  inbox_id: z.string().optional(),
  url: z.string(),
  event_types: z.array(eventType).optional(),
  /** Absent both: it hears everything of the organization. */
  pod_ids: z.array(z.string()).optional(),
  inbox_ids: z.array(z.string()).optional(),
  /** `whsec_` and the base64 key, as Standard Webhooks writes it. Lists leave it out. */
  secret: z.string(),
  /** Until when the secret before this one signs too, after a rotation. */
  previous_secret_until: z.string().optional(),
  enabled: z.boolean(),
  /** Why it was disabled, when nobody did it by hand. */
  disabled_reason: z.enum(['gone', 'failing']).optional(),
  /** Since when nothing reached it; five days later it is disabled. */
  failing_since: z.string().optional(),
  updated_at: z.string(),
  created_at: z.string(),
  client_id: z.string().optional(),
});
export type Webhook = z.infer<typeof webhook>;

export const webhookList = z.object({ ...pageAnswer, webhooks: z.array(webhook.omit({ secret: true })) });
