import type {
  ArchiveObjects,
  ArchiveRef,
  ArchiveStore,
  StoredArchive,
} from '../../lib/core/archive-ports.ts';
import type { StoredMessage } from '../../lib/core/mail-ports.ts';
import { ulidOf } from '../../lib/core/message-lists.ts';
import type { PageRequest } from '../../lib/core/ports.ts';

/** Runs around each call of the memory below, before it has its effect and after; it may throw. */
export type OnCall = (name: string, when: 'before' | 'after') => void;

/** Archives, the messages that go into them, and a bucket of one organization, in memory. */
export class MemoryArchives implements ArchiveStore {
  readonly rows = new Map<string, StoredArchive>();
  readonly due: { archive_id: string; at: number }[] = [];
  mails: StoredMessage[] = [];
  onCall: OnCall = () => undefined;

  #call<T>(name: string, work: () => T): T {
    this.onCall(name, 'before');
    const answer = work();
    this.onCall(name, 'after');
    return answer;
  }
  async get({ archive_id }: ArchiveRef) {
    return this.#call('get', () => this.rows.get(archive_id));
  }
  async list(_scope: unknown, _page: PageRequest) {
    return { items: [...this.rows.values()] };
  }
  #step(archive: StoredArchive): 'saved' | 'stale' | 'gone' {
    const found = this.rows.get(archive.archive_id);
    if (found === undefined) return 'gone';
    if (found.progress.step !== archive.progress.step - 1) return 'stale';
    this.rows.set(archive.archive_id, structuredClone(archive));
    return 'saved';
  }
  async save(archive: StoredArchive) {
    return this.#call('save', () => this.#step(archive));
  }
  async finish(archive: StoredArchive & { expires_at: string }) {
    return this.#call('finish', () => {
      const outcome = this.#step(archive);
      if (outcome === 'saved')
        this.due.push({ archive_id: archive.archive_id, at: Date.parse(archive.expires_at) });
      return outcome;
    });
  }
  async delete({ archive_id }: StoredArchive, _deed: unknown, objectAt?: number) {
    if (!this.rows.delete(archive_id)) return 'gone' as const;
    if (objectAt !== undefined) this.due.push({ archive_id, at: objectAt });
    return 'deleted' as const;
  }
  async *messages(_owner: unknown, after = '') {
    this.#call('messages', () => undefined);
    for (const message of this.mails) if (ulidOf(message.message_id) > after) yield message;
  }
}

/** The bucket of the archives, and the mails by their message. */
export class MemoryArchiveBucket implements ArchiveObjects {
  readonly raws = new Map<string, Buffer>();
  readonly files = new Map<string, Buffer>();
  readonly uploads = new Map<string, Map<number, Buffer>>();
  /** How large the parts of finished uploads were. */
  readonly parts: number[] = [];
  onCall: OnCall = () => undefined;
  #serial = 0;

  #call<T>(name: string, work: () => T): T {
    this.onCall(name, 'before');
    const answer = work();
    this.onCall(name, 'after');
    return answer;
  }
  async raw({ message_id }: { message_id: string }) {
    const found = this.#call('raw', () => this.raws.get(message_id));
    if (found === undefined) return undefined;
    return (async function* () {
      for (let at = 0; at < found.length; at += 40) yield found.subarray(at, at + 40);
    })();
  }
  async put({ archive_id }: ArchiveRef, _days: number, bytes: Uint8Array) {
    this.#call('put', () => {
      if (!this.files.has(archive_id)) this.files.set(archive_id, Buffer.from(bytes));
    });
  }
  async begin() {
    return this.#call('begin', () => {
      const id = `upload-${++this.#serial}`;
      this.uploads.set(id, new Map());
      return id;
    });
  }
  async part(_archive: ArchiveRef, id: string, number: number, bytes: Uint8Array) {
    return this.#call('part', () => {
      const upload = this.uploads.get(id);
      if (upload === undefined) return 'lost' as const;
      upload.set(number, Buffer.from(bytes));
      return { part: `${number}:${bytes.length}` };
    });
  }
  async complete({ archive_id }: ArchiveRef, id: string, parts: string[], size: number) {
    return this.#call('complete', () => {
      const upload = this.uploads.get(id);
      if (upload === undefined) return this.files.get(archive_id)?.length === size ? 'complete' : 'lost';
      const chosen = parts.map((_, n) => upload.get(n + 1)!);
      this.parts.push(...chosen.map(({ length }) => length));
      this.files.set(archive_id, Buffer.concat(chosen));
      this.uploads.delete(id);
      return 'complete';
    });
  }
  async abort(_archive: ArchiveRef, id: string) {
    this.uploads.delete(id);
  }
  async remove({ archive_id }: ArchiveRef) {
    this.#call('remove', () => this.files.delete(archive_id));
  }
}
