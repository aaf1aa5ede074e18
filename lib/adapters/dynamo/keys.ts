import { createHash } from 'node:crypto';

/** The two halves of a row's key. */
export interface Key {
  pk: string;
  sk: string;
}

/** Which inbox a row belongs to. */
export interface Owner {
  organization_id: string;
  uid: string;
}

const key = (pk: string, sk: string): Key => ({ pk, sk });
const organizationPk = (organization: string): string => `O#${organization}`;
const inboxPk = ({ organization_id, uid }: Owner): string => `${organizationPk(organization_id)}#I#${uid}`;
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * Lookup rows: found before the caller's organization is known, or belonging to none. This list is closed;
 * every other partition key begins with `O#<organization>`, so that `dynamodb:LeadingKeys` can fence a tenant.
 */
export const lookupPrefixes = [
  'ADDR#',
  'KEY#',
  'NONCE#',
  'ORGS',
  'LOST#',
  'DUE#',
  'SECRET',
  'SETTINGS',
  'OUTBOX#',
] as const;

/** Who holds an address; its condition is what makes one winner of concurrent claims. */
export const addressKey = (address: string): Key => key(`ADDR#${address}`, 'ADDR');
/** Who calls: by the thumbprint of a public key, or the hash of a bearer. */
export const credentialKey = (keyid: string): Key => key(`KEY#${keyid}`, 'KEY');
/** A nonce that was used. Spread by hash: one hot key of an agent is not one hot partition. */
export const nonceKey = (nonce: string): Key => key(`NONCE#${nonce}`, 'NONCE');
/** One row an organization, all in one partition, for the operator's list. */
export const organizationEntryKey = (organization: string): Key => key('ORGS', organization);
/** Mail nobody has an address for, by day of arrival (`2026-01-31`), newest last. */
export const undeliverableKey = (day: string, id: string): Key => key(`LOST#${day}`, id);
/**
 * What waits, by time in one of `dueShards`: whatever is due is one small query a shard, however long nobody looked.
 * Several shards, so that all that is filed is not one partition of 1,000 write units a second.
 */
export const dueKey = (shard: number, at: number, cause: string): Key =>
  key(`DUE#${shard}`, `${dueMinute(at)}#${cause}`);
/** `2026-01-31T12:00` */
export const dueMinute = (at: number): string => new Date(at).toISOString().slice(0, 16);
export const dueShards = 4;
export const secretKey = (name: string): Key => key('SECRET', name);
/** What holds for the whole mailroom. */
export const settingsKey: Key = key('SETTINGS', 'MAILROOM');

export const organizationKey = (organization: string): Key => key(organizationPk(organization), 'ORG');
export const podKey = (organization: string, pod: string): Key =>
  key(organizationPk(organization), `POD#${pod}`);
/** A key of the organization by its id; the id begins with its time, so newest sorts last. */
export const apiKeyKey = (organization: string, id: string): Key =>
  key(organizationPk(organization), `KEY#${id}`);
/** A key of one inbox, listed beside it. */
export const inboxApiKeyKey = (owner: Owner, id: string): Key => key(inboxPk(owner), `KEY#${id}`);
/**
 * A webhook stands beside what it is of, so that each event finds its webhooks with two small queries and an inbox
 * takes its own along: in its inbox, or in its organization, which holds those of pods too.
 */
export const webhookPk = (organization_id: string, uid?: string): string =>
  uid === undefined ? organizationPk(organization_id) : inboxPk({ organization_id, uid });
export const webhookKey = (organization: string, id: string, uid?: string): Key =>
  key(webhookPk(organization, uid), `${webhookPrefix}${id}`);
export const webhookPrefix = 'WEBHOOK#';
/** In which inbox a webhook stands, for the routes that name it alone. */
export const webhookPlaceKey = (organization: string, id: string): Key =>
  key(organizationPk(organization), `HOOKAT#${id}`);
/** What went to a webhook, by the ULID of the event. */
export const deliveryPk = (organization: string, webhookId: string): string =>
  `${organizationPk(organization)}#H#${webhookId}`;
export const deliveryKey = (organization: string, webhookId: string, event: string): Key =>
  key(deliveryPk(organization, webhookId), event);
/** What is said of an event to all webhooks: mail, so it lies in its inbox and goes with it. */
export const payloadPk = (owner: Owner): string => `${inboxPk(owner)}#Y`;
export const payloadKey = (owner: Owner, event: string): Key => key(payloadPk(owner), event);
/** What is being taken down: an inbox by its uid, or an organization by its own id. */
export const removalKey = (organization: string, what: string): Key =>
  key(organizationPk(organization), `REMOVAL#${what}`);
/** A mailbox file of an inbox that is gone; the id begins with its time. */
export const archiveKey = (organization: string, id: string): Key =>
  key(organizationPk(organization), `${archivePrefix}${id}`);
export const archivePrefix = 'ARCHIVE#';
/** What a `client_id` made: a repeat finds it instead of making another. */
export const clientIdKey = (organization: string, resource: string, clientId: string): Key =>
  key(organizationPk(organization), `CLIENT#${resource}#${clientId}`);
/** In which inbox a thread lies, for the routes that name a thread alone. */
export const threadEntryKey = (organization: string, threadId: string): Key =>
  key(`${organizationPk(organization)}#T#${threadId}`, 'THREAD');

/** What an `Idempotency-Key` did, by the key's hash. */
export const idempotencyKey = (organization: string, hash: string): Key =>
  key(`${organizationPk(organization)}#IDEM#${hash}`, 'IDEM');
