import * as z from 'zod';
import { permissions } from './permission.ts';

/** Seconds. */
export const longestToken = 3600;

/** A bearer for clients that cannot sign each call: less than the key that mints it, and soon over. */
export const createToken = z.strictObject({
  /** Seconds; at most an hour, and never beyond the end of the key itself. */
  expires_in: z.number().int().min(1).max(longestToken).optional(),
  /** All that the key has, when absent. */
  permissions: permissions.optional(),
  /** Narrows it to a pod or an inbox in the key's scope. */
  pod_id: z.string().min(1).max(320).optional(),
  inbox_id: z.string().min(1).max(320).optional(),
});
export type CreateToken = z.infer<typeof createToken>;

export const token = z.object({
  token_id: z.string(),
  /** For `Authorization: Bearer`. Shown once. */
  token: z.string(),
  expires_at: z.string(),
});
