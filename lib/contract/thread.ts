import * as z from 'zod';
import { updateLabels } from './label.ts';
import { attachment, filterQuery, message, withFilteredLimit } from './message.ts';
import { listParam, pageAnswer, pageQuery } from './page.ts';

export const threadItem = z.object({
  organization_id: z.string(),
  pod_id: z.string(),
  inbox_id: z.string(),
  thread_id: z.string(),
  labels: z.array(z.string()),
  timestamp: z.string(),
  received_timestamp: z.string().optional(),
  sent_timestamp: z.string().optional(),
  senders: z.array(z.string()),
  recipients: z.array(z.string()),
  subject: z.string().optional(),
  preview: z.string().optional(),
  attachments: z.array(attachment).optional(),
  last_message_id: z.string(),
  message_count: z.number(),
  /** Bytes of its raw mails. */
  size: z.number(),
  updated_at: z.string(),
  created_at: z.string(),
});
export type ThreadItem = z.infer<typeof threadItem>;

/** The newest page first; messages within a page run from old to new. */
export const thread = threadItem.extend({ ...pageAnswer, messages: z.array(message) });
export type Thread = z.infer<typeof thread>;

export const threadQuery = pageQuery.pick({ page_token: true }).extend({
  limit: pageQuery.shape.limit.refine((limit) => (limit ?? 0) <= 100, 'give a limit of at most 100'),
});

const threadsQueryShape = filterQuery.extend({
  senders: listParam.optional(),
  recipients: listParam.optional(),
});
export const threadsQuery = threadsQueryShape.refine(
  ...withFilteredLimit<z.infer<typeof threadsQueryShape>>(['labels', 'senders', 'recipients', 'subject']),
);
export type ThreadsQuery = z.infer<typeof threadsQuery>;

export const threadList = z.object({ ...pageAnswer, threads: z.array(threadItem) });
export type ThreadList = z.infer<typeof threadList>;

export const updateThread = updateLabels;
/** `pending`: the thread is too long for one transaction; the rest follows in the background. */
export const updateThreadResponse = z.object({
  thread_id: z.string(),
  labels: z.array(z.string()),
  pending: z.literal(true).optional(),
});

/** Answered when a thread is too long to be deleted at once: 202, and the rest follows in the background. */
export const deleteThreadResponse = z.object({ thread_id: z.string(), pending: z.literal(true) }).optional();
