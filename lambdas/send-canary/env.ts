import * as z from 'zod';

/** Environment of the `send-canary` function. */
export const env = z.object({
  TABLE_NAME: z.string(),
  MAIL_DOMAIN: z.string(),
});
export type Env = z.input<typeof env>;
