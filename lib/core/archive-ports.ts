import type { Deed } from '../contract/call.ts';
import type { Archive } from '../contract/archive.ts';
import type { Scope } from '../contract/principal.ts';
import type { ObjectFolder, StoredMessage } from './mail-ports.ts';
import type { Page, PageRequest } from './ports.ts';

/** Which archive. */
export interface ArchiveRef {
  organization_id: string;
  archive_id: string;
}

/** An archive as it is stored, with where its writing stands. */
export interface StoredArchive extends Archive {
  /** Of the inbox that was. */
  uid: string;
  /** Days it is kept, where the inbox said so; otherwise what the organization says when it begins to be written. */
  retention_days?: number;
  progress: ArchiveProgress;
}

/**
 * How far the file is written, at the end of its last part: exactly there the next step goes on. The counts of the
 * archive are those of this place too.
 */
export interface ArchiveProgress {
  /** Grows with each change; who has seen an older one changes nothing. */
  step: number;
  /** Absent before the first part. */
  upload_id?: string;
  /** How long the file is going to be kept, as the upload says it. */
  days?: number;
  /** The parts in order, in the words of the bucket. */
  parts: string[];
  /** ULID of the last message that is in them to its end, or was left out. */
  after?: string;
  /** Bytes of the message behind it that are in them already. */
  offset: number;
  /** How often it was begun anew because the bucket had forgotten the upload. */
  restarts: number;
}

/** Port: archives, each a row. */
export interface ArchiveStore {
  get(archive: ArchiveRef): Promise<StoredArchive | undefined>;
  /** Newest first unless ascending; of a pod where the scope is one. */
  list(scope: Scope, page: PageRequest): Promise<Page<StoredArchive>>;
  /** Notes how far it is; `archive.progress.step` is one more than the one that was read. */
  save(archive: StoredArchive): Promise<'saved' | 'stale' | 'gone'>;
  /** The same with the last step, and leaves its deletion for the time it has. */
  finish(archive: StoredArchive & { expires_at: string }): Promise<'saved' | 'stale' | 'gone'>;
  /** One transaction: the row is gone, and its object is to be deleted at that time; without one the caller does it. */
  delete(archive: StoredArchive, deed: Deed, objectAt?: number): Promise<'deleted' | 'gone'>;
  /** Messages of an inbox, whatever hides them, the oldest first; those behind `after`, a ULID. */
  messages(owner: { organization_id: string; uid: string }, after?: string): AsyncIterable<StoredMessage>;
}

/** Port: the files of archives in the mail bucket, and the mails that go into them. */
export interface ArchiveObjects {
  /** A mail as it came; `undefined` when it is not there. */
  raw(folder: ObjectFolder): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** The whole file at once, where there is none. `days` is how long it is going to be kept. */
  put(archive: ArchiveRef, days: number, bytes: Uint8Array): Promise<void>;
  /** Begins a file in parts; answers the id of the upload. */
  begin(archive: ArchiveRef, days: number): Promise<string>;
  /** One part, from number 1. The same number again replaces it. `lost`: there is no such upload. */
  part(
    archive: ArchiveRef,
    uploadId: string,
    number: number,
    bytes: Uint8Array,
  ): Promise<{ part: string } | 'lost'>;
  /** Makes the parts the file; a repeat finds it made by its size. */
  complete(
    archive: ArchiveRef,
    uploadId: string,
    parts: string[],
    size: number,
  ): Promise<'complete' | 'lost'>;
  /** Forgets an upload, there or not. */
  abort(archive: ArchiveRef, uploadId: string): Promise<void>;
  /** There or not. */
  remove(archive: ArchiveRef): Promise<void>;
}

/** Port: a URL that needs no header and answers as a download of that name, and until when. */
export type ArchiveUrl = (
  archive: ArchiveRef,
  filename: string,
) => Promise<{ download_url: string; expires_at: string }>;
