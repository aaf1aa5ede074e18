import * as z from 'zod';
import { archiveDays } from './archive.ts';
import { pageAnswer } from './page.ts';
import { retentionDays, storageLimit } from './room.ts';

/** The operator's own organization: mail for postmaster@ and abuse@ of the base domain, and the ledger of what concerns no other. */
export const operatorOrganizationId = 'org_operator';

const name = z.string().trim().min(1).max(256);
const count = z.number().int().min(0).max(1_000_000_000);
const perMinute = z.number().int().min(1).max(10_000_000);

/** Requests a minute where the operator set nothing else. */
export const defaultRates = { organization: 60_000, key: 6_000 } as const;

export const organization = z.object({
  organization_id: z.string(),
  name: z.string().optional(),
  /** Whether a person stands behind it. Organizations made by the operator are. */
  verified: z.boolean(),
  /** Suspended: every call of its keys is refused; mail keeps arriving. Deleting: no key works and no mail is taken any more. */
  state: z.enum(['active', 'suspended', 'deleting']),
  suspended_reason: z.string().optional(),
  /** In the sandbox it mails only its verified humans and itself. */
  access: z.enum(['sandbox', 'production']),
  /** Whether keys without a signature open doors. */
  bearer_keys: z.boolean(),
  inbox_count: z.number(),
  domain_count: z.number(),
  inbox_limit: z.number().optional(),
  domain_limit: z.number().optional(),
  /** Requests of the organization, and of each of its keys. */
  requests_per_minute: z.number().optional(),
  key_requests_per_minute: z.number().optional(),
  /** Days that archives of its inboxes are kept, counted from when each is ready. */
  archive_retention_days: z.number().optional(),
  /** Days mail is kept in inboxes that say nothing themselves; absent: for ever. */
  retention_days: z.number().optional(),
  /** Bytes of raw mail that all its inboxes may hold. */
  storage_limit: z.number().optional(),
  /** Bytes they held when that was last measured: at most five minutes ago, while there is a limit. */
  stored_bytes: z.number().optional(),
  /** Tight: four fifths of the limit are taken. Full: mail is refused. */
  storage_state: z.enum(['tight', 'full']).optional(),
  updated_at: z.string(),
  created_at: z.string(),
});
export type Organization = z.infer<typeof organization>;

export const createOrganization = z.strictObject({ name: name.optional() });
export type CreateOrganization = z.infer<typeof createOrganization>;

const anyChange = (value: object): boolean => Object.values(value).some((member) => member !== undefined);
const nothing = 'give at least one setting to change';

/** What an organization sets for itself, with an unrestricted key. */
export const updateOwnOrganization = z
  .strictObject({
    name: name.nullish(),
    bearer_keys: z.boolean().optional(),
    archive_retention_days: archiveDays.nullish(),
    retention_days: retentionDays.nullish(),
  })
  .refine(anyChange, nothing);

/** What the operator sets for it; null takes a limit away. */
export const updateOrganization = z
  .strictObject({
    name: name.nullish(),
    bearer_keys: z.boolean().optional(),
    access: z.enum(['sandbox', 'production']).optional(),
    inbox_limit: count.nullish(),
    domain_limit: count.nullish(),
    requests_per_minute: perMinute.nullish(),
    key_requests_per_minute: perMinute.nullish(),
    archive_retention_days: archiveDays.nullish(),
    retention_days: retentionDays.nullish(),
    storage_limit: storageLimit.nullish(),
  })
  .refine(anyChange, nothing);
export type UpdateOrganization = z.infer<typeof updateOrganization>;

export const suspendOrganization = z.strictObject({ reason: z.string().trim().min(1).max(500).optional() });

export const organizationList = z.object({ ...pageAnswer, organizations: z.array(organization) });

/** What holds for the whole mailroom. */
export const settings = z.object({
  /** Paused: nothing is sent for anyone; what waits to be sent waits on. */
  sending: z.enum(['on', 'paused']),
  updated_at: z.string().optional(),
});
export type Settings = z.infer<typeof settings>;
export const updateSettings = z.strictObject({ sending: z.enum(['on', 'paused']) });
