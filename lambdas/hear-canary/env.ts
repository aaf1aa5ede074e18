import * as z from 'zod';

/** Environment of the `hear-canary` function. */
export const env = z.object({ MAIL_DOMAIN: z.string() });
export type Env = z.input<typeof env>;
