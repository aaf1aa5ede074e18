import type { Place, Row } from './rows.ts';
import { comparePlaces } from './rows.ts';

/** How many commits a global index may be behind. */
const MAX_COMMITS = 8;

/** One change of an index row: what stood at its place before. */
export interface IndexChange {
  place: Place;
  before: Row | undefined;
}

/**
 * What the last few commits changed in the indexes, so that a query can be answered from before them. A
 * lagging answer ends the lag: the next query sees everything, as an index catches up in the end.
 */
export class IndexLag {
  #commits: IndexChange[][] = [];

  /** Notes the index changes of one commit. */
  remember(changes: IndexChange[]): void {
    if (changes.length === 0) return;
    this.#commits.push(changes);
    if (this.#commits.length > MAX_COMMITS) this.#commits.shift();
  }

  /** Undoes the last commits (a share of the remembered ones, in (0, 1]) for one index and forgets them. */
  takeBack(space: number, share: number): Map<string, IndexChange> {
    const undone = new Map<string, IndexChange>();
    const count = Math.max(1, Math.ceil(this.#commits.length * share));
    for (const commit of this.#commits.slice(-count).reverse()) {
      for (const change of commit.toReversed()) {
        if (change.place.space === space) undone.set(placeName(change.place), change);
      }
    }
    this.#commits = [];
    return undone;
  }
}

function placeName({ token, hash, position }: Place): string {
  return `${token}/${hash.toString('latin1')}/${position.toString('latin1')}`;
}

/** The rows as they were before the changes, still in order; `wanted` says which places the read covers. */
export function* asBefore(
  rows: Iterable<Row>,
  undone: Map<string, IndexChange>,
  wanted: (place: Place) => boolean,
  forward: boolean,
): Generator<Row> {
  const turn = forward ? 1 : -1;
  const old = [...undone.values()]
    .flatMap(({ before }) => (before !== undefined && wanted(before.place) ? [before] : []))
    .sort((a, b) => turn * comparePlaces(a.place, b.place));
  for (const row of rows) {
    while (old[0] !== undefined && turn * comparePlaces(old[0].place, row.place) < 0) yield old.shift()!;
    if (!undone.has(placeName(row.place))) yield row;
    else if (old[0] !== undefined && comparePlaces(old[0].place, row.place) === 0) yield old.shift()!;
  }
  yield* old;
}
