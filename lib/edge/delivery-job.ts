import * as z from 'zod';

const job = z.object({
  organization_id: z.string(),
  webhook_id: z.string(),
  webhook_uid: z.string().optional(),
  uid: z.string().optional(),
  event: z.string(),
  attempt: z.int().min(1),
});

/** Reads an SQS message that asks for a try of a delivery. Throws for anything else. */
export function deliveryJob(body: string) {
  const { webhook_uid, uid, ...rest } = job.parse(JSON.parse(body));
  return { ...rest, ...(webhook_uid !== undefined && { webhook_uid }), ...(uid !== undefined && { uid }) };
}
