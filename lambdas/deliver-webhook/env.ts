import * as z from 'zod';

/** Environment of the `deliver-webhook` function. */
export const env = z.object({
  TABLE_NAME: z.string(),
  /** Seconds an endpoint has for a try, from the first question to DNS to the answer. */
  TRY_SECONDS: z.string().regex(/^\d+$/).transform(Number),
  /** Whether a webhook may use plain http to a loopback address: `true` on the local cloud only. */
  ALLOW_LOOPBACK_WEBHOOKS: z.enum(['true', 'false']),
});
export type Env = z.input<typeof env>;
