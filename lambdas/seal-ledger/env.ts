import * as z from 'zod';

/** Environment of the `seal-ledger` function. */
export const env = z.object({
  TABLE_NAME: z.string(),
});
export type Env = z.input<typeof env>;
