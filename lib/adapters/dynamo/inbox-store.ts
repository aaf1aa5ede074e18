import type { MailEvent } from '../../contract/event.ts';
import type { Holder, InboxStore, Provision, StoredInbox } from '../../core/ports.ts';
import { addressClaim, holderOf } from './address-rows.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { transactDeed } from './deed.ts';
import { credentialWrites } from './credential-rows.ts';
import { dueWrite } from './due-store.ts';
import { eventRow } from './event-rows.ts';
import {
  addressKey,
  apiKeyKey,
  byOrganizationPk,
  byPodPk,
  clientIdKey,
  inboxKey,
  organizationKey,
  podKey,
  webhookKey,
  type Key,
} from './keys.ts';
import { getRow, getRows, queryRange } from './rows.ts';
import { table } from './table.ts';
import { takeDownWrites } from './take-down.ts';
import { type Write } from './transaction.ts';
import { toStoredWebhook, webhookWrites } from './webhook-rows.ts';

const absent = 'attribute_not_exists(pk)';

/** The inbox itself, and its place in both indexes; the uid begins with its time, so newest sorts last. */
export const inboxRow = (inbox: StoredInbox): Row => ({
  ...inboxKey(inbox),
  v: rowVersion,
  // Every mail adds to it.
  stored_bytes: 0,
  ...inbox,
  [table.byPod.partitionKey]: byPodPk(inbox.organization_id, inbox.pod_id),
  [table.byPod.sortKey]: inbox.uid,
  [table.byOrganization.partitionKey]: byOrganizationPk(inbox.organization_id),
  [table.byOrganization.sortKey]: inbox.uid,
});

const ownKeys = [
  'pk',
  'sk',
  'v',
  'webhook_count',
  'storage_warned',
  'expiry_announced',
  ...[table.byPod, table.byOrganization].flatMap((index) => [index.partitionKey, index.sortKey]),
];
const toInbox = (row: Row): StoredInbox =>
  Object.fromEntries(
    Object.entries(row).filter(([name]) => !ownKeys.includes(name)),
  ) as unknown as StoredInbox;

/** What a change may set or take away; the rest of the row is for life, or counts by itself. */
const changeable = [
  ...(['display_name', 'metadata', 'expires_at', 'retention_days'] as const),
  ...(['archive_retention_days', 'storage_limit'] as const),
  'waiting',
] as const;

type ProvisionWord = 'organization' | 'no_pod' | 'existing' | 'no_parent' | 'taken' | 'key_registered';

/**
 * The rows of one provision, in the order their refusals count. A failed condition says:
 *
 * | row            | condition                  | means                                              |
 * |----------------|----------------------------|----------------------------------------------------|
 * | organization   | there, active, within its limit (+1 inbox) | 404, 403 `account_suspended`, 403 `limit_exceeded` |
 * | pod            | there (+1 inbox)           | 404                                                |
 * | client id      | not there                  | not an error: the inbox of the first call          |
 * | asking key     | there, where a key is made | 401: it was revoked meanwhile                      |
 * | address        | not there, or it rests: for its organization, or long enough | 403 `already_exists` or `resource_taken` |
 * | key            | not there                  | 409 `conflict`: the key is another credential's    |
 * | inbox, event, key's listing, webhook | none | their ids are new                                  |
 */
function provisionWrites({ inbox, event, credential, webhook, due = [] }: Provision): Write<ProvisionWord>[] {
  const { organization_id, uid, client_id } = inbox;
  const parent = credential?.created_by?.api_key_id;
  // What a repeat is told beside the inbox: ids only, the secrets are elsewhere or nowhere.
  const made = {
    ...(credential && { credential: { api_key_id: credential.api_key_id, keyid: credential.keyid } }),
    ...(webhook && { webhook_id: webhook.webhook_id }),
  };
  const organization: Write<ProvisionWord> = {
    update: organizationKey(organization_id),
    set: 'SET inbox_count = inbox_count + :one, updated_at = :now',
    condition: '#state = :active AND (attribute_not_exists(inbox_limit) OR inbox_count < inbox_limit)',
    names: { '#state': 'state' },
    values: { ':one': 1, ':active': 'active', ':now': inbox.created_at },
    otherwise: 'organization',
  };
  return [
    organization,
    {
      update: podKey(organization_id, inbox.pod_id),
      set: 'SET inbox_count = inbox_count + :one',
      condition: 'attribute_exists(pk)',
      values: { ':one': 1 },
      otherwise: 'no_pod',
    },
    ...(client_id === undefined
      ? []
      : [
          {
            put: { ...clientIdKey(organization_id, 'inbox', client_id), v: rowVersion, uid, ...made },
            condition: absent,
            otherwise: 'existing' as const,
          },
        ]),
    // Its listing goes with the key that is revoked: what made a key cannot leave one behind.
    ...(parent === undefined
      ? []
      : [
          {
            check: apiKeyKey(organization_id, parent),
            condition: 'attribute_exists(pk)',
            otherwise: 'no_parent' as const,
          },
        ]),
    addressClaim(inbox, 'taken'),
    ...(credential === undefined ? [] : credentialWrites(credential, 'key_registered' as const)),
    { put: { ...inboxRow(inbox), ...(webhook && { webhook_count: 1 }) } },
    ...(webhook === undefined ? [] : webhookWrites(webhook)),
    ...announcement(inbox, event),
    ...due.map(({ work, at }) => dueWrite(work, at)),
  ];
}

