import type { UseCase } from '../contract/call.ts';
import type { Organization } from '../contract/organization.ts';
import { notFound } from '../contract/problem.ts';
import { issueCredential, keyRegistered } from './issue-credential.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { EnsureOperatorMailroom, Keys, NewUlid, Now, OrganizationStore, PageTokens } from './ports.ts';

interface Deps {
  organizations: OrganizationStore;
  tokens: PageTokens;
  keys: Keys;
  now: Now;
  ulid: NewUlid;
  ensureOperatorMailroom: EnsureOperatorMailroom;
}

/** Creates an organization. The operator knows whom it is for, so it is verified from the start. */
export const createOrganization =
  ({
    organizations,
    now,
    ulid,
    ensureOperatorMailroom,
  }: Pick<
    Deps,
    'organizations' | 'now' | 'ulid' | 'ensureOperatorMailroom'
  >): UseCase<'operator.organizations.create'> =>
  async ({ body }) => {
    await ensureOperatorMailroom();
    const created_at = new Date(now()).toISOString();
    const organization: Organization = {
      organization_id: `org_${ulid()}`,
      ...(body?.name !== undefined && { name: body.name }),
      verified: true,
      state: 'active',
      inbox_count: 0,
      domain_count: 0,
      updated_at: created_at,
      created_at,
    };
    await organizations.create(organization);
    return organization;
  };

/** Every organization, newest first. */
export const listOrganizations =
  ({
    organizations,
    tokens,
  }: Pick<Deps, 'organizations' | 'tokens'>): UseCase<'operator.organizations.list'> =>
  async ({ query }) => {
    const purpose = purposeOf('operator.organizations');
    const page = await pageRequest(tokens, query, purpose);
    const found = await organizations.list(page);
    return { ...(await pageAnswer(tokens, page, found, purpose)), organizations: found.items };
  };

const get = async (organizations: OrganizationStore, id: string): Promise<Organization> => {
  const found = await organizations.get(id);
  if (found === undefined) throw notFound('Organization');
  return found;
};

/** One organization, for the operator. */
export const getOrganization =
  ({ organizations }: Pick<Deps, 'organizations'>): UseCase<'operator.organizations.get'> =>
  ({ path }) =>
    get(organizations, path.organization_id);

/** The key's own organization. */
export const getOwnOrganization =
  ({ organizations }: Pick<Deps, 'organizations'>): UseCase<'organizations.get'> =>
  ({ principal }) =>
    get(organizations, principal.organization_id);

/** Issues a key of the whole organization; without `permissions` it may do everything in it. */
export const issueOrganizationKey =
  ({
    organizations,
    ...deps
  }: Pick<Deps, 'organizations' | 'keys' | 'now' | 'ulid'>): UseCase<'operator.apiKeys.create'> =>
  async ({ path, body }) => {
    const { organization_id } = path;
    const created_at = new Date(deps.now()).toISOString();
    const { credential, issued } = issueCredential(
      deps,
      body,
      { organization_id },
      { created_at, name: body.name, permissions: body.permissions },
    );
    const outcome = await organizations.addCredential(credential);
    if (outcome === 'no_organization') throw notFound('Organization');
    if (outcome === 'key_registered') throw keyRegistered();
    return issued;
  };
