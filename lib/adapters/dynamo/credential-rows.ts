import type { Credential } from '../../core/ports.ts';
import { rowVersion, type Row } from './client.ts';
import { apiKeyKey, credentialKey } from './keys.ts';
import type { Write } from './transaction.ts';

/** A credential is found by its thumbprint, and listed in its organization by its id. */
export const credentialWrites = <Word extends string>(
  credential: Credential,
  otherwise: Word,
): Write<Word>[] => [
  {
    put: { ...credentialKey(credential.keyid), v: rowVersion, ...credential },
    condition: 'attribute_not_exists(pk)',
    otherwise,
  },
  { put: { ...apiKeyKey(credential.organization_id, credential.api_key_id), v: rowVersion, ...credential } },
];

export const toCredential = ({ pk: _pk, sk: _sk, v: _v, ...row }: Row): Credential => row as Credential;
