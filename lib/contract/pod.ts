import * as z from 'zod';
import { clientId } from './client-id.ts';
import { pageAnswer } from './page.ts';

/** A part of an organization, such as one of its customers. The default pod has the organization's id. */
export const pod = z.object({
  organization_id: z.string(),
  pod_id: z.string(),
  name: z.string(),
  client_id: z.string().optional(),
  updated_at: z.string(),
  created_at: z.string(),
});
export type Pod = z.infer<typeof pod>;

export const createPod = z.object({
  name: z.string().trim().min(1).max(256).nullish(),
  client_id: clientId.nullish(),
});
export type CreatePod = z.infer<typeof createPod>;

export const podList = z.object({ ...pageAnswer, pods: z.array(pod) });
