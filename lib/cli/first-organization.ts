import type { SigningJwk } from '../sdk/key.ts';
import { createOperator } from '../sdk/operator.ts';
import type { OperatorKey } from './local-file.ts';
import { createSigV4Fetch } from './sigv4-fetch.ts';

export interface FirstOrganization {
  organization_id: string;
  key: { api_key_id: string; private_jwk: SigningJwk };
}

/** Makes an organization and an unrestricted key for it, through the operator's door like anyone. */
export async function firstOrganization(options: {
  api: string;
  operator: OperatorKey;
  fetch?: typeof fetch;
  name?: string;
}): Promise<FirstOrganization> {
  const { api, operator: key, fetch, name } = options;
  const operator = createOperator({
    baseUrl: api,
    fetch: createSigV4Fetch({ api, operator: key, ...(fetch && { fetch }) }),
  });
  const { organization_id } = await operator.organizations.create(name === undefined ? {} : { name });
  const made = await operator.apiKeys.create(organization_id, { type: 'generate' });
  if (made.type !== 'public_key' || made.private_jwk === undefined)
    throw new Error('The operator’s door answered a generated key without its private half');
  return { organization_id, key: { api_key_id: made.api_key_id, private_jwk: made.private_jwk } };
}
