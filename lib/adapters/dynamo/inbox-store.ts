import type { InboxRef } from '../../contract/principal.ts';
import type { Webhook } from '../../contract/webhook.ts';
import { defined } from '../../core/defined.ts';
import type { InboxStore, Provision, StoredInbox } from '../../core/ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { transactDeed } from './deed.ts';
import { credentialWrites } from './credential-rows.ts';
import {
  addressKey,
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
import { type Write } from './transaction.ts';

const absent = 'attribute_not_exists(pk)';

/** The row an address leads to. */
export const addressRow = (address: string, inbox: StoredInbox): Row => ({
  ...addressKey(address),
  v: rowVersion,
  organization_id: inbox.organization_id,
  pod_id: inbox.pod_id,
  uid: inbox.uid,
  inbox_id: inbox.inbox_id,
});

/** The inbox itself, and its place in both indexes; the uid begins with its time, so newest sorts last. */
export const inboxRow = (inbox: StoredInbox): Row => ({
  ...inboxKey(inbox),
  v: rowVersion,
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
  ...[table.byPod, table.byOrganization].flatMap((index) => [index.partitionKey, index.sortKey]),
];
const toInbox = (row: Row): StoredInbox =>
  Object.fromEntries(
    Object.entries(row).filter(([name]) => !ownKeys.includes(name)),
  ) as unknown as StoredInbox;

type ProvisionWord = 'organization' | 'no_pod' | 'existing' | 'taken' | 'key_registered';

/**
 * The rows of one provision, in the order their refusals count. A failed condition says:
 *
 * | row            | condition                  | means                                              |
 * |----------------|----------------------------|----------------------------------------------------|
 * | organization   | there, active, within its limit (+1 inbox) | 404, 403 `account_suspended`, 403 `limit_exceeded` |
 * | pod            | there (+1 inbox)           | 404                                                |
 * | client id      | not there                  | not an error: the inbox of the first call          |
 * | address        | not there                  | 403 `already_exists` or `resource_taken`           |
 * | key            | not there                  | 409 `conflict`: the key is another credential's    |
 * | inbox, key's listing, webhook | none        | their ids are new                                  |
 */
function provisionWrites({ inbox, credential, webhook }: Provision): Write<ProvisionWord>[] {
  const { organization_id, uid, inbox_id, client_id } = inbox;
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
    { put: addressRow(inbox_id, inbox), condition: absent, otherwise: 'taken' },
    ...(credential === undefined ? [] : credentialWrites(credential, 'key_registered' as const)),
    { put: inboxRow(inbox) },
    ...(webhook === undefined
      ? []
      : [
          {
            put: {
              ...webhookKey(organization_id, webhook.webhook_id),
              v: rowVersion,
              inbox_uid: uid,
              ...webhook,
            },
          },
        ]),
  ];
}

/** What a `client_id` made, by its row. */
async function madeBefore(database: Database, organization_id: string, { uid, credential, webhook_id }: Row) {
  const keys = [
    inboxKey({ organization_id, uid }),
    ...(webhook_id === undefined ? [] : [webhookKey(organization_id, webhook_id)]),
  ];
  const [inbox, hook] = await getRows(database, keys);
  if (inbox === undefined) throw new Error('a client id leads to no inbox');
  return {
    existing: toInbox(inbox),
    ...(credential && { credential }),
    ...(hook && { webhook: toWebhook(hook) }),
  };
}

const toWebhook = ({ pk: _pk, sk: _sk, v: _v, inbox_uid: _uid, ...webhook }: Row): Webhook =>
  webhook as Webhook;

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
    return madeBefore(database, organization_id, row!);
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

  async update(inbox, expected, deed) {
    const { display_name, metadata, updated_at } = inbox;
    const sets = [
      'updated_at = :updated_at',
      ...(display_name === undefined ? [] : ['display_name = :display_name']),
      ...(metadata === undefined ? [] : ['metadata = :metadata']),
    ];
    const removes = [
      ...(display_name === undefined ? ['display_name'] : []),
      ...(metadata === undefined ? ['metadata'] : []),
    ];
    const outcome = await transactDeed<'changed'>(database, deed, [
      {
        update: inboxKey(inbox),
        set: `SET ${sets.join(', ')}${removes.length === 0 ? '' : ` REMOVE ${removes.join(', ')}`}`,
        condition: 'updated_at = :expected',
        values: defined({
          ':updated_at': updated_at,
          ':display_name': display_name,
          ':metadata': metadata,
          ':expected': expected,
        }),
        otherwise: 'changed',
      },
    ]);
    if (outcome === 'done') return 'updated';
    return outcome.row === undefined ? 'gone' : 'stale';
  },

  async holders(addresses) {
    const rows = await getRows(database, addresses.map(addressKey));
    const found = rows.flatMap((row, at): [string, InboxRef][] =>
      row === undefined ? [] : [[addresses[at]!, toRef(row)]],
    );
    return new Map(found);
  },
});

/** An address row as the edge and the receiver read it. */
export const toRef = ({ uid, inbox_id, organization_id, pod_id }: Row): InboxRef => ({
  uid,
  inbox_id,
  organization_id,
  pod_id,
});
