import type { ApiKey, CreateApiKey, CreatedApiKey, UpdateApiKey } from '../contract/api-key.ts';
import { about, type Call, type Deed, type UseCase } from '../contract/call.ts';
import type { KeyPrincipal, Scope } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
import { contains } from '../contract/scope.ts';
import { addApiKey, type AddKeyDeps } from './add-api-key.ts';
import { checkHolds, checkMayGive, scopeOfKey } from './key-bounds.ts';
import type { ApiKeyStore } from './key-ports.ts';
import { laterThan } from './later-than.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { Credential, Now, PageTokens } from './ports.ts';
import { toApiKey } from './show-api-key.ts';

/** What a call of any of the three levels brings: the level is its scope's. */
interface Calling {
  principal: KeyPrincipal;
  scope: Scope;
  deed: Deed;
}
interface Naming extends Calling {
  path: { api_key_id: string };
}

/** Somebody else may change the key in between; then the change is made again upon theirs, this often at most. */
const attempts = 10;

/** A key for the scope, never more than the key that asks for it. */
export const createApiKey =
  (deps: AddKeyDeps) =>
  ({ principal, scope, body, deed }: Calling & { body: CreateApiKey }): Promise<CreatedApiKey> =>
    addApiKey(deps, { scope, body, parent: principal, deed });

/** The keys of the scope and of all that lies in it, newest first. */
export const listApiKeys =
  ({ apiKeys, tokens }: { apiKeys: ApiKeyStore; tokens: PageTokens }) =>
  async ({ scope, query }: { scope: Scope; query: Call<'apiKeys.list'>['query'] }) => {
    const { organization_id, pod_id, inbox } = scope;
    const purpose = purposeOf('apiKeys', organization_id, pod_id, inbox?.uid, query.type);
    const page = await pageRequest(tokens, query, purpose);
    const found = await apiKeys.list(scope, page, query.type);
    return { ...(await pageAnswer(tokens, page, found, purpose)), api_keys: found.items.map(toApiKey) };
  };

/** One key, by its id or its `client_id`. */
export const getApiKey =
  ({ apiKeys }: { apiKeys: ApiKeyStore }) =>
  async ({ scope, path }: Pick<Naming, 'scope' | 'path'>): Promise<ApiKey> =>
    toApiKey(await find(apiKeys, scope, path.api_key_id));

/** Changes name or permissions, of a key that may do no more than the one that calls, before and after. */
export const updateApiKey =
  ({ apiKeys, now }: { apiKeys: ApiKeyStore; now: Now }) =>
  async ({ principal, scope, path, body, deed }: Naming & { body: UpdateApiKey }): Promise<ApiKey> => {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const current = await find(apiKeys, scope, path.api_key_id);
      checkHolds(principal, current);
      const { permissions = current.permissions } = body;
      if (body.permissions !== undefined) checkMayGive(principal, current, body.permissions);
      const changed: Credential = {
        ...current,
        name: body.name ?? current.name,
        ...(permissions !== undefined && { permissions }),
        updated_at: laterThan(current.updated_at, now()),
      };
      about(deed, [current.api_key_id], scopeOfKey(current).inbox);
      const outcome = await apiKeys.update(changed, current.updated_at, deed);
      if (outcome === 'updated') return toApiKey(changed);
      if (outcome === 'gone') throw notFound('API key');
    }
    throw new Problem('race_condition', 'the key is being changed by others');
  };

/** Revokes a key that may do no more than the one that calls: its next call is refused. */
export const deleteApiKey =
  ({ apiKeys, now }: { apiKeys: ApiKeyStore; now: Now }) =>
  async ({ principal, scope, path, deed }: Naming): Promise<void> => {
    const key = await find(apiKeys, scope, path.api_key_id);
    checkHolds(principal, key);
    await revoke(apiKeys, key, now, deed);
  };

/** Issues a key of the whole organization, unbounded by any other; without `permissions` it may do everything. */
export const issueOrganizationKey =
  (deps: AddKeyDeps): UseCase<'operator.apiKeys.create'> =>
  ({ path: { organization_id }, body, deed }) =>
    addApiKey(deps, { scope: { organization_id }, body, parent: undefined, deed });

/** The keys of an organization, for the operator. */
export const listOrganizationKeys =
  (deps: { apiKeys: ApiKeyStore; tokens: PageTokens }): UseCase<'operator.apiKeys.list'> =>
  ({ path: { organization_id }, query }) =>
    listApiKeys(deps)({ scope: { organization_id }, query });

/** Revokes any key of an organization. */
export const revokeOrganizationKey =
  ({ apiKeys, now }: { apiKeys: ApiKeyStore; now: Now }): UseCase<'operator.apiKeys.delete'> =>
  async ({ path: { organization_id, api_key_id }, deed }) =>
    revoke(apiKeys, await find(apiKeys, { organization_id }, api_key_id), now, deed);

async function find(apiKeys: ApiKeyStore, scope: Scope, id: string): Promise<Credential> {
  const key = await apiKeys.get(scope.organization_id, id);
  if (key === undefined || !contains(scope, scopeOfKey(key))) throw notFound('API key');
  return key;
}

async function revoke(apiKeys: ApiKeyStore, key: Credential, now: Now, deed: Deed): Promise<void> {
  about(deed, [key.api_key_id], scopeOfKey(key).inbox);
  const outcome = await apiKeys.revoke(key, new Date(now()).toISOString(), deed);
  if (outcome === 'gone') throw notFound('API key');
}
