import * as z from 'zod';

/** Who the caller is. */
export const identity = z.object({
  scope_type: z.enum(['organization', 'pod', 'inbox']),
  scope_id: z.string(),
  organization_id: z.string(),
  pod_id: z.string().optional(),
  inbox_id: z.string().optional(),
  api_key_id: z.string().optional(),
});
export type Identity = z.infer<typeof identity>;
