import type { ArchiveStore, StoredArchive } from '../../core/archive-ports.ts';
import type { Scope } from '../../contract/principal.ts';
import type { PageRequest } from '../../core/ports.ts';
import { fullMinute } from '../../core/standing-work.ts';
import { archiveRow, toArchive } from './archive-rows.ts';
import type { Database, Row } from './client.ts';
import { transactDeed } from './deed.ts';
import { dueWrite } from './due-store.ts';
import { archiveKey, archivePrefix, byPodArchivesPk, messageKey, messagePrefix, type Key } from './keys.ts';
import { toMessage } from './message-rows.ts';
import { getRow, getRows, queryRange } from './rows.ts';
import { table } from './table.ts';
import { transact, type Write } from './transaction.ts';

/** Messages of one query; a row has about 1 KB, and DynamoDB answers 1 MB at most. */
const pageRows = 200;

/** Archives in the table, beside their organization. */
export const archiveStore = (database: Database): ArchiveStore => ({
  async get({ organization_id, archive_id }) {
    const row = await getRow(database, archiveKey(organization_id, archive_id));
    return row === undefined ? undefined : toArchive(row);
  },

  async list(scope, page) {
    const { rows, last } = await listed(database, scope, page);
    return { items: rows.map(toArchive), ...(last && { next: last }) };
  },

  save: async (archive) => outcomeOf(await transact(database, [stepWrite(archive)])),

  finish: async (archive) =>
    outcomeOf(
      await transact(database, [
        stepWrite(archive),
        dueWrite({ kind: 'delete-archive', ...refOf(archive) }, fullMinute(Date.parse(archive.expires_at))),
      ]),
    ),

  async delete(archive, deed, objectAt) {
    const { upload_id } = archive.progress;
    const work = {
      kind: 'delete-archive' as const,
      ...refOf(archive),
      ...(upload_id !== undefined && { upload_id }),
    };
    const outcome = await transactDeed<'gone'>(database, deed, [
      {
        delete: archiveKey(archive.organization_id, archive.archive_id),
        condition: 'attribute_exists(pk)',
        otherwise: 'gone',
      },
      ...(objectAt === undefined ? [] : [dueWrite(work, objectAt)]),
    ]);
    return outcome === 'done' ? 'deleted' : 'gone';
  },

  async *messages(owner, after) {
    const { pk: partition, sk: from } = messageKey(owner, '');
    let last: Row | undefined = after === undefined ? undefined : messageKey(owner, after);
    do {
      const page = await queryRange(database, {
        ...{ partition, from, to: `${messagePrefix}\u{10ffff}`, ascending: true, limit: pageRows },
        ...(last && { after: last }),
      });
      yield* page.rows.map(toMessage);
      ({ last } = page);
    } while (last !== undefined);
  },
});

const refOf = ({ organization_id, archive_id }: StoredArchive) => ({ organization_id, archive_id });

/** The row as it is after a step, where nobody has taken that step yet. */
const stepWrite = (archive: StoredArchive): Write<'refused'> => ({
  put: archiveRow(archive),
  condition: 'progress.#step = :before',
  names: { '#step': 'step' },
  values: { ':before': archive.progress.step - 1 },
  otherwise: 'refused',
});

const outcomeOf = (outcome: 'done' | { row: Row | undefined }): 'saved' | 'stale' | 'gone' => {
  if (outcome === 'done') return 'saved';
  return outcome.row === undefined ? 'gone' : 'stale';
};

async function listed(
  database: Database,
  { organization_id, pod_id }: Scope,
  page: PageRequest,
): Promise<{ rows: Row[]; last: Row | undefined }> {
  if (pod_id === undefined) {
    const { pk: partition, sk: from } = archiveKey(organization_id, '');
    return queryRange(database, { partition, from, to: `${archivePrefix}\u{10ffff}`, ...page });
  }
  const partition = byPodArchivesPk(organization_id, pod_id);
  const { rows: keys, last } = await queryRange(database, { index: table.byPod, partition, ...page });
  const rows = await getRows(database, keys as Key[]);
  return { rows: rows.filter((row) => row !== undefined), last };
}
