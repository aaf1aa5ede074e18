import * as z from 'zod';

/** Environment of the `publish-event` function. */
export const env = z.object({
  TABLE_NAME: z.string(),
  EVENT_BUS_NAME: z.string(),
  DELIVERIES_QUEUE_URL: z.string(),
  REMOVALS_QUEUE_URL: z.string(),
});
export type Env = z.input<typeof env>;
