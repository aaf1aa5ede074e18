import * as z from 'zod';

/** What AgentMail's clients may subscribe to; those about sending and domains do not occur before Posthorn does both. */
const wireTypes = [
  'message.received', 'message.received.spam', 'message.received.blocked', 'message.received.unauthenticated',
  'message.sent', 'message.delivered', 'message.bounced', 'message.complained', 'message.rejected',
  'message.opened', 'domain.verified',
] as const; // prettier-ignore

const organization = z.object({
  event_id: z.string().describe('`evt_` and a ULID of the time of the change. A repeat has the same id.'),
  organization_id: z.string(),
  timestamp: z.string().describe('When it happened (ISO 8601).'),
});
const inbox = organization.extend({
  pod_id: z.string(),
  inbox_id: z.string(),
  inbox_uid: z
    .string()
    .describe('Tells the inbox from another one that had the same address; `position` counts in its log.'),
});
const received = inbox.extend({
  thread_id: z.string(),
  message_id: z.string(),
  labels: z.array(z.string()),
  from: z.string(),
  to: z.array(z.string()).describe('At most 20.'),
  subject: z.string().optional().describe('At most 500 characters.'),
});
const labeled = inbox.extend({
  thread_id: z.string(),
  labels: z.array(z.string()).describe('All labels after the change.'),
  added: z.array(z.string()),
  removed: z.array(z.string()),
});

/** Everything that is announced: ids and headers only, no bodies. Written with the change it tells of. */
export const events = {
  'message.received': received.describe('A mail arrived.'),
  'message.received.spam': received.describe('A mail arrived that the scan takes for spam.'),
  'message.received.blocked': received.describe('A mail arrived from a sender who is not wanted.'),
  'message.received.unauthenticated': received.describe('A mail arrived that nothing vouches for.'),
  'message.refused': inbox
    .extend({
      from: z.string(),
      subject: z.string().optional(),
      labels: z.array(z.string()).describe('Those it would have had; what hides a mail hides its refusal.'),
      size: z.number().describe('Bytes of the raw mail.'),
      reason: z.literal('storage_limit'),
    })
    .describe('A mail was not stored because the inbox, or its organization, has no room for it.'),
  'message.labeled': labeled.extend({ message_id: z.string() }).describe('Labels of a message changed.'),
  'message.deleted': inbox
    .extend({ thread_id: z.string(), message_id: z.string() })
    .describe('A message was deleted.'),
  'thread.labeled': labeled.describe('Labels of all messages of a thread changed.'),
  'thread.deleted': inbox.extend({ thread_id: z.string() }).describe('A thread was deleted.'),
  'inbox.created': inbox.describe('An inbox was provisioned.'),
  'inbox.updated': inbox.describe('The settings of an inbox changed.'),
  'inbox.expiring': inbox
    .extend({ expires_at: z.string() })
    .describe('The inbox is going to be taken down at `expires_at`.'),
  'inbox.deleted': inbox
    .extend({
      reason: z.enum(['deleted', 'expired', 'organization_deleted']),
      archive_id: z.string().optional().describe('What was asked to be kept of its mail.'),
    })
    .describe('The inbox takes no mail any more, and what it held is being purged.'),
  'inbox.storage_warning': inbox
    .extend({ stored_bytes: z.number(), storage_limit: z.number() })
    .describe('Four fifths of the room are taken.'),
  'organization.storage_warning': organization
    .extend({ stored_bytes: z.number(), storage_limit: z.number() })
    .describe('Four fifths of the organization’s room are taken.'),
  'webhook.disabled': organization
    .extend({
      pod_id: z.string().optional(),
      inbox_id: z.string().optional(),
      webhook_id: z.string(),
      reason: z
        .enum(['gone', 'failing'])
        .describe('`gone`: the endpoint answered 410. `failing`: nothing reached it for five days.'),
    })
    .describe('Nothing is delivered to a webhook any more until somebody enables it again.'),
} as const;
export type Announced = keyof typeof events;
export const announced = Object.keys(events) as Announced[];

/** Version of what stands on the bus; a change that a subscriber could stumble over makes another one. */
export const eventVersion = '1';

/** What stands on the bus of each type, as `detail`. An event of another form does not get there. */
export const published = Object.fromEntries(
  announced.map((type) => [
    type,
    z
      .object({ version: z.literal(eventVersion), event_type: z.literal(type) })
      .extend(events[type].shape)
      .extend({
        position: z
          .int()
          .min(1)
          .describe('Place in the log of its inbox, or of its organization where it is of no inbox.'),
      })
      .describe(events[type].description!),
  ]),
) as unknown as Record<Announced, z.ZodObject>;

/** Types a webhook can ask for. */
export const eventTypes = [...new Set([...wireTypes, ...announced])] as [EventType, ...EventType[]];
export type EventType = (typeof wireTypes)[number] | Announced;
export const eventType = z.enum(eventTypes);

/** An event between its change and its publication: what any of them may say. */
export interface MailEvent {
  event_id: string;
  event_type: EventType;
  organization_id: string;
  pod_id?: string;
  inbox_id?: string;
  thread_id?: string;
  message_id?: string;
  timestamp: string;
  labels?: string[];
  added?: string[];
  removed?: string[];
  from?: string;
  to?: string[];
  subject?: string;
  size?: number;
  reason?: string;
  archive_id?: string;
  expires_at?: string;
  stored_bytes?: number;
  storage_limit?: number;
  webhook_id?: string;
}

/** An event with its place in the log of its inbox, or of its organization where it is of no inbox; counted from 1. */
export interface PublishedEvent extends MailEvent {
  version: typeof eventVersion;
  /** Of the inbox it is of. */
  inbox_uid?: string;
  position: number;
}
