import * as z from 'zod';

/** Environment of the `export-ledger` function. */
export const env = z.object({
  TABLE_NAME: z.string(),
  LEDGER_BUCKET_NAME: z.string(),
});
export type Env = z.input<typeof env>;
