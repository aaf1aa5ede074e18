import type {
  Pieces,
  RemainingObjects,
  RemainingRows,
  Removal,
  RemovalStore,
} from '../../lib/core/removal-ports.ts';

/** Removals, and what they were asked for. */
export class MemoryRemovals implements RemovalStore {
  readonly rows = new Map<string, Removal>();
  readonly asked: { what: string; not_before: string | undefined }[] = [];
  readonly watches: number[] = [];
  readonly finished: string[] = [];

  add(removal: Removal): void {
    this.rows.set(removal.what, removal);
  }
  async load({ what }: { what: string }) {
    return this.rows.get(what);
  }
  async move(removal: Removal, moved_at: string) {
    this.rows.set(removal.what, { ...removal, moved_at });
  }
  async again(removal: Removal, moved_at: string, not_before?: string) {
    if (this.rows.get(removal.what)?.count !== removal.count) return;
    this.rows.set(removal.what, { ...removal, moved_at, count: removal.count + 1 });
    this.asked.push({ what: removal.what, not_before });
  }
  async watch(_: Removal, at: number) {
    this.watches.push(at);
  }
  async hasOthers(organizationId: string) {
    return [...this.rows.keys()].some((what) => what !== organizationId);
  }
  async finish({ what }: Removal) {
    this.rows.delete(what);
    this.finished.push(what);
  }
}

/** Pieces that go one by one; `onPiece` runs ahead of each. */
export class MemoryRemains implements RemainingRows, RemainingObjects {
  readonly log: string[] = [];
  pieces = 3;
  onPiece: () => void = () => undefined;

  async *#go(name: string): Pieces {
    for (let n = 1; n <= this.pieces; n++) {
      this.onPiece();
      this.log.push(name);
      yield 1;
    }
  }
  under(prefix: string): Pieces {
    return this.#go(`objects ${prefix}`);
  }
  ofInbox({ uid }: { uid: string }): Pieces {
    return this.#go(`rows ${uid}`);
  }
  ofOrganization(organizationId: string): Pieces {
    return this.#go(`rows ${organizationId}`);
  }
}
