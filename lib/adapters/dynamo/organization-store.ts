import type { Organization } from '../../contract/organization.ts';
import { operatorMailroom } from '../../core/operator-mailroom.ts';
import type { Change, EnsureOperatorMailroom, Now, OrganizationStore } from '../../core/ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { transactDeed } from './deed.ts';
import { addressRow } from './address-rows.ts';
import { inboxRow } from './inbox-store.ts';
import { organizationEntryKey, organizationKey } from './keys.ts';
import { dueWrite } from './due-store.ts';
import { podRow } from './pod-store.ts';
import { firstWatchMs, removalRow, watchOf } from './removal-rows.ts';
import { getRow, getRows, queryRange } from './rows.ts';
import { transact, type Write } from './transaction.ts';

const absent = 'attribute_not_exists(pk)';
const toOrganization = ({ pk: _pk, sk: _sk, v: _v, ...row }: Row): Organization => row as Organization;

/** The organization, its place in the operator's list, and its default pod. */
const organizationWrites = (organization: Organization): Write<'exists'>[] => {
  const { organization_id, inbox_count, created_at, updated_at } = organization;
  const pod = { organization_id, pod_id: organization_id, name: 'default', updated_at, created_at };
  return [
    {
      put: { ...organizationKey(organization_id), v: rowVersion, ...organization },
      condition: absent,
      otherwise: 'exists',
    },
    { put: { ...organizationEntryKey(organization_id), v: rowVersion } },
    { put: podRow(pod, inbox_count) },
  ];
};

/** An organization that is being deleted is not changed any more, least of all back into an active one. */
const thereAndStaying = {
  condition: 'attribute_exists(pk) AND #state <> :deleting',
  names: { '#state': 'state' },
  values: { ':deleting': 'deleting' },
};

/** Sets what has a value and removes what is null; every name by an alias, since some are DynamoDB's own words. */
function changeWrite(organizationId: string, change: Change<Organization>): Write<'none'> {
  const entries = Object.entries(change).filter(([, value]) => value !== undefined);
  const sets = entries.filter(([, value]) => value !== null);
  const removes = entries.filter(([, value]) => value === null);
  return {
    update: organizationKey(organizationId),
    set: [
      ...(sets.length === 0 ? [] : [`SET ${sets.map(([name]) => `#${name} = :${name}`).join(', ')}`]),
      ...(removes.length === 0 ? [] : [`REMOVE ${removes.map(([name]) => `#${name}`).join(', ')}`]),
    ].join(' '),
    ...thereAndStaying,
    names: { ...thereAndStaying.names, ...Object.fromEntries(entries.map(([name]) => [`#${name}`, name])) },
    values: {
      ...thereAndStaying.values,
      ...Object.fromEntries(sets.map(([name, value]) => [`:${name}`, value])),
    },
    otherwise: 'none',
  };
}

/** Organizations in the table. */
export const organizationStore = (database: Database): OrganizationStore => ({
  async create(organization, deed) {
    const outcome = await transactDeed(database, deed, organizationWrites(organization));
    if (outcome !== 'done') throw new Error('a new organization has the id of another');
  },

  async get(organizationId) {
    const row = await getRow(database, organizationKey(organizationId));
    return row === undefined ? undefined : toOrganization(row);
  },

  async list({ limit, ascending, after }) {
    const { rows, last } = await queryRange(database, {
      partition: organizationEntryKey('').pk,
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

  async update(organizationId, change, deed, due = []) {
    const outcome = await transactDeed(database, deed, [
      changeWrite(organizationId, change),
      ...due.map(({ work, at }) => dueWrite(work, at)),
    ]);
    if (outcome === 'done') return this.get(organizationId);
    return outcome.row === undefined ? undefined : 'deleting';
  },

  async takeDown(removal, deed, due = []) {
    const { organization_id, taken_down_at } = removal;
    const outcome = await transactDeed(database, deed, [
      {
        update: organizationKey(organization_id),
        set: 'SET #state = :deleting, updated_at = :at',
        ...thereAndStaying,
        values: { ...thereAndStaying.values, ':at': taken_down_at },
        otherwise: 'refused' as const,
      },
      { put: removalRow(removal) },
      dueWrite(watchOf(removal), Date.parse(taken_down_at) + firstWatchMs),
      ...due.map(({ work, at }) => dueWrite(work, at)),
    ]);
    if (outcome === 'done') return 'taken_down';
    return outcome.row === undefined ? 'gone' : 'deleting';
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