/** Requests counted in a minute (`2026-01-31T12:00`), of the organization or of one of its keys. */
export const rateKey = (organization: string, bucket: string, minute: string): Key =>
  key(`${organizationPk(organization)}#RATE#${bucket}`, minute);

/** The ledger, a partition a day (`2026-01-31`). */
export const lineKey = (organization: string, day: string, ulid: string): Key =>
  key(linePk(organization, day), ulid);
export const linePk = (organization: string, day: string): string =>
  `${organizationPk(organization)}#A#${day}`;
/** The chain of seals, by number; `HEAD` says where it ends. */
export const sealPk = (organization: string): string => `${organizationPk(organization)}#S`;
export const sealKey = (organization: string, number: number): Key =>
  key(sealPk(organization), String(number).padStart(12, '0'));
export const sealHeadKey = (organization: string): Key => key(sealPk(organization), 'HEAD');
/** How far the seals are exported. Not beside them: whoever exports writes this row and can write no seal. */
export const exportedKey = (organization: string): Key =>
  key(`${organizationPk(organization)}#X`, 'EXPORTED');
/** What a line committed to, until it is erased. */
export const personPk = (organization: string): string => `${organizationPk(organization)}#W`;
export const personKey = (organization: string, commitment: string): Key =>
  key(personPk(organization), commitment);

export const inboxKey = (owner: Owner): Key => key(inboxPk(owner), 'INBOX');
/** `ulid` is the message id without its prefix, so that a range of keys is a range of time. */
export const messageKey = (owner: Owner, ulid: string): Key => key(inboxPk(owner), `M#${ulid}`);
export const messagePrefix = 'M#';
/** The bodies of a message, compressed, when they are small. */
export const bodyKey = (owner: Owner, ulid: string): Key => key(inboxPk(owner), `B#${ulid}`);
export const threadKey = (owner: Owner, threadId: string): Key => key(inboxPk(owner), `T#${threadId}`);
/** A Message-ID of this inbox, its own or one referred to → the thread it is in. */
export const wireIdKey = (owner: Owner, messageId: string): Key =>
  key(inboxPk(owner), `R#${hash(`id:${messageId}`)}`);
/** The claim of one SES delivery to this inbox. */
export const deliveryClaimKey = (owner: Owner, sesId: string): Key =>
  key(inboxPk(owner), `R#${hash(`ses:${sesId}`)}`);
/** The claim of the same bytes under the same Message-ID; it ends after three days. */
export const contentClaimKey = (owner: Owner, messageId: string, digest: string): Key =>
  key(inboxPk(owner), `R#${hash(`mail:${messageId}\n${digest}`)}`);

/**
 * A list of an inbox: rows of keys only, one partition each, sorted by ULID. `messages` and `threads` hold
 * what is visible by default, `hidden-…` the rest; with a label, those that carry it; with a thread, its messages.
 */
export type List =
  | { of: 'messages' | 'hidden-messages' | 'threads' | 'hidden-threads'; label?: string }
  | { of: 'thread'; thread_id: string };
const listCodes = { messages: 'V', 'hidden-messages': 'H', threads: 'TV', 'hidden-threads': 'TH' } as const;

export const listPk = (owner: Owner, list: List): string =>
  list.of === 'thread'
    ? `${inboxPk(owner)}#T#${list.thread_id}`
    : `${inboxPk(owner)}#${list.label === undefined ? listCodes[list.of] : `L#${listCodes[list.of]}#${list.label}`}`;
export const listKey = (owner: Owner, list: List, ulid: string): Key => key(listPk(owner, list), ulid);

/** A log: of an inbox, or without one of the organization itself. */
export type LogOwner = { organization_id: string; uid?: string };
const logPk = ({ organization_id, uid }: LogOwner): string =>
  `${uid === undefined ? organizationPk(organization_id) : inboxPk({ organization_id, uid })}#E`;
/** The outbox and log: written with the change it tells of. */
export const eventKey = (owner: LogOwner, ulid: string): Key => key(logPk(owner), ulid);
/** How far a log is numbered. */
export const logHeadKey = (owner: LogOwner): Key => key(logPk(owner), 'HEAD');
/** Index rows of events that nobody has announced yet, by the ULID of their time. */
export const outboxPk = (shard: number): string => `OUTBOX#${shard}`;
export const outboxShards = 4;

/** Index rows. Threads of an organization lie in shards, since all its mail moves them. */
export const threadShards = 4;
export const byPodPk = (organization: string, pod: string): string =>
  `${organizationPk(organization)}#P#${pod}`;
/** The keys of a pod and of its inboxes. */
export const byPodKeysPk = (organization: string, pod: string): string => `${byPodPk(organization, pod)}#K`;
/** Webhooks of a pod and of its inboxes, and all of an organization. */
export const byPodWebhooksPk = (organization: string, pod: string): string =>
  `${byPodPk(organization, pod)}#H`;
export const byOrganizationWebhooksPk = (organization: string): string => `${organizationPk(organization)}#H`;
/** Archives of what was in a pod. */
export const byPodArchivesPk = (organization: string, pod: string): string =>
  `${byPodPk(organization, pod)}#R`;
export const byOrganizationPk = (organization: string): string => `${organizationPk(organization)}#I`;
export const threadShardPk = (organization: string, visible: boolean, shard: number): string =>
  `${organizationPk(organization)}#${visible ? 'TV' : 'TH'}#${shard}`;
/** The shard of a thread, a due row or an event: stable, and spread evenly. */
export const shardOf = (id: string, shards: number): number =>
  createHash('sha256').update(id).digest()[0]! % shards;
