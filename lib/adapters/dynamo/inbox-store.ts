import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { InboxRef } from '../../contract/principal.ts';
import type { Webhook } from '../../contract/webhook.ts';
import type { InboxStore, Provision, StoredInbox } from '../../core/ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { credentialWrites } from './credential-rows.ts';
import {
  addressKey,
  byOrganizationPk,
  byPodPk,
  clientIdKey,
  inboxKey,
  organizationKey,
  webhookKey,
  type Key,
} from './keys.ts';
import { nonceWrite } from './nonces.ts';
import { getRow, getRows, queryRange } from './rows.ts';
import { table } from './table.ts';
import { transact, type Write } from './transaction.ts';

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

type ProvisionWord = 'nonce_used' | 'organization' | 'existing' | 'taken' | 'key_registered';

/**
 * The rows of one provision, in the order their refusals count. A failed condition says:
 *
 * | row            | condition                  | means                                              |
 * |----------------|----------------------------|----------------------------------------------------|
 * | nonce          | not there                  | `nonce_used`: 401, the call is a replay            |
 * | organization   | there and active (+1 inbox)| 404, or 403 `account_suspended`                    |
 * | client id      | not there                  | not an error: the inbox of the first call          |
 * | address        | not there                  | 403 `already_exists` or `resource_taken`           |
 * | key            | not there                  | 409 `conflict`: the key is another credential's    |
 * | inbox, key's listing, webhook | none        | their ids are new                                  |
 */
function provisionWrites({ inbox, credential, webhook, once }: Provision): Write<ProvisionWord>[] {
  const { organization_id, uid, inbox_id, client_id } = inbox;
  // What a repeat is told beside the inbox: ids only, the secrets are elsewhere or nowhere.
  const made = {
    ...(credential && { credential: { api_key_id: credential.api_key_id, keyid: credential.keyid } }),
    ...(webhook && { webhook_id: webhook.webhook_id }),
  };
  const organization: Write<ProvisionWord> = {
    update: organizationKey(organization_id),
    set: 'SET inbox_count = inbox_count + :one, updated_at = :now',
    condition: '#state = :active',
    names: { '#state': 'state' },
    values: { ':one': 1, ':active': 'active', ':now': inbox.created_at },
    otherwise: 'organization',
  };
  return [
    ...(once === undefined ? [] : [nonceWrite(once, 'nonce_used' as const)]),
    organization,
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
    const outcome = await transact(database, provisionWrites(provision));
    if (outcome === 'done') {
      if (provision.once !== undefined) provision.once.spent = true;
      return 'created';
    }
    const { refused, row } = outcome;
    const { organization_id } = provision.inbox;
    if (refused === 'organization') return row === undefined ? 'no_organization' : 'organization_paused';
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

  async update(inbox, expected) {
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
    try {
      await database.client.send(
        new UpdateCommand({
          TableName: database.tableName,
          Key: inboxKey(inbox),
          UpdateExpression: `SET ${sets.join(', ')}${removes.length === 0 ? '' : ` REMOVE ${removes.join(', ')}`}`,
          ConditionExpression: 'updated_at = :expected',
          ExpressionAttributeValues: {
            ':updated_at': updated_at,
            ':display_name': display_name,
            ':metadata': metadata,
            ':expected': expected,
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return 'updated';
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return error.Item === undefined ? 'gone' : 'stale';
    }
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
