import type { StoredArchive } from '../../core/archive-ports.ts';
import { rowVersion, type Row } from './client.ts';
import { archiveKey, byPodArchivesPk } from './keys.ts';
import { table } from './table.ts';

/** An archive beside its organization, and its place among those of its pod; the id begins with its time. */
export const archiveRow = (archive: StoredArchive): Row => ({
  ...archiveKey(archive.organization_id, archive.archive_id),
  v: rowVersion,
  ...archive,
  [table.byPod.partitionKey]: byPodArchivesPk(archive.organization_id, archive.pod_id),
  [table.byPod.sortKey]: archive.archive_id,
});

export const toArchive = ({
  pk: _pk,
  sk: _sk,
  v: _v,
  [table.byPod.partitionKey]: _podPk,
  [table.byPod.sortKey]: _podSk,
  ...archive
}: Row): StoredArchive => archive as StoredArchive;
