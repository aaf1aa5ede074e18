import { about, type UseCase } from '../contract/call.ts';
import { notFound } from '../contract/problem.ts';
import type { PersonStore } from './ledger-ports.ts';
import type { OrganizationStore } from './ports.ts';

/**
 * Forgets personal facts that lines commit to. The lines and their seals stay as they are: what a commitment was made
 * of cannot be found again without its salt, which goes with the value.
 */
export const erasePersonal =
  ({
    persons,
    organizations,
  }: {
    persons: Pick<PersonStore, 'erase'>;
    organizations: Pick<OrganizationStore, 'get'>;
  }): UseCase<'operator.audit.erase'> =>
  async ({ path: { organization_id }, body, deed }) => {
    if ((await organizations.get(organization_id)) === undefined) throw notFound('Organization');
    about(deed, [organization_id]);
    const { value } = body;
    return { erased: await persons.erase(organization_id, value === undefined ? 'all' : { value }) };
  };
