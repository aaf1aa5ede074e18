import type { Credential } from '../../core/ports.ts';
import { rowVersion, type Row } from './client.ts';
import { apiKeyKey, byPodKeysPk, credentialKey, inboxApiKeyKey, type Key } from './keys.ts';
import { table } from './table.ts';
import type { Write } from './transaction.ts';

/** How long it is known that a keyid was revoked; then the same public key may be registered again. */
export const revokedDays = 30;

type Listed = Pick<Credential, 'api_key_id' | 'organization_id' | 'pod_id' | 'inbox'>;

/** Where a credential is listed: in its organization, and beside its inbox if it is of one. */
export const listingKeys = ({ api_key_id, organization_id, inbox }: Listed): Key[] => [
  apiKeyKey(organization_id, api_key_id),
  ...(inbox === undefined ? [] : [inboxApiKeyKey({ organization_id, uid: inbox.uid }, api_key_id)]),
];

/** The place of a pod's key in the index that lists it there. */
export const podPlace = ({ api_key_id, organization_id, pod_id }: Listed): Row =>
  pod_id === undefined
    ? {}
    : {
        [table.byPod.partitionKey]: byPodKeysPk(organization_id, pod_id),
        [table.byPod.sortKey]: api_key_id,
      };

/**
 * A credential is one row, found by its keyid; the rows that list it only point there, so that to change or revoke it
 * is one write. `otherwise`: the keyid is another's, or was revoked within `revokedDays`.
 */
export function credentialWrites<Word extends string>(
  credential: Credential,
  otherwise: Word,
): Write<Word>[] {
  const { keyid } = credential;
  const [inOrganization, ...besideInbox] = listingKeys(credential);
  return [
    {
      put: { ...credentialKey(keyid), v: rowVersion, ...credential },
      // A tombstone past its time is gone, though DynamoDB may take days to remove it.
      condition: 'attribute_not_exists(pk) OR #expires < :now',
      names: { '#expires': table.ttl },
      values: { ':now': Math.floor(Date.parse(credential.created_at) / 1000) },
      otherwise,
    },
    { put: { ...inOrganization, v: rowVersion, keyid, ...podPlace(credential) } },
    ...besideInbox.map((key) => ({ put: { ...key, v: rowVersion, keyid } })),
  ];
}

export const toCredential = ({ pk: _pk, sk: _sk, v: _v, [table.ttl]: _ttl, ...row }: Row): Credential =>
  row as Credential;
