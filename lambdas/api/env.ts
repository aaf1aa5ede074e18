import * as z from 'zod';

/** Environment of the `api` function. */
export const env = z.object({
  TABLE_NAME: z.string(),
  BUCKET_NAME: z.string(),
  /** The role that is narrowed to one organization for each call; empty: no such wall. */
  TENANT_ROLE_ARN: z.string(),
  /** The domain whose addresses need no setup, such as `mail.example.com`. */
  MAIL_DOMAIN: z.string(),
  /** Origins that signatures are made for, separated by spaces; none with a trailing slash. */
  PUBLIC_ORIGINS: z.string(),
  /** The DNS records of the mail domain: JSON of `{type, name, value, priority?}[]`. */
  DNS_RECORDS: z.string(),
  /** How long the address of a deleted inbox is nobody else's, in days. */
  QUARANTINE_DAYS: z.string().regex(/^\d+$/),
  /** How long before its end an inbox is announced to expire, in minutes. */
  EXPIRY_NOTICE_MINUTES: z.string().regex(/^\d+$/),
  /** Whether a webhook may use plain http to a loopback address: `true` on the local cloud only. */
  ALLOW_LOOPBACK_WEBHOOKS: z.enum(['true', 'false']),
});
export type Env = z.input<typeof env>;
