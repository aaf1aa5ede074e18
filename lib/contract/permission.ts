import * as z from 'zod';

/** Every permission a key can hold. `message_read` also covers threads, as do the other `message_…` ones. */
export const permissionNames = [
  'inbox_read', 'inbox_create', 'inbox_update', 'inbox_delete',
  'message_read', 'message_send', 'message_update', 'message_delete',
  'label_spam_read', 'label_blocked_read', 'label_unauthenticated_read', 'label_trash_read',
  'draft_read', 'draft_create', 'draft_update', 'draft_delete', 'draft_send',
  'webhook_read', 'webhook_create', 'webhook_update', 'webhook_delete',
  'domain_read', 'domain_create', 'domain_update', 'domain_delete',
  'list_entry_read', 'list_entry_create', 'list_entry_delete',
  'metrics_read',
  'api_key_read', 'api_key_create', 'api_key_update', 'api_key_delete',
  'provider_connect', 'provider_share_owner',
  'pod_read', 'pod_create', 'pod_delete',
  'audit_read',
] as const; // prettier-ignore
export const permission = z.enum(permissionNames);
export type Permission = z.infer<typeof permission>;

/** What a key may do: only what is `true`. A key without permissions may do everything in its scope. */
export const permissions = z.partialRecord(permission, z.boolean());
export type Permissions = z.infer<typeof permissions>;

/** Whether whoever holds `held` may hand on `wanted`: absent permissions are all there are, now and later. */
export const within = (wanted: Permissions | undefined, held: Permissions | undefined): boolean =>
  held === undefined ||
  (wanted !== undefined && permissionNames.every((name) => wanted[name] !== true || held[name] === true));

/** What both allow. */
export const both = (a: Permissions | undefined, b: Permissions | undefined): Permissions | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return Object.fromEntries(
    permissionNames.filter((name) => a[name] === true && b[name] === true).map((name) => [name, true]),
  );
};
