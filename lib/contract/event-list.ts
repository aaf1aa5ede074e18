import * as z from 'zod';
import { announced } from './event.ts';
import { pageAnswer, pageQuery } from './page.ts';

const position = z.preprocess(
  (value) => (Array.isArray(value) ? value.at(-1) : value),
  z
    .string()
    .regex(/^\d{1,15}$/, 'give a whole number, such as the position of an event')
    .transform(Number),
);

/** `after_position`: the events behind that place in the log, oldest first, for replay and for following it. */
export const eventsQuery = pageQuery.extend({ after_position: position.optional() });

/** What AgentMail's clients know of a log: a label of a message that came or went. */
const labelTypes = ['label.added', 'label.removed'] as const;

/**
 * An event in the log of an inbox. A change of labels is one of these for each label (`label`), as AgentMail has it;
 * every other type says what docs/events.md tells of it.
 */
export const inboxEvent = z.object({
  event_id: z.string(),
  event_type: z.enum([...labelTypes, ...announced]),
  organization_id: z.string(),
  pod_id: z.string(),
  inbox_id: z.string(),
  inbox_uid: z.string(),
  /** When it happened; `timestamp` is the same, as events have it elsewhere. */
  event_at: z.string(),
  timestamp: z.string(),
  /** When it was written down. */
  created_at: z.string(),
  /** Place in the log, counted from 1; absent for the moment until it has one. */
  position: z.number().optional(),
  thread_id: z.string().optional(),
  message_id: z.string().optional(),
  label: z.string().optional(),
  labels: z.array(z.string()).optional(),
  added: z.array(z.string()).optional(),
  removed: z.array(z.string()).optional(),
  from: z.string().optional(),
  to: z.array(z.string()).optional(),
  subject: z.string().optional(),
  size: z.number().optional(),
  reason: z.string().optional(),
  archive_id: z.string().optional(),
  expires_at: z.string().optional(),
  stored_bytes: z.number().optional(),
  storage_limit: z.number().optional(),
  webhook_id: z.string().optional(),
});
export type InboxEvent = z.infer<typeof inboxEvent>;

export const eventList = z.object({ ...pageAnswer, events: z.array(inboxEvent) });
