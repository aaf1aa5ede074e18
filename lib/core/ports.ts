import type { Deed } from '../contract/call.ts';
import type { PrivateJwk, PublicJwk } from '../contract/credential.ts';
import type { DnsRecordStatus } from '../contract/dns-record.ts';
import type { MailEvent } from '../contract/event.ts';
import type { Inbox } from '../contract/inbox.ts';
import type { Organization, Settings } from '../contract/organization.ts';
import type { Permissions } from '../contract/permission.ts';
import type { InboxRef } from '../contract/principal.ts';
import type { Waiting } from './due-ports.ts';
import type { StoredArchive } from './archive-ports.ts';
import type { Removal } from './removal-ports.ts';
import type { StoredWebhook } from './webhook-ports.ts';

/** Milliseconds since the epoch. */
export type Now = () => number;
/** A new ULID in lower case, of the given time or of now. */
export type NewUlid = (time?: number) => string;

/** A position in a list, as a store names it; what callers see of it is a sealed token. */
export type Position = Record<string, unknown>;
export interface Page<Item> {
  items: Item[];
  /** Where the next page begins; absent at the end. */
  next?: Position;
}
export interface PageRequest {
  limit: number;
  ascending: boolean;
  after?: Position;
}

/** Port: turns positions into page tokens that callers can neither read nor change, and back. */
export interface PageTokens {
  /** `purpose` binds the token to one list: organization, route and filters. */
  seal(position: Position, purpose: string): Promise<string>;
  /** `undefined`: forged, damaged, or made for another list. */
  open(token: string, purpose: string): Promise<Position | undefined>;
}

interface StoredKey {
  api_key_id: string;
  /** What finds it: the RFC 7638 thumbprint of a public key, the SHA-256 of a bearer's whole text; base64url. */
  keyid: string;
  organization_id: string;
  pod_id?: string;
  inbox?: { uid: string; inbox_id: string };
  name: string;
  /** Absent: everything in its scope. */
  permissions?: Permissions;
  state: 'active' | 'revoked';
  expires_at?: string;
  used_at?: string;
  created_by?: { api_key_id: string };
  client_id?: string;
  created_at: string;
  updated_at: string;
}

/** A credential as it is stored: what finds it and what it may do, never what makes it. */
export type Credential = StoredKey &
  ({ type: 'public_key'; public_key: PublicJwk } | { type: 'bearer'; prefix: string });

/** What is set, and with null what is removed. */
export type Change<Row> = { [Name in keyof Row]?: Row[Name] | null | undefined };

/** Port: organizations. */
export interface OrganizationStore {
  /** With its default pod. */
  create(organization: Organization, deed?: Deed): Promise<void>;
  get(organizationId: string): Promise<Organization | undefined>;
  list(page: PageRequest): Promise<Page<Organization>>;
  /** Answers it as it stands after the change; `undefined`: there is none; `deleting`: it is not changed any more. */
  update(
    organizationId: string,
    change: Change<Omit<Organization, 'organization_id'>>,
    deed: Deed,
    due?: Waiting[],
  ): Promise<Organization | 'deleting' | undefined>;
  /** One transaction: no key of it works from now on, and all it has is removed. `deleting`: it was before. */
  takeDown(removal: Removal, deed: Deed, due?: Waiting[]): Promise<'taken_down' | 'deleting' | 'gone'>;
}

/** Port: what holds for the whole mailroom. */
export interface SettingsStore {
  get(): Promise<Settings>;
  update(settings: Settings, deed: Deed): Promise<void>;
}

/** Port: makes the operator's organization and inbox, once; a repeat changes nothing. */
export type EnsureOperatorMailroom = () => Promise<void>;

/** An inbox with what only the inside knows. */
export interface StoredInbox extends Inbox {
  uid: string;
  /** What is filed for its end, so that it can be taken back. */
  waiting?: Waiting[];
}

/** Everything one provision call writes. */
export interface Provision {
  inbox: StoredInbox;
  /** Tells of it. */
  event?: MailEvent;
  credential?: Credential;
  webhook?: StoredWebhook;
  /** What waits for its time from now on. */
  due?: Waiting[];
  deed?: Deed;
}
export type ProvisionOutcome =
  | 'created'
  | 'no_organization'
  | 'no_pod'
  | 'organization_suspended'
  | { inbox_limit: number }
  | 'key_registered'
  /** The key that makes the inbox's key was revoked meanwhile. */
  | 'no_parent'
  | { existing: StoredInbox; credential?: { api_key_id: string; keyid: string }; webhook?: StoredWebhook }
  | { taken_by: string };

/** Who has an address. */
export type Holder = InboxRef & {
  /** When it got the address, where another inbox had that before: mail from before that time was meant for the other. */
  since?: string;
};

/** An inbox that is taken down, with everything one transaction writes of it. */
export interface Takedown {
  inbox: StoredInbox;
  /** ISO 8601. */
  at: string;
  /** Until then its address is nobody else's; ISO 8601. */
  until: string;
  event: MailEvent;
  removal: Removal;
  /** What its mail goes into first. */
  archive?: StoredArchive;
  /** Only while the inbox ends at this time. */
  expires_at?: string;
  due?: Waiting[];
  deed?: Deed;
}

/** Port: inboxes and their addresses. */
export interface InboxStore {
  /** One transaction: everything, or the reason why nothing. */
  provision(provision: Provision): Promise<ProvisionOutcome>;
  get(owner: { organization_id: string; uid: string }): Promise<StoredInbox | undefined>;
  /** Newest first unless ascending; of a pod where one is named. */
  list(scope: { organization_id: string; pod_id?: string }, page: PageRequest): Promise<Page<StoredInbox>>;
  /** `stale`: somebody changed it since `expected`, its `updated_at`. */
  update(
    inbox: StoredInbox,
    expected: string,
    deed?: Deed,
    event?: MailEvent,
    due?: Waiting[],
  ): Promise<'updated' | 'stale' | 'gone'>;
  /** One transaction: the inbox is gone, its address rests, and what it leaves is removed in the background. */
  takeDown(down: Takedown): Promise<'taken_down' | 'gone'>;
  /** Which inboxes hold these addresses, in one read; an address without one is absent. */
  holders(addresses: string[]): Promise<Map<string, Holder>>;
  /** Those of them that had an inbox which was taken down. */
  resting(addresses: string[]): Promise<Set<string>>;
}

/** Port: key material. */
export interface Keys {
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  thumbprint(jwk: PublicJwk): string;
  /** Whether `signature` (base64url) is the key's own over the text. A point off the curve verifies nothing. */
  verify(jwk: PublicJwk, text: string, signature: string): boolean;
  /** A new Ed25519 pair. */
  generate(): { public_key: PublicJwk; private_jwk: PrivateJwk };
  /** A new bearer key, and what finds it. */
  generateBearer(): { api_key: string; keyid: string };
}

/** Port: what DNS answers for the records of the mail domain, within two seconds. */
export type CheckDns = () => Promise<DnsRecordStatus[]>;
