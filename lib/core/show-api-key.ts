import type { ApiKey } from '../contract/api-key.ts';
import { permissionNames } from '../contract/permission.ts';
import { defined } from './defined.ts';
import type { Credential } from './ports.ts';

/** A key as callers see it. */
export function toApiKey(credential: Credential): ApiKey {
  const { api_key_id, name, organization_id, inbox, created_at, updated_at, permissions, keyid } = credential;
  const { pod_id, client_id, used_at, created_by, expires_at } = credential;
  const common = {
    api_key_id,
    name,
    organization_id,
    ...defined({ pod_id, inbox_id: inbox?.inbox_id, client_id, used_at, created_by }),
    created_at,
    updated_at,
    ...defined({ expires_at }),
  };
  if (credential.type === 'bearer')
    return { type: 'bearer', ...common, prefix: credential.prefix, ...defined({ permissions }) };
  return {
    type: 'public_key',
    ...common,
    public_key: { jwk: credential.public_key, fingerprint: keyid },
    permissions: permissions ?? Object.fromEntries(permissionNames.map((each) => [each, true])),
    keyid,
  };
}
