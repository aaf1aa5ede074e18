import * as z from 'zod';

/** Environment of the `run-due` function. */
export const env = z.object({
  TABLE_NAME: z.string(),
  BUCKET_NAME: z.string(),
  MAIL_DOMAIN: z.string(),
  /** How long the address of an inbox that expired is nobody else's, in days. */
  QUARANTINE_DAYS: z.string().regex(/^\d+$/),
});
export type Env = z.input<typeof env>;
