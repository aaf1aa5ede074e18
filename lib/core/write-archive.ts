import { defaultArchiveDays } from '../contract/archive.ts';
import { ArchiveFile, type ArchiveFileDeps } from './archive-file.ts';
import type { ArchiveObjects, ArchiveStore, StoredArchive } from './archive-ports.ts';
import { mailsOf } from './archived-mails.ts';
import type { StoredMessage } from './mail-ports.ts';
import type { OrganizationStore } from './ports.ts';
import type { Removal } from './removal-ports.ts';

export interface WriteArchiveDeps extends ArchiveFileDeps {
  archives: ArchiveStore;
  objects: ArchiveObjects;
  organizations: Pick<OrganizationStore, 'get'>;
  /** A mail as the file has it; the same mail is the same bytes each time. */
  entry: (message: StoredMessage, raw: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** Tells of mails whose bytes are not there. */
  report: (about: Record<string, unknown>) => void;
}

const mostRestarts = 5;

/**
 * Writes the mail of an inbox that was taken down into one file, part by part. It may be stopped after each piece and
 * begun again anywhere, by several at a time: the row says where the last part ends, and whoever finds it changed
 * reads it anew. What a stop loses is the part that was being gathered.
 */
export const writeArchive = (deps: WriteArchiveDeps) =>
  async function* ({ organization_id, archive_id = '' }: Removal): AsyncGenerator<number> {
    const { archives, objects, organizations } = deps;
    for (;;) {
      const archive = await archives.get({ organization_id, archive_id });
      // Deleted meanwhile; whoever was writing it may just have made the object.
      if (archive === undefined) return objects.remove({ organization_id, archive_id });
      if (archive.state === 'ready') return;
      const { upload_id, restarts } = archive.progress;
      const organization = await organizations.get(organization_id);
      if (organization === undefined || organization.state === 'deleting')
        return upload_id === undefined ? undefined : objects.abort(archive, upload_id);
      if (restarts > mostRestarts) throw new Error(`the bucket forgets each upload of ${archive_id}`);
      const { retention_days = organization.archive_retention_days ?? defaultArchiveDays } = archive;
      yield* write(deps, archive, retention_days);
      yield 0;
    }
  };

/** Goes on from where the archive stands, to its end or until somebody else has changed its row. */
async function* write(deps: WriteArchiveDeps, archive: StoredArchive, days: number): AsyncGenerator<number> {
  const file = new ArchiveFile(deps, archive, days);
  for await (const { message, raw } of mailsOf(deps, archive)) {
    if (message.quarantined === true) file.leaveOut(message, 'quarantined');
    else if (raw === undefined) {
      deps.report({ archive_id: archive.archive_id, missing: message.message_id });
      file.leaveOut(message, 'missing');
    } else {
      for await (const chunk of deps.entry(message, raw)) {
        file.add(chunk);
        if (!file.isFull) continue;
        if (!(await file.keepPart())) return;
        yield 1;
      }
      file.end(message);
    }
    yield 0;
  }
  await file.finish();
}
