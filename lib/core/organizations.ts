import { about, type Deed, type UseCase } from '../contract/call.ts';
import type { Organization } from '../contract/organization.ts';
import { notFound, Problem } from '../contract/problem.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import { nextMeasurement, nextRetention } from './standing-work.ts';
import type { EnsureOperatorMailroom, NewUlid, Now, OrganizationStore, PageTokens } from './ports.ts';

interface Deps {
  organizations: OrganizationStore;
  tokens: PageTokens;
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
  async ({ body, deed }) => {
    await ensureOperatorMailroom();
    const created_at = new Date(now()).toISOString();
    const organization: Organization = {
      organization_id: `org_${ulid()}`,
      ...(body?.name !== undefined && { name: body.name }),
      verified: true,
      state: 'active',
      access: 'sandbox',
      bearer_keys: false,
      inbox_count: 0,
      domain_count: 0,
      updated_at: created_at,
      created_at,
    };
    // The first line of its ledger tells how it began.
    if (deed.line !== undefined) deed.line.organization_id = organization.organization_id;
    about(deed, [organization.organization_id]);
    await organizations.create(organization, deed);
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
    get(organizations, principal.scope.organization_id);

/** What a holder of an unrestricted key sets for its own organization. */
export const updateOwnOrganization =
  (deps: Pick<Deps, 'organizations' | 'now'>): UseCase<'organizations.update'> =>
  ({ principal, body, deed }) =>
    change(deps, principal.scope.organization_id, body, deed);

/** What the operator sets for an organization; null takes a limit away, and what was measured by it. */
export const updateOrganization =
  (deps: Pick<Deps, 'organizations' | 'now'>): UseCase<'operator.organizations.update'> =>
  ({ path, body, deed }) =>
    change(
      deps,
      path.organization_id,
      { ...body, ...(body.storage_limit === null && { stored_bytes: null, storage_state: null }) },
      deed,
    );

/** From now on every call of its keys is refused; its mail keeps arriving. */
export const suspendOrganization =
  (deps: Pick<Deps, 'organizations' | 'now'>): UseCase<'operator.organizations.suspend'> =>
  ({ path, body, deed }) =>
    change(deps, path.organization_id, { state: 'suspended', suspended_reason: body?.reason ?? null }, deed);

/** Lets a suspended organization call again. */
export const resumeOrganization =
  (deps: Pick<Deps, 'organizations' | 'now'>): UseCase<'operator.organizations.resume'> =>
  ({ path, deed }) =>
    change(deps, path.organization_id, { state: 'active', suspended_reason: null }, deed);

async function change(
  { organizations, now }: Pick<Deps, 'organizations' | 'now'>,
  id: string,
  members: Parameters<OrganizationStore['update']>[1],
  deed: Deed,
): Promise<Organization> {
  about(deed, [id]);
  const time = now();
  const updated_at = new Date(time).toISOString();
  const due = [
    ...(members.retention_days == null ? [] : [nextRetention(id, undefined, time)]),
    ...(members.storage_limit == null ? [] : [nextMeasurement(id, time)]),
  ];
  const changed = await organizations.update(id, { ...members, updated_at }, deed, due);
  if (changed === undefined) throw notFound('Organization');
  if (changed === 'deleting') throw new Problem('resource_deleting', 'the organization is being deleted');
  return changed;
}
