import type { Organization } from '../../contract/organization.ts';
import { operatorMailroom } from '../../core/operator-mailroom.ts';
import type { EnsureOperatorMailroom, Now, OrganizationStore } from '../../core/ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { credentialWrites } from './credential-rows.ts';
import { addressRow, inboxRow } from './inbox-store.ts';
import { organizationEntryKey, organizationKey } from './keys.ts';
import { getRow, getRows, queryRange } from './rows.ts';
import { transact, type Write } from './transaction.ts';

const absent = 'attribute_not_exists(pk)';
const toOrganization = ({ pk: _pk, sk: _sk, v: _v, ...row }: Row): Organization => row as Organization;

const organizationWrites = (organization: Organization): Write<'exists'>[] => [
  {
    put: { ...organizationKey(organization.organization_id), v: rowVersion, ...organization },
    condition: absent,
    otherwise: 'exists',
  },
  { put: { ...organizationEntryKey(organization.organization_id), v: rowVersion } },
];

/** Organizations in the table. */
export const organizationStore = (database: Database): OrganizationStore => ({
  async create(organization) {
    const outcome = await transact(database, organizationWrites(organization));
    if (outcome !== 'done') throw new Error('a new organization has the id of another');
  },

  async get(organizationId) {
    const row = await getRow(database, organizationKey(organizationId));
    return row === undefined ? undefined : toOrganization(row);
  },

  async list({ limit, ascending, after }) {
    const { rows, last } = await queryRange(database, {
      partition: 'ORGS',
      limit,
      ascending,
      ...(after && { after }),
    });
    const found = await getRows(
      database,
      rows.map((row) => organizationKey(row['sk'])),
    );
    return {
      items: found.filter((row) => row !== undefined).map(toOrganization),
      ...(last && { next: last }),
    };
  },

  async addCredential(credential) {
    const exists: Write<'no_organization'> = {
      check: organizationKey(credential.organization_id),
      condition: 'attribute_exists(pk)',
      otherwise: 'no_organization',
    };
    const outcome = await transact(database, [
      exists,
      ...credentialWrites(credential, 'key_registered' as const),
    ]);
    return outcome === 'done' ? 'added' : outcome.refused;
  },
});

/** The operator's organization and inbox as one transaction; whoever is second finds them there. */
export const ensureOperatorMailroom =
  (database: Database, mailDomain: string, now: Now): EnsureOperatorMailroom =>
  async () => {
    const { organization, inbox, addresses } = operatorMailroom(mailDomain, new Date(now()).toISOString());
    await transact(database, [
      ...organizationWrites(organization),
      { put: inboxRow(inbox) },
      ...addresses.map((address) => ({ put: addressRow(address, inbox) })),
    ]);
  };
