import * as z from 'zod';
import { hiddenLabels, updateLabels } from './label.ts';
import { booleanParam, dateParam, listParam, maxFilteredPage, pageAnswer, pageQuery } from './page.ts';

export const attachment = z.object({
  attachment_id: z.string(),
  filename: z.string().optional(),
  /** Bytes, decoded. */
  size: z.number(),
  content_type: z.string().optional(),
  content_disposition: z.enum(['inline', 'attachment']).optional(),
  content_id: z.string().optional(),
});
export type Attachment = z.infer<typeof attachment>;

/** The URL needs no header, answers as a download, and is good until `expires_at`. */
export const attachmentResponse = attachment.extend({ download_url: z.string(), expires_at: z.string() });
export type AttachmentResponse = z.infer<typeof attachmentResponse>;

export const verdict = z.enum(['PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED']);
export type Verdict = z.infer<typeof verdict>;

/** What the receiving server found out about the sender. Data, not a decision: nothing is dropped for it. */
export const authentication = z.object({
  spf: verdict,
  dkim: verdict,
  dmarc: verdict,
  /** The sender's published policy; known only when DMARC failed. */
  dmarc_policy: z.enum(['none', 'quarantine', 'reject']).optional(),
  spam: verdict,
  virus: verdict,
  /** Whether an authenticated domain is the domain of From: what makes the name on the mail believable. */
  from_aligned: z.boolean(),
});
export type Authentication = z.infer<typeof authentication>;

export const messageItem = z.object({
  organization_id: z.string(),
  pod_id: z.string(),
  inbox_id: z.string(),
  thread_id: z.string(),
  message_id: z.string(),
  labels: z.array(z.string()),
  timestamp: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  cc: z.array(z.string()).optional(),
  bcc: z.array(z.string()).optional(),
  subject: z.string().optional(),
  preview: z.string().optional(),
  attachments: z.array(attachment).optional(),
  in_reply_to: z.string().optional(),
  references: z.array(z.string()).optional(),
  /** Bytes of the raw mail. */
  size: z.number(),
  authentication: authentication.optional(),
  /** The value of Auto-Submitted (RFC 3834); absent when the mail has none. */
  auto_submitted: z.string().optional(),
  /** What stood after `+` in the address the mail was sent to. */
  tag: z.string().optional(),
  /** The SMTP recipients of this mail that are this inbox. */
  envelope_to: z.array(z.string()).optional(),
  /** `inferred`: the notice was lost and the recipients were taken from the mail's own trace headers. */
  envelope: z.enum(['given', 'inferred']).optional(),
  /** How many further copies of the same bytes arrived and were not stored. */
  duplicates: z.number().optional(),
  parse_error: z.string().optional(),
  updated_at: z.string(),
  created_at: z.string(),
});
export type MessageItem = z.infer<typeof messageItem>;

export const message = messageItem.extend({
  reply_to: z.array(z.string()).optional(),
  /** RFC 5322 Message-ID with angle brackets, as the sender wrote it. */
  rfc822_message_id: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  text: z.string().optional(),
  html: z.string().optional(),
  extracted_text: z.string().optional(),
  extracted_html: z.string().optional(),
  /** Bodies over 1 MB leave the answer and stand behind URLs. */
  text_truncated: z.boolean().optional(),
  text_url: z.string().optional(),
  html_url: z.string().optional(),
});
export type Message = z.infer<typeof message>;

export const includeQuery = z.object(
  Object.fromEntries(hiddenLabels.map((label) => [`include_${label}`, booleanParam.optional()])) as Record<
    `include_${(typeof hiddenLabels)[number]}`,
    z.ZodOptional<typeof booleanParam>
  >,
);

/** The filters a list of messages and of threads have in common. */
export const filterQuery = pageQuery.extend({
  ...includeQuery.shape,
  labels: listParam.optional(),
  before: dateParam.optional(),
  after: dateParam.optional(),
  subject: listParam.optional(),
});

export const withFilteredLimit = <Query extends { limit?: number | undefined }>(
  filters: (keyof Query)[],
): [(query: Query) => boolean, { path: string[]; message: string }] => [
  (query) => (query.limit ?? 0) <= maxFilteredPage || filters.every((name) => query[name] === undefined),
  {
    path: ['limit'],
    message: `give a limit of at most ${maxFilteredPage} with a filter on ${filters.join(', ')}`,
  },
];

const messagesQueryShape = filterQuery.extend({ from: listParam.optional(), to: listParam.optional() });
export const messagesQuery = messagesQueryShape.refine(
  ...withFilteredLimit<z.infer<typeof messagesQueryShape>>(['labels', 'from', 'to', 'subject']),
);
export type MessagesQuery = z.infer<typeof messagesQuery>;

export const messageList = z.object({ ...pageAnswer, messages: z.array(messageItem) });
export type MessageList = z.infer<typeof messageList>;

const distinct = (ids: string[]): boolean => new Set(ids).size === ids.length;
const messageIds = (most: number) =>
  z.array(z.string().min(1).max(128)).min(1).max(most).refine(distinct, 'name each message once');

export const batchGetMessages = z.object({ message_ids: messageIds(500) });
/** Without bodies, in the order asked; what is not there is left out. */
export const batchGetMessagesResponse = z.object({
  limit: z.number(),
  count: z.number(),
  messages: z.array(messageItem),
});

export const updateMessage = updateLabels;
export const updateMessageResponse = z.object({ message_id: z.string(), labels: z.array(z.string()) });
export type UpdateMessageResponse = z.infer<typeof updateMessageResponse>;

export const batchUpdateMessages = z.intersection(z.object({ message_ids: messageIds(50) }), updateLabels);
export const batchUpdateMessagesResponse = z.object({
  limit: z.number(),
  count: z.number(),
  updates: z.array(updateMessageResponse),
});

export const rawMessageResponse = z.object({
  message_id: z.string(),
  size: z.number(),
  download_url: z.string(),
  expires_at: z.string(),
});
