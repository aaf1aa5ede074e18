import type { Scope } from '../../contract/principal.ts';
import type { AddedKey, ApiKeyStore } from '../../core/key-ports.ts';
import type { Credential } from '../../core/ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { credentialWrites, listingKeys, revokedDays, toCredential } from './credential-rows.ts';
import { transactDeed } from './deed.ts';
import { listCredentials } from './key-lists.ts';
import { apiKeyKey, clientIdKey, credentialKey, inboxKey, organizationKey, podKey } from './keys.ts';
import { getRow, getRows } from './rows.ts';
import { table } from './table.ts';
import type { Write } from './transaction.ts';

/** A keyid that no key has: too short to be a thumbprint or a hash. */
const nobody = '-';
/** Characters of an id that is looked up; a client_id has 256. */
const longest = 320;

type AddWord = 'existing' | 'organization' | 'no_parent' | 'no_place' | 'key_registered';

/**
 * The rows of a new key, in the order their refusals count. A failed condition says:
 *
 * | row          | condition                        | means                                          |
 * |--------------|----------------------------------|------------------------------------------------|
 * | client id    | not there                        | not an error: the key of the first call        |
 * | organization | there, active, takes its kind    | 404, 403 `account_suspended`, 403 bearers off  |
 * | parent       | there                            | 401: it was revoked meanwhile                  |
 * | pod or inbox | there                            | 404                                            |
 * | key          | not there, or a tombstone's ghost| 409 `conflict`                                 |
 */
function addWrites(credential: Credential, by: string | undefined): Write<AddWord>[] {
  const { organization_id, pod_id, inbox, client_id, keyid, type } = credential;
  const bearer = type === 'bearer';
  const there = 'attribute_exists(pk)';
  const place =
    inbox !== undefined
      ? inboxKey({ organization_id, uid: inbox.uid })
      : pod_id !== undefined
        ? podKey(organization_id, pod_id)
        : undefined;
  return [
    ...(client_id === undefined
      ? []
      : [
          {
            put: { ...clientIdKey(organization_id, 'api_key', client_id), v: rowVersion, keyid },
            condition: 'attribute_not_exists(pk)',
            otherwise: 'existing' as const,
          },
        ]),
    {
      check: organizationKey(organization_id),
      condition: `#state = :active${bearer ? ' AND bearer_keys = :true' : ''}`,
      names: { '#state': 'state' },
      values: { ':active': 'active', ...(bearer && { ':true': true }) },
      otherwise: 'organization',
    },
    // The listing goes with the key that is revoked.
    ...(by === undefined
      ? []
      : [{ check: apiKeyKey(organization_id, by), condition: there, otherwise: 'no_parent' as const }]),
    ...(place === undefined ? [] : [{ check: place, condition: there, otherwise: 'no_place' as const }]),
    ...credentialWrites(credential, 'key_registered' as const),
  ];
}

/** Keys in the table. */
export const apiKeyStore = (database: Database): ApiKeyStore => ({
  async add(credential, by, deed) {
    const outcome = await transactDeed(database, deed, addWrites(credential, by));
    if (outcome === 'done') return 'added';
    const { refused, row } = outcome;
    if (refused === 'organization') return whyNot(row);
    if (refused !== 'existing') return refused;
    const existing = await activeCredential(database, row?.['keyid']);
    return existing === undefined ? 'passing' : { existing };
  },

  async get(organizationId, id) {
    // What is longer than any of ours is nobody's; DynamoDB would refuse it as a key.
    if (id.length > longest) return undefined;
    const [listed, named] = await getRows(database, [
      apiKeyKey(organizationId, id),
      clientIdKey(organizationId, 'api_key', id),
    ]);
    // A key that is nowhere takes the same reads as one that is there and out of the caller's scope.
    return activeCredential(database, (listed ?? named)?.['keyid'] ?? nobody);
  },

  list: (scope: Scope, page, type) => listCredentials(database, scope, page, type),

  async update({ keyid, name, permissions, updated_at }, expected, deed) {
    const outcome = await transactDeed(database, deed, [
      {
        update: credentialKey(keyid),
        set: `SET #name = :name, updated_at = :now${permissions === undefined ? '' : ', #permissions = :permissions'}`,
        condition: '#state = :active AND updated_at = :expected',
        names: {
          '#name': 'name',
          '#state': 'state',
          ...(permissions !== undefined && { '#permissions': 'permissions' }),
        },
        values: {
          ':name': name,
          ':now': updated_at,
          ...(permissions !== undefined && { ':permissions': permissions }),
          ':active': 'active',
          ':expected': expected,
        },
        otherwise: 'refused',
      },
    ]);
    if (outcome === 'done') return 'updated';
    return outcome.row?.['state'] === 'active' ? 'stale' : 'gone';
  },

  async revoke(credential, at, deed) {
    const { keyid, api_key_id, organization_id, client_id } = credential;
    const pointers = [
      ...listingKeys(credential),
      ...(client_id === undefined ? [] : [clientIdKey(organization_id, 'api_key', client_id)]),
    ];
    const outcome = await transactDeed(database, deed, [
      {
        update: credentialKey(keyid),
        set: 'SET #state = :revoked, updated_at = :at, #expires = :expires',
        condition: '#state = :active AND api_key_id = :id',
        names: { '#state': 'state', '#expires': table.ttl },
        values: {
          ':revoked': 'revoked',
          ':active': 'active',
          ':id': api_key_id,
          ':at': at,
          ':expires': Math.floor(Date.parse(at) / 1000) + revokedDays * 86_400,
        },
        otherwise: 'gone',
      },
      ...pointers.map((key) => ({ delete: key })),
    ]);
    return outcome === 'done' ? 'revoked' : 'gone';
  },
});

function whyNot(row: Row | undefined): AddedKey {
  if (row === undefined) return 'no_organization';
  return row['state'] === 'active' ? 'bearer_keys_off' : 'organization_suspended';
}

async function activeCredential(
  database: Database,
  keyid: string | undefined,
): Promise<Credential | undefined> {
  const row = keyid === undefined ? undefined : await getRow(database, credentialKey(keyid));
  return row?.['state'] === 'active' ? toCredential(row) : undefined;
}
