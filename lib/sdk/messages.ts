import type { Body, Caller, Query } from './caller.ts';
import { items } from './pages.ts';

type List = Query<'inboxes.messages.list'>;

/** Messages of one inbox. */
export const messages = (call: Caller) => {
  const at = (inbox_id: string, message_id: string) => ({ path: { inbox_id, message_id } });
  const list = (inbox_id: string, query: List = {}) =>
    call('inboxes.messages.list', { path: { inbox_id }, query });
  return {
    list,
    all: (inbox_id: string, query: List = {}) =>
      items(
        (page: List) => list(inbox_id, page),
        (page) => page.messages,
        query,
      ),
    get: (inbox_id: string, message_id: string) => call('inboxes.messages.get', at(inbox_id, message_id)),
    batchGet: (inbox_id: string, message_ids: string[]) =>
      call('inboxes.messages.batchGet', { path: { inbox_id }, body: { message_ids } }),
    batchUpdate: (inbox_id: string, body: Body<'inboxes.messages.batchUpdate'>) =>
      call('inboxes.messages.batchUpdate', { path: { inbox_id }, body }),
    update: (inbox_id: string, message_id: string, body: Body<'inboxes.messages.update'>) =>
      call('inboxes.messages.update', { ...at(inbox_id, message_id), body }),
    delete: (inbox_id: string, message_id: string) =>
      call('inboxes.messages.delete', at(inbox_id, message_id)),
    /** Where the raw mail can be downloaded, for a while and without a key. */
    getRaw: (inbox_id: string, message_id: string) =>
      call('inboxes.messages.getRaw', at(inbox_id, message_id)),
    getAttachment: (inbox_id: string, message_id: string, attachment_id: string) =>
      call('inboxes.messages.getAttachment', { path: { inbox_id, message_id, attachment_id } }),
  };
};
