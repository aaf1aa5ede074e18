import { hiddenLabels, type HiddenLabel } from '../contract/label.ts';
import type { InboxRef } from '../contract/principal.ts';
import type { ListedEntry, MailboxStore, Stretch } from './mail-ports.ts';
import type { ListEntry } from './message-lists.ts';
import { together } from './together.ts';

type List = ListEntry['list'];

export interface Walk {
  of: 'messages' | 'threads';
  /** Every one of them has to be there. */
  labels: string[];
  /** Hidden labels the caller asked for and may see. */
  included: HiddenLabel[];
  from?: string;
  to?: string;
  start?: WalkPosition;
  ascending: boolean;
}

/** Where a walk goes on: behind an entry it gave, or at a place it has not looked at yet. */
export interface WalkPosition {
  after?: string;
  at?: string;
}

/** Queries one page may cost; a page that would cost more ends early and says where to go on. */
const maxQueries = 60;

/**
 * The entries that carry every label, in order. Each label is a list of its own; the walk takes the head that is
 * furthest along and moves the other lists up to it, so that it costs what the shortest list holds, not the longest.
 */
export async function walkLists(
  store: Pick<MailboxStore, 'entries'>,
  inbox: InboxRef,
  walk: Walk,
  limit: number,
): Promise<{ entries: ListedEntry[]; next?: WalkPosition }> {
  const budget = { queries: maxQueries };
  const visibilities = walk.included.length === 0 ? [false] : [false, true];
  const streams = visibilities.map((hidden) => {
    const name = `${hidden ? 'hidden-' : ''}${walk.of}` as const;
    const lists: List[] =
      walk.labels.length === 0 ? [{ of: name }] : walk.labels.map((label) => ({ of: name, label }));
    const stream = intersection(
      lists.map((list) => new Cursor(store, inbox, list, walk, limit, budget)),
      walk.ascending,
    );
    return hidden ? permitted(stream, walk.included) : stream;
  });
  const entries: ListedEntry[] = [];
  for await (const step of merge(streams, walk.ascending)) {
    if ('stop' in step) return { entries, next: step.stop };
    if (entries.length === limit) return { entries, next: { after: entries[limit - 1]!.ulid } };
    entries.push(step);
  }
  return { entries };
}

/** A step of a walk: an entry, or the place where the budget ran out. */
type Step = ListedEntry | { stop: WalkPosition };
type Steps = AsyncGenerator<Step, void>;

class Cursor {
  readonly #store: Pick<MailboxStore, 'entries'>;
  readonly #inbox: InboxRef;
  readonly #list: List;
  readonly #bounds: Omit<Stretch, 'limit' | 'after'>;
  readonly #budget: { queries: number };
  #limit: number;
  #entries: ListedEntry[] = [];
  #at = 0;
  #more = true;
  #last: string | undefined;

  constructor(
    store: Pick<MailboxStore, 'entries'>,
    inbox: InboxRef,
    list: List,
    { from, to, start, ascending }: Walk,
    limit: number,
    budget: { queries: number },
  ) {
    this.#store = store;
    this.#inbox = inbox;
    this.#list = list;
    this.#bounds = { ascending, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    if (start?.at !== undefined) this.#bounds[ascending ? 'from' : 'to'] = start.at;
    this.#last = start?.after;
    this.#limit = limit + 1;
    this.#budget = budget;
  }

  /** The entry it stands on; `undefined` at the end, `'spent'` when the next query is one too many. */
  async head(): Promise<ListedEntry | undefined | 'spent'> {
    while (this.#at >= this.#entries.length) {
      if (!this.#more) return undefined;
      if (this.#budget.queries-- <= 0) return 'spent';
      const { entries, more } = await this.#store.entries(this.#inbox, this.#list, {
        ...this.#bounds,
        ...(this.#last !== undefined && { after: this.#last }),
        limit: this.#limit,
      });
      this.#entries = entries;
      this.#at = 0;
      this.#more = more;
      this.#last = entries.at(-1)?.ulid ?? this.#last;
      if (entries.length === 0 && more) throw new Error('a query without entries says there is more');
    }
    return this.#entries[this.#at]!;
  }

  step(): void {
    this.#at++;
  }

  /** Moves up to the given place: within what was read where it is there, else by a query that begins there. */
  seek(ulid: string): void {
    const past = (entry: ListedEntry): boolean =>
      this.#bounds.ascending ? entry.ulid >= ulid : entry.ulid <= ulid;
    const found = this.#entries.findIndex((entry, at) => at >= this.#at && past(entry));
    if (found >= 0) {
      this.#at = found;
      return;
    }
    this.#at = this.#entries.length;
    if (!this.#more) return;
    this.#last = undefined;
    this.#bounds[this.#bounds.ascending ? 'from' : 'to'] = ulid;
    this.#limit = Math.min(this.#limit, 20);
  }
}

async function* intersection(cursors: Cursor[], ascending: boolean): Steps {
  let reached: WalkPosition | undefined;
  for (;;) {
    const heads = await together(cursors.map((cursor) => cursor.head()));
    if (heads.includes(undefined)) return;
    if (heads.includes('spent')) {
      if (reached === undefined) throw new Error('a walk over more lists than it may make queries');
      return yield { stop: reached };
    }
    const entries = heads as ListedEntry[];
    const candidate = entries.map(({ ulid }) => ulid).reduce((a, b) => (inOrder(a, b, ascending) ? b : a));
    if (entries.every(({ ulid }) => ulid === candidate)) {
      yield entries[0]!;
      for (const cursor of cursors) cursor.step();
      reached = { after: candidate };
    } else {
      for (const cursor of cursors) cursor.seek(candidate);
      reached = { at: candidate };
    }
  }
}

const inOrder = (a: string, b: string, ascending: boolean): boolean => (ascending ? a <= b : a >= b);

/** Only what is hidden by nothing else than the labels asked for. */
async function* permitted(steps: Steps, included: HiddenLabel[]): Steps {
  for await (const step of steps) {
    if ('stop' in step || isIncluded(step.hidden, included)) yield step;
  }
}

/** The entries of all streams in order, up to the first place where one of them had to stop. */
async function* merge(streams: Steps[], ascending: boolean): Steps {
  const heads = await together(streams.map((stream) => stream.next()));
  for (;;) {
    const open = heads.flatMap((head, at) => (head.done === true ? [] : [{ step: head.value, at }]));
    if (open.length === 0) return;
    const next = open.reduce((a, b) => (comesFirst(a.step, b.step, ascending) ? a : b));
    yield next.step;
    if ('stop' in next.step) return;
    heads[next.at] = await streams[next.at]!.next();
  }
}

/** An entry comes before a stop behind it, and not before a stop at it. */
function comesFirst(a: Step, b: Step, ascending: boolean): boolean {
  const [placeA, placeB] = [placeOf(a), placeOf(b)];
  if (placeA !== placeB) return inOrder(placeA, placeB, ascending);
  return 'stop' in a ? a.stop.at !== undefined : !('stop' in b && b.stop.at !== undefined);
}

const placeOf = (step: Step): string => ('stop' in step ? (step.stop.at ?? step.stop.after!) : step.ulid);

/** Whether a caller who asked for `included` sees something hidden by `hidden`. */
export const isIncluded = (hidden: HiddenLabel[], included: readonly HiddenLabel[] = hiddenLabels): boolean =>
  hidden.every((label) => included.includes(label));
