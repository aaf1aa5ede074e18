import type { ArchiveObjects, ArchiveStore } from './archive-ports.ts';
import type { DueWork } from './due-ports.ts';
import type { NewUlid, Now } from './ports.ts';
import { systemDeed } from './system-deed.ts';

/** Deletes an archive whose time is over, or the object of one that was deleted. Safe to repeat. */
export const expireArchive =
  (deps: {
    archives: Pick<ArchiveStore, 'get' | 'delete'>;
    objects: Pick<ArchiveObjects, 'remove' | 'abort'>;
    now: Now;
    ulid: NewUlid;
  }) =>
  async (archive: Extract<DueWork, { kind: 'delete-archive' }>): Promise<void> => {
    const { archives, objects } = deps;
    const found = await archives.get(archive);
    if (found !== undefined) {
      const { organization_id, pod_id, uid, archive_id } = found;
      const deed = systemDeed(deps, { action: 'archives.delete', organization_id, pod_id, inbox_uid: uid });
      deed.line!.resources.push(archive_id);
      await archives.delete(found, deed);
    }
    if (archive.upload_id !== undefined) await objects.abort(archive, archive.upload_id);
    await objects.remove(archive);
  };
