import * as z from 'zod';
import { archiveDays } from './archive.ts';
import { clientId } from './client-id.ts';
import { credentialRequest, issuedCredential } from './credential.ts';
import { dnsRecordStatus } from './dns-record.ts';
import { pageAnswer } from './page.ts';
import { retentionDays, storageLimit } from './room.ts';
import { webhook, webhookRequest } from './webhook.ts';

/** The characters RFC 5322 gives a meaning in a From header, and control characters. */
const notInNames = /[()<>@,;:\\"[\]\p{Cc}]/u;
export const displayName = z
  .string()
  .trim()
  .min(1)
  .max(256)
  .refine((name) => !notInNames.test(name), 'leave out ( ) < > @ , ; : \\ " [ ] and control characters');

const metadataKey = z.string().min(1).max(256);
/** Numbers that DynamoDB and JavaScript both hold exactly: integers up to 2^53, and others from 1e-130 to 1e125. */
const metadataNumber = z
  .number()
  .refine(
    (n) => (Number.isInteger(n) ? Number.isSafeInteger(n) : Math.abs(n) >= 1e-130),
    'give an integer below 2^53 or a number of ordinary size',
  );
const metadataValue = z.union([z.string().max(256), metadataNumber, z.boolean()]);
const atMost256Keys = (value: object): boolean => Object.keys(value).length <= 256;
export const metadata = z.record(metadataKey, metadataValue).refine(atMost256Keys, 'give at most 256 keys');
export type Metadata = z.infer<typeof metadata>;

export const inbox = z.object({
  organization_id: z.string(),
  pod_id: z.string(),
  inbox_id: z.string(),
  email: z.string(),
  display_name: z.string().optional(),
  client_id: z.string().optional(),
  metadata: metadata.optional(),
  /** When it is taken down by itself. */
  expires_at: z.string().optional(),
  /** Days its mail is kept; absent: as long as its organization says. */
  retention_days: z.number().optional(),
  /** Days an archive of its mail is kept once it is deleted; absent: as long as its organization says. */
  archive_retention_days: z.number().optional(),
  /** Bytes of raw mail it may hold. */
  storage_limit: z.number().optional(),
  /** Bytes of raw mail it holds. */
  stored_bytes: z.number().optional(),
  updated_at: z.string(),
  created_at: z.string(),
});
export type Inbox = z.infer<typeof inbox>;

/** What ends an inbox or its mail. That `expires_at` lies ahead is checked where the time is known. */
const lifetime = {
  expires_at: z.iso
    .datetime({ offset: true, error: 'give an ISO 8601 time such as 2026-01-31T12:00:00Z' })
    .nullish(),
  retention_days: retentionDays.nullish(),
  archive_retention_days: archiveDays.nullish(),
  storage_limit: storageLimit.nullish(),
};

/** `username` and `domain` are normalized and checked by the rules of addresses, not here. */
export const createInbox = z.object({
  username: z.string().max(256).nullish(),
  domain: z.string().max(256).nullish(),
  display_name: displayName.nullish(),
  client_id: clientId.nullish(),
  metadata: metadata.nullish(),
  ...lifetime,
  credential: credentialRequest.nullish(),
  webhook: webhookRequest.nullish(),
});
export type CreateInbox = z.infer<typeof createInbox>;

/** The new inbox, with what was asked for beside it and what DNS says about its domain. */
export const provisionedInbox = inbox.extend({
  credential: issuedCredential.optional(),
  webhook: webhook.optional(),
  dns: z.array(dnsRecordStatus).optional(),
});
export type ProvisionedInbox = z.infer<typeof provisionedInbox>;

/** A key with null is removed, `metadata: null` clears all; an empty object says nothing and is refused. Other members go with null. */
export const updateInbox = z
  .object({
    display_name: displayName.nullish(),
    metadata: z
      .record(metadataKey, metadataValue.nullable())
      .refine(atMost256Keys, 'give at most 256 keys')
      .refine((value) => Object.keys(value).length > 0, 'give at least one key, or null to clear all')
      .nullish(),
    ...lifetime,
  })
  .refine(
    (value) => Object.values(value).some((member) => member !== undefined),
    'Must provide display_name or metadata',
  );
export type UpdateInbox = z.infer<typeof updateInbox>;

export const inboxList = z.object({ ...pageAnswer, inboxes: z.array(inbox) });
