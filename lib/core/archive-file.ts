import type { ArchiveObjects, ArchiveStore, StoredArchive } from './archive-ports.ts';
import type { StoredMessage } from './mail-ports.ts';
import { ulidOf } from './message-lists.ts';
import type { Now } from './ports.ts';

export interface ArchiveFileDeps {
  archives: Pick<ArchiveStore, 'save' | 'finish'>;
  objects: Omit<ArchiveObjects, 'raw' | 'remove'>;
  now: Now;
  /** Bytes of a part by its number, from 1. */
  partBytes?: (number: number) => number;
}

const MiB = 1024 ** 2;
/** S3 takes parts from 5 MiB on, 10,000 of them: small ones at first, larger ones where the file grows beyond 8 GB. */
export const usualPartBytes = (number: number): number => (number <= 1000 ? 8 : 64) * MiB;
/** Their names have to fit a row of 400 KB; the file is 520 GB then. */
const mostParts = 9000;
const dayMs = 24 * 3600_000;

/** The file as it grows: what is in its parts, and what is gathered for the next one. */
export class ArchiveFile {
  readonly #deps: ArchiveFileDeps;
  readonly #days: number;
  #archive: StoredArchive;
  #held: Uint8Array[] = [];
  #bytes = 0;
  /** Bytes of the first message that are in the parts already. */
  #skip: number;

  constructor(deps: ArchiveFileDeps, archive: StoredArchive, days: number) {
    [this.#deps, this.#archive, this.#days] = [deps, archive, archive.progress.days ?? days];
    this.#skip = archive.progress.offset;
  }

  get isFull(): boolean {
    const { partBytes = usualPartBytes } = this.#deps;
    return this.#bytes >= partBytes(this.#archive.progress.parts.length + 1);
  }

  add(chunk: Uint8Array): void {
    const rest = chunk.subarray(this.#skip);
    this.#skip -= chunk.length - rest.length;
    if (rest.length === 0) return;
    this.#held.push(rest);
    this.#bytes += rest.length;
    this.#move({ offset: this.#archive.progress.offset + rest.length });
  }

  end({ message_id }: StoredMessage): void {
    this.#skip = 0;
    this.#archive = { ...this.#archive, messages: this.#archive.messages + 1 };
    this.#move({ after: ulidOf(message_id), offset: 0 });
  }

  leaveOut({ message_id }: StoredMessage, why: 'quarantined' | 'missing'): void {
    // Its beginning may be there from when its bytes were: whatever follows begins a line of its own.
    if (this.#skip > 0) [this.#skip, this.#held, this.#bytes] = [0, [Buffer.from('\n\n')], 2];
    this.#archive = { ...this.#archive, [why]: this.#archive[why] + 1 };
    this.#move({ after: ulidOf(message_id), offset: 0 });
  }

  #move(progress: Partial<StoredArchive['progress']>): void {
    this.#archive = { ...this.#archive, progress: { ...this.#archive.progress, ...progress } };
  }

  /** Puts what is gathered as the next part; `false`: somebody else is ahead, or all begins anew. */
  async keepPart(): Promise<boolean> {
    const { objects, archives } = this.#deps;
    const { parts } = this.#archive.progress;
    if (parts.length === mostParts) throw new Error(`the archive would have more than ${mostParts} parts`);
    const upload_id = this.#archive.progress.upload_id ?? (await objects.begin(this.#archive, this.#days));
    const kept = await objects.part(this.#archive, upload_id, parts.length + 1, Buffer.concat(this.#held));
    if (kept === 'lost') return this.#restart();
    this.#archive = { ...this.#archive, size: this.#archive.size + this.#bytes };
    this.#move({ upload_id, days: this.#days, parts: [...parts, kept.part] });
    const outcome = await archives.save(this.#next());
    if (outcome === 'gone') await objects.abort(this.#archive, upload_id);
    [this.#held, this.#bytes] = [[], 0];
    return outcome === 'saved';
  }

  async finish(): Promise<void> {
    const { objects, archives, now } = this.#deps;
    if (this.#archive.progress.upload_id === undefined) {
      await objects.put(this.#archive, this.#days, Buffer.concat(this.#held));
      this.#archive = { ...this.#archive, size: this.#bytes };
    } else {
      if (this.#bytes > 0 && !(await this.keepPart())) return;
      const { upload_id, parts } = this.#archive.progress;
      const outcome = await objects.complete(this.#archive, upload_id, parts, this.#archive.size);
      if (outcome === 'lost') return void (await this.#restart());
    }
    const expires_at = new Date(now() + this.#days * dayMs).toISOString();
    const { upload_id: _, ...progress } = this.#archive.progress;
    // A file has no parts any more once it is whole.
    const ready = {
      ...this.#archive,
      state: 'ready' as const,
      progress: { ...progress, parts: [] },
      expires_at,
    };
    this.#archive = ready;
    await archives.finish({ ...this.#next(), expires_at });
  }

  /** The bucket forgets uploads that take more than two weeks: then all is written once more. */
  async #restart(): Promise<false> {
    const { upload_id: _id, after: _after, ...progress } = this.#archive.progress;
    this.#archive = { ...this.#archive, messages: 0, quarantined: 0, missing: 0, size: 0 };
    this.#archive.progress = { ...progress, parts: [], offset: 0, restarts: progress.restarts + 1 };
    await this.#deps.archives.save(this.#next());
    return false;
  }

  /** As it is to be written: one step further. */
  #next(): StoredArchive {
    this.#move({ step: this.#archive.progress.step + 1 });
    this.#archive = { ...this.#archive, updated_at: new Date(this.#deps.now()).toISOString() };
    return this.#archive;
  }
}
