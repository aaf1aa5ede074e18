import { decodeTime } from 'ulid';
import type { UseCase } from '../contract/call.ts';
import type { InboxEvent } from '../contract/event-list.ts';
import type { HiddenLabel } from '../contract/label.ts';
import type { InboxRef } from '../contract/principal.ts';
import { hiddenBy, ulidOf } from './message-lists.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { PageRequest, PageTokens } from './ports.ts';
import type { LoggedEvent } from './publish-event.ts';
import { permittedLabels } from './read-messages.ts';
import { isIncluded } from './walk-lists.ts';

/** An event as its row has it; without a position until it is numbered. */
export type StoredEvent = LoggedEvent & { position?: number };

/** Port: the log of an inbox, 30 days of it. */
export interface EventStore {
  /** By event id; `start` is the ULID to begin with, itself included. */
  list(
    inbox: InboxRef,
    page: { start?: string; ascending: boolean; limit: number },
  ): Promise<{ events: StoredEvent[]; more: boolean }>;
  /** Those behind a position, by position. */
  after(inbox: InboxRef, position: number, limit: number): Promise<{ events: StoredEvent[]; more: boolean }>;
}

interface Deps {
  events: EventStore;
  tokens: PageTokens;
}

/** Where a page ends: the event, and how many of its items were shown, since one event can be several. */
interface Mark {
  ulid: string;
  position?: number;
  shown: number;
}

/** What happened in an inbox, newest first unless ascending; what hides from the caller is left out. */
export const listEvents =
  ({ events, tokens }: Deps): UseCase<'inboxes.events.list'> =>
  async ({ principal, inbox, query }) => {
    const { after_position } = query;
    const purpose = purposeOf('events', inbox.uid, after_position);
    const page = await pageRequest(
      tokens,
      after_position === undefined ? query : { ...query, ascending: true },
      purpose,
    );
    const mark = page.after as Mark | undefined;
    const found = await read(events, inbox, page, after_position);
    const permitted = permittedLabels(principal);
    const { items, end } = fill(found.events, page, permitted, mark);
    const next = end !== undefined || found.more ? (end ?? markOf(found.events.at(-1))) : undefined;
    const answer = { items, ...(next && { next: next as unknown as Record<string, unknown> }) };
    return { ...(await pageAnswer(tokens, page, answer, purpose)), events: items };
  };

function read(events: EventStore, inbox: InboxRef, page: PageRequest, after: number | undefined) {
  const mark = page.after as Mark | undefined;
  // The event the last page ended with may have items left: it is read again.
  const limit = page.limit + (mark === undefined ? 0 : 1);
  if (after === undefined)
    return events.list(inbox, { ascending: page.ascending, limit, ...(mark && { start: mark.ulid }) });
  return events.after(inbox, mark?.position === undefined ? after : mark.position - 1, limit);
}

const markOf = (event: StoredEvent | undefined): Mark | undefined =>
  event && {
    ulid: ulidOf(event.event_id),
    ...(event.position !== undefined && { position: event.position }),
    shown: Infinity,
  };

/** Items of the events until the page is full, and then where it ends. */
function fill(
  found: StoredEvent[],
  { limit, ascending }: PageRequest,
  permitted: HiddenLabel[],
  mark: Mark | undefined,
): { items: InboxEvent[]; end?: Mark } {
  const items: InboxEvent[] = [];
  for (const [at, event] of found.entries()) {
    const all = isIncluded(hiddenBy(event.labels ?? []), permitted) ? toItems(event) : [];
    const ordered = ascending ? all : all.toReversed();
    const shown = mark?.ulid === ulidOf(event.event_id) ? (mark.shown ?? Infinity) : 0;
    const rest = ordered.slice(shown);
    const room = limit - items.length;
    items.push(...rest.slice(0, room));
    const full = items.length === limit;
    const left = rest.length > room || at < found.length - 1;
    if (full && left)
      return { items, end: { ...markOf(event)!, shown: shown + Math.min(rest.length, room) } };
  }
  return { items };
}

/** An event as the API shows it; of a change of labels an item for each label, told apart by a number. */
function toItems({ uid, ...event }: StoredEvent): InboxEvent[] {
  const item = {
    ...event,
    inbox_uid: uid,
    event_at: event.timestamp,
    created_at: new Date(decodeTime(ulidOf(event.event_id).toUpperCase())).toISOString(),
  } as InboxEvent;
  if (event.event_type !== 'message.labeled') return [item];
  const { labels: _labels, added = [], removed = [], ...plain } = item;
  return [
    ...added.map((label) => ({ event_type: 'label.added' as const, label })),
    ...removed.map((label) => ({ event_type: 'label.removed' as const, label })),
  ].map((change, n) => ({
    ...plain,
    ...change,
    event_id: n === 0 ? event.event_id : `${event.event_id}_${n}`,
  }));
}
