import * as z from 'zod';
import { dnsRecordStatus } from './dns-record.ts';
import { provisionedInbox, type createInbox } from './inbox.ts';
import { problemBody } from './problem.ts';

/** Each takes a transaction of its own, one after the other, and the call has 29 seconds. */
const most = 100;

/** A create of its own each, judged alone: one that is wrong refuses none of the others. */
export const batchCreateInboxes = z.strictObject({
  inboxes: z
    .array(
      z.custom<z.input<typeof createInbox>>(
        (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
        'give an object, as POST /v0/inboxes takes it',
      ),
    )
    .min(1)
    .max(most, `give at most ${most} inboxes`),
});

export const batchDeleteInboxes = z.strictObject({
  /** Any address of each, or its uid. */
  inbox_ids: z.array(z.string().min(1).max(512)).min(1).max(most, `give at most ${most} inboxes`),
});

/** Why one of them was refused. */
const error = problemBody.omit({ docs: true, window: true, request_id: true });
export type BatchError = z.infer<typeof error>;

const batchCreated = z.object({
  /** Its place in the call, from 0. */
  index: z.number(),
  inbox: provisionedInbox.omit({ dns: true }).optional(),
  error: error.optional(),
});
export type BatchCreated = z.infer<typeof batchCreated>;

/** In the order of the call; what DNS says about the domain, once for all. */
export const batchCreateInboxesResponse = z.object({
  results: z.array(batchCreated),
  dns: z.array(dnsRecordStatus).optional(),
});

const batchDeleted = z.object({
  index: z.number(),
  /** As it was given. */
  inbox_id: z.string(),
  deleted: z.boolean(),
  error: error.optional(),
});
export type BatchDeleted = z.infer<typeof batchDeleted>;

export const batchDeleteInboxesResponse = z.object({ results: z.array(batchDeleted) });
