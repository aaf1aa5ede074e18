import * as z from 'zod';
import { pageAnswer, pageQuery, dateParam, textParam } from './page.ts';

/** What became of a call: done; refused for want of a right, or because nothing of the kind is in scope; or not done for another reason. */
export const outcome = z.enum(['allowed', 'denied', 'failed']);

/** The personal facts a line may commit to. Their values stand apart, where erasure takes them. */
export const personalFields = ['source_ip', 'user_arn'] as const;
export type PersonalField = (typeof personalFields)[number];

/**
 * One line: who did what to what, and what became of it. Internal ids only: no content, no secret, no address. What
 * is personal is a salted SHA-256 commitment, so that a line outlives the person it names.
 */
export const line = z.strictObject({
  /** `lin_` and a ULID of the time the call came. */
  line_id: z.string(),
  time: z.string(),
  organization_id: z.string(),
  pod_id: z.string().optional(),
  /** Internal and for life, unlike an address. */
  inbox_uid: z.string().optional(),
  principal: z.strictObject({
    kind: z.enum(['key', 'operator', 'human', 'system']),
    api_key_id: z.string().optional(),
    token_id: z.string().optional(),
  }),
  /** The name of the route, such as `inboxes.messages.get`, or of the system's work. */
  action: z.string(),
  /** Ids of what was changed or read. */
  resources: z.array(z.string()),
  outcome,
  /** Why not, as the answer's problem says. */
  code: z.string().optional(),
  request_id: z.string(),
  commitments: z.partialRecord(z.enum(personalFields), z.string()).optional(),
});
export type Line = z.infer<typeof line>;

/** A line as it is shown: with what is still known of the person behind it. */
export const shownLine = line.extend({
  personal: z.partialRecord(z.enum(personalFields), z.string()).optional(),
});
export type ShownLine = z.infer<typeof shownLine>;

/**
 * The seal over the lines that came within about a minute. Seals of an organization are a chain: each holds the hash
 * of the one before, so that none can be changed, left out or slipped in without all after it changing too.
 */
export const seal = z.strictObject({
  organization_id: z.string(),
  /** From 1, without a gap. */
  number: z.number().int().min(1),
  sealed_at: z.string(),
  /** Ids of the lines it covers, in the order they came. */
  line_ids: z.array(z.string()).min(1),
  /** Merkle tree hash (RFC 9162 §2.1.1) over the canonical lines, base64url. */
  root: z.string(),
  /** The hash of the seal before; empty for the first. */
  previous: z.string(),
  /** SHA-256 of the canonical seal without this member, base64url. */
  hash: z.string(),
});
export type Seal = z.infer<typeof seal>;

export const auditQuery = z.object({
  ...pageQuery.shape,
  /** Exclusive, as in every list. */
  before: dateParam.optional(),
  after: dateParam.optional(),
  action: textParam.optional(),
  outcome: z.preprocess((value) => (Array.isArray(value) ? value.at(-1) : value), outcome).optional(),
  api_key_id: textParam.optional(),
  resource: textParam.optional(),
});
export type AuditQuery = z.infer<typeof auditQuery>;
export const lineList = z.object({ ...pageAnswer, lines: z.array(shownLine) });

/** Seals in the order they were made, from `from` on. */
export const sealQuery = z.object({ limit: pageQuery.shape.limit, page_token: pageQuery.shape.page_token });
export const sealList = z.object({ ...pageAnswer, seals: z.array(seal) });

/** What to forget: one value, such as an IP address, wherever it stands; or with `all` every value of the organization. */
export const createErasure = z
  .strictObject({ value: z.string().min(1).max(2048).optional(), all: z.literal(true).optional() })
  .refine(({ value, all }) => (value === undefined) !== (all === undefined), 'give either value or all');
export const erasure = z.object({
  /** Values that are forgotten now. The lines that committed to them stay, and stay valid. */
  erased: z.number(),
});
