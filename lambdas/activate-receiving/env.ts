import * as z from 'zod';

/** Environment of the `activate-receiving` function; what it acts on comes with the CloudFormation event. */
export const env = z.object({});
export type Env = z.input<typeof env>;
