import type { Pod } from '../../contract/pod.ts';
import type { PodStore } from '../../core/key-ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { transactDeed } from './deed.ts';
import { clientIdKey, organizationKey, podKey } from './keys.ts';
import { getRow, queryRange } from './rows.ts';

/** A pod with the number of its inboxes, which provisioning counts. */
export const podRow = (pod: Pod, inbox_count: number): Row => ({
  ...podKey(pod.organization_id, pod.pod_id),
  v: rowVersion,
  ...pod,
  inbox_count,
});

const toPod = ({ pk: _pk, sk: _sk, v: _v, inbox_count: _count, ...row }: Row): Pod => row as Pod;

/** Characters of an id that is looked up; DynamoDB takes 1,024 bytes of a sort key. */
const longest = 320;
const absent = 'attribute_not_exists(pk)';

/** Pods in the table, beside their organization. */
export const podStore = (database: Database): PodStore => ({
  async create(pod, deed) {
    const { organization_id, pod_id, client_id } = pod;
    const outcome = await transactDeed(database, deed, [
      ...(client_id === undefined
        ? []
        : [
            {
              put: { ...clientIdKey(organization_id, 'pod', client_id), v: rowVersion, pod_id },
              condition: absent,
              otherwise: 'existing' as const,
            },
          ]),
      {
        check: organizationKey(organization_id),
        condition: '#state = :active',
        names: { '#state': 'state' },
        values: { ':active': 'active' },
        otherwise: 'organization' as const,
      },
      { put: podRow(pod, 0), condition: absent, otherwise: 'twice' as const },
    ]);
    if (outcome === 'done') return 'created';
    const { refused, row } = outcome;
    if (refused === 'twice') throw new Error('a new pod has the id of another');
    if (refused === 'organization') return row === undefined ? 'no_organization' : 'organization_suspended';
    const existing = await this.get(organization_id, row!['pod_id']);
    return existing === undefined ? 'passing' : { existing };
  },

  async get(organizationId, podId) {
    if (podId.length > longest) return undefined;
    const row = await getRow(database, podKey(organizationId, podId));
    return row === undefined ? undefined : toPod(row);
  },

  async list(organizationId, { limit, ascending, after }) {
    const { pk: partition, sk: from } = podKey(organizationId, '');
    const to = `${from}\u{10ffff}`;
    const { rows, last } = await queryRange(database, {
      ...{ partition, from, to, limit, ascending },
      ...(after && { after }),
    });
    return { items: rows.map(toPod), ...(last && { next: last }) };
  },

  async delete({ organization_id, pod_id, client_id }, deed) {
    const outcome = await transactDeed(database, deed, [
      {
        delete: podKey(organization_id, pod_id),
        condition: 'inbox_count = :none',
        values: { ':none': 0 },
        otherwise: 'refused' as const,
      },
      ...(client_id === undefined ? [] : [{ delete: clientIdKey(organization_id, 'pod', client_id) }]),
    ]);
    if (outcome === 'done') return 'deleted';
    return outcome.row === undefined ? 'gone' : 'not_empty';
  },
});
