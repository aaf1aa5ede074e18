import * as z from 'zod';

/** Environment of the `remove-inbox` function. */
export const env = z.object({
  TABLE_NAME: z.string(),
  BUCKET_NAME: z.string(),
  /** How long the address of a deleted inbox is nobody else's, in days. */
  QUARANTINE_DAYS: z.string().regex(/^\d+$/),
});
export type Env = z.input<typeof env>;
