import * as z from 'zod';

/** Environment of the `health` function: it needs nothing, so that it tells only whether the door opens. */
export const env = z.object({});
export type Env = z.input<typeof env>;
