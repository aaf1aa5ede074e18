import * as z from 'zod';
import { pageAnswer } from './page.ts';

export const organization = z.object({
  organization_id: z.string(),
  name: z.string().optional(),
  /** Whether a person stands behind it. Organizations made by the operator are. */
  verified: z.boolean(),
  state: z.enum(['active', 'paused']),
  inbox_count: z.number(),
  domain_count: z.number(),
  updated_at: z.string(),
  created_at: z.string(),
});
export type Organization = z.infer<typeof organization>;

export const createOrganization = z.strictObject({ name: z.string().trim().min(1).max(256).optional() });
export type CreateOrganization = z.infer<typeof createOrganization>;

export const organizationList = z.object({ ...pageAnswer, organizations: z.array(organization) });
