import * as z from 'zod';
import { verdict } from './message.ts';
import { pageAnswer } from './page.ts';

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
  reason: z.literal('no_such_address'),
  received_at: z.string(),
});
export type Undeliverable = z.infer<typeof undeliverable>;

export const undeliverableList = z.object({ ...pageAnswer, undeliverable: z.array(undeliverable) });
