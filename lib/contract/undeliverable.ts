import * as z from 'zod';
import { verdict } from './message.ts';
import { pageAnswer } from './page.ts';

/** Why nobody has a mail. */
export const undeliverableReason = z.enum([
  'no_such_address',
  /** The inbox of the address was taken down. */
  'inbox_deleted',
  /** The address has a new inbox; SES took the mail before that was made, so it was meant for the one before. */
  'arrived_before_inbox',
  /** The inbox, or its organization, has no room for it. */
  'storage_limit',
]);
export type UndeliverableReason = z.infer<typeof undeliverableReason>;

/** A mail to an address without an inbox: SES took it, nobody has it. Kept 30 days. */
export const undeliverable = z.object({
  undeliverable_id: z.string(),
  /** The envelope recipient nobody answers to. */
  recipient: z.string(),
  /** The envelope sender; empty for the null sender of a delivery report. */
  sender: z.string(),
  subject: z.string().optional(),
  ses_message_id: z.string(),
  spf: verdict,
  dkim: verdict,
  dmarc: verdict,
  reason: undeliverableReason,
  received_at: z.string(),
});
export type Undeliverable = z.infer<typeof undeliverable>;

export const undeliverableList = z.object({ ...pageAnswer, undeliverable: z.array(undeliverable) });
