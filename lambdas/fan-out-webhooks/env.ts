import * as z from 'zod';

/** Environment of the `fan-out-webhooks` function. */
export const env = z.object({
  TABLE_NAME: z.string(),
  BUCKET_NAME: z.string(),
});
export type Env = z.input<typeof env>;
