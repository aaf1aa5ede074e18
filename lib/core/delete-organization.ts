import { about, type UseCase } from '../contract/call.ts';
import { operatorOrganizationId } from '../contract/organization.ts';
import { notFound, Problem } from '../contract/problem.ts';
import type { Now, OrganizationStore } from './ports.ts';
import { newRemoval } from './removal.ts';
import { withdrawalOfOrganization } from './standing-work.ts';

/**
 * Deletes an organization with all it has. From now on its keys open nothing and it takes no mail; its inboxes, keys
 * and everything else are removed in the background, and its own row last. Its ledger stays. A repeat is answered with
 * the organization as it stands, until it is gone.
 */
export const deleteOrganization =
  ({
    organizations,
    now,
  }: {
    organizations: Pick<OrganizationStore, 'get' | 'takeDown'>;
    now: Now;
  }): UseCase<'operator.organizations.delete'> =>
  async ({ path: { organization_id }, deed }) => {
    if (organization_id === operatorOrganizationId)
      throw new Problem('cannot_delete', 'the mailroom needs the organization of its operator', {
        fix: 'Leave this organization as it is.',
      });
    about(deed, [organization_id]);
    const time = now();
    const removal = newRemoval(time, { organization_id, what: organization_id });
    const due = withdrawalOfOrganization(organization_id, time);
    if ((await organizations.takeDown(removal, deed, due)) === 'gone') throw notFound('Organization');
    const organization = await organizations.get(organization_id);
    if (organization === undefined) throw notFound('Organization');
    return organization;
  };
