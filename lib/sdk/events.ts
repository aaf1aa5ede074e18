import type { Caller, Query } from './caller.ts';
import { items } from './pages.ts';

type List = Query<'inboxes.events.list'>;

/** The log of an inbox: what happened in it in the last 30 days. */
export const inboxEvents = (call: Caller) => {
  const list = (inbox_id: string, query: List = {}) =>
    call('inboxes.events.list', { path: { inbox_id }, query });
  return {
    /** Newest first; with `after_position` what is behind that place, oldest first. */
    list,
    all: (inbox_id: string, query: List = {}) =>
      items(
        (page: List) => list(inbox_id, page),
        (page) => page.events,
        query,
      ),
  };
};