const announcement = (inbox: StoredInbox, event: MailEvent | undefined): { put: Row }[] =>
  event === undefined
    ? []
    : [{ put: eventRow(inbox, event, Math.floor(Date.parse(event.timestamp) / 1000)) }];

/** What a `client_id` made, by its row. */
async function madeBefore(database: Database, organization_id: string, { uid, credential, webhook_id }: Row) {
  const keys = [
    inboxKey({ organization_id, uid }),
    ...(webhook_id === undefined ? [] : [webhookKey(organization_id, webhook_id, uid)]),
  ];
  const [inbox, hook] = await getRows(database, keys);
  if (inbox === undefined) return undefined;
  return {
    existing: toInbox(inbox),
    ...(credential && { credential }),
    ...(hook && { webhook: toStoredWebhook(hook) }),
  };
}

/** Inboxes and their addresses in the table. */
export const inboxStore = (database: Database): InboxStore => ({
  async provision(provision) {
    const outcome = await transactDeed(database, provision.deed, provisionWrites(provision));
    if (outcome === 'done') return 'created';
    const { refused, row } = outcome;
    const { organization_id } = provision.inbox;
    if (refused === 'organization') {
      if (row === undefined) return 'no_organization';
      return row['state'] === 'active' ? { inbox_limit: row['inbox_limit'] } : 'organization_suspended';
    }
    if (refused === 'taken') return { taken_by: row!['organization_id'] };
    if (refused !== 'existing') return refused;
    // Taken down in between, its client id went with it.
    return (await madeBefore(database, organization_id, row!)) ?? this.provision(provision);
  },

  async get(owner) {
    const row = await getRow(database, inboxKey(owner));
    return row === undefined ? undefined : toInbox(row);
  },

  async list({ organization_id, pod_id }, { limit, ascending, after }) {
    const index = pod_id === undefined ? table.byOrganization : table.byPod;
    const partition =
      pod_id === undefined ? byOrganizationPk(organization_id) : byPodPk(organization_id, pod_id);
    const { rows, last } = await queryRange(database, {
      index,
      partition,
      limit,
      ascending,
      ...(after && { after }),
    });
    const inboxes = await getRows(database, rows as Key[]);
    return { items: inboxes.filter((row) => row !== undefined).map(toInbox), ...(last && { next: last }) };
  },

  async update(inbox, expected, deed, event, due = []) {
    const has = (name: (typeof changeable)[number]) => inbox[name] !== undefined;
    const sets = ['updated_at', ...changeable.filter(has)].map((name) => `${name} = :${name}`);
    const removes = changeable.filter((name) => !has(name));
    const outcome = await transactDeed<'changed'>(database, deed, [
      {
        update: inboxKey(inbox),
        set: `SET ${sets.join(', ')}${removes.length === 0 ? '' : ` REMOVE ${removes.join(', ')}`}`,
        condition: 'updated_at = :expected',
        values: {
          ':updated_at': inbox.updated_at,
          ...Object.fromEntries(changeable.filter(has).map((name) => [`:${name}`, inbox[name]])),
          ':expected': expected,
        },
        otherwise: 'changed',
      },
      ...announcement(inbox, event),
      ...due.map(({ work, at }) => dueWrite(work, at)),
    ]);
    if (outcome === 'done') return 'updated';
    return outcome.row === undefined ? 'gone' : 'stale';
  },

  async takeDown(down) {
    return (await transactDeed(database, down.deed, takeDownWrites(down))) === 'done' ? 'taken_down' : 'gone';
  },

  async holders(addresses) {
    const rows = await getRows(database, addresses.map(addressKey));
    const found = rows.flatMap((row, at): [string, Holder][] => {
      const holder = holderOf(row);
      return holder === undefined ? [] : [[addresses[at]!, holder]];
    });
    return new Map(found);
  },

  async resting(addresses) {
    const rows = await getRows(database, addresses.map(addressKey));
    // Also where it was claimed again since the caller looked: what came before was for the inbox that is gone.
    return new Set(addresses.filter((_, at) => rows[at]?.['deleted_at'] !== undefined));
  },
});
