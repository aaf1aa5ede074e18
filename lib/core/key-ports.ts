import type { Deed } from '../contract/call.ts';
import type { Pod } from '../contract/pod.ts';
import type { Scope } from '../contract/principal.ts';
import type { Credential, Page, PageRequest } from './ports.ts';

/** Why a key was not added: words for what the transaction found, or the key that the same `client_id` made. */
export type AddedKey =
  | 'added'
  | 'key_registered'
  | 'no_organization'
  | 'organization_suspended'
  | 'bearer_keys_off'
  /** The pod or the inbox it was for is gone. */
  | 'no_place'
  /** The key that makes it was revoked meanwhile. */
  | 'no_parent'
  /** What the `client_id` made is being revoked: once more, and it is free. */
  | 'passing'
  | { existing: Credential };

/** Port: keys. What is revoked is not there any more. */
export interface ApiKeyStore {
  /** One transaction: the key, or the reason why not. `by` is the key that makes it, if a key does. */
  add(credential: Credential, by?: string, deed?: Deed): Promise<AddedKey>;
  /** By its id, or by its `client_id`. */
  get(organizationId: string, id: string): Promise<Credential | undefined>;
  /** Newest first unless ascending: those of the scope and of all that lies in it. */
  list(scope: Scope, page: PageRequest, type?: Credential['type']): Promise<Page<Credential>>;
  /** Writes name, permissions and time. `stale`: somebody changed it since `expected`, its `updated_at`. */
  update(credential: Credential, expected: string, deed: Deed): Promise<'updated' | 'stale' | 'gone'>;
  /** From now on it opens nothing and is listed nowhere. */
  revoke(credential: Credential, at: string, deed?: Deed): Promise<'revoked' | 'gone'>;
}

/** Port: pods. How many inboxes a pod has, its store alone knows. */
export interface PodStore {
  create(
    pod: Pod,
    deed: Deed,
  ): Promise<'created' | 'no_organization' | 'organization_suspended' | 'passing' | { existing: Pod }>;
  get(organizationId: string, podId: string): Promise<Pod | undefined>;
  /** Newest first unless ascending. */
  list(organizationId: string, page: PageRequest): Promise<Page<Pod>>;
  delete(pod: Pod, deed: Deed): Promise<'deleted' | 'not_empty' | 'gone'>;
}
