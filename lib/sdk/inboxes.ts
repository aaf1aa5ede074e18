import { inboxApiKeys } from './api-keys.ts';
import { inboxAudit } from './audit.ts';
import type { Body, Caller, Query } from './caller.ts';
import { messages } from './messages.ts';
import { inboxEvents } from './events.ts';
import { items } from './pages.ts';
import { inboxThreads } from './threads.ts';
import { inboxWebhooks } from './webhooks.ts';

type List = Query<'inboxes.list'>;
type Delete = Query<'inboxes.delete'>;

/** Inboxes in the key's scope. An inbox is named by any of its addresses or its uid. */
export const inboxes = (call: Caller) => {
  const list = (query: List = {}) => call('inboxes.list', { query });
  return {
    /** Repeat it with the same `client_id` and it answers the same inbox. */
    create: (body: Body<'inboxes.create'> = {}) => call('inboxes.create', { body }),
    list,
    all: (query: List = {}) => items(list, (page) => page.inboxes, query),
    get: (inbox_id: string) => call('inboxes.get', { path: { inbox_id } }),
    update: (inbox_id: string, body: Body<'inboxes.update'>) =>
      call('inboxes.update', { path: { inbox_id }, body }),
    /**
     * At once and for good; its mail is removed within minutes, with `messages: 'archive'` into an archive first. Its
     * address rests for every other organization.
     */
    delete: (inbox_id: string, query: Delete = {}) => call('inboxes.delete', { path: { inbox_id }, query }),
    /** Up to 100 at once, each with an outcome of its own: one that is refused refuses no other. */
    batchCreate: (body: Body<'inboxes.batchCreate'>) => call('inboxes.batchCreate', { body }),
    batchDelete: (body: Body<'inboxes.batchDelete'>) => call('inboxes.batchDelete', { body }),
    messages: messages(call),
    events: inboxEvents(call),
    threads: inboxThreads(call),
    webhooks: inboxWebhooks(call),
    apiKeys: inboxApiKeys(call),
    audit: inboxAudit(call),
  };
};

/** Inboxes of one pod. */
export const podInboxes = (call: Caller) => {
  const list = (pod_id: string, query: List = {}) => call('pods.inboxes.list', { path: { pod_id }, query });
  return {
    create: (pod_id: string, body: Body<'pods.inboxes.create'> = {}) =>
      call('pods.inboxes.create', { path: { pod_id }, body }),
    list,
    all: (pod_id: string, query: List = {}) =>
      items(
        (page: List) => list(pod_id, page),
        (page) => page.inboxes,
        query,
      ),
    get: (pod_id: string, inbox_id: string) => call('pods.inboxes.get', { path: { pod_id, inbox_id } }),
    update: (pod_id: string, inbox_id: string, body: Body<'pods.inboxes.update'>) =>
      call('pods.inboxes.update', { path: { pod_id, inbox_id }, body }),
    delete: (pod_id: string, inbox_id: string, query: Delete = {}) =>
      call('pods.inboxes.delete', { path: { pod_id, inbox_id }, query }),
    batchCreate: (pod_id: string, body: Body<'pods.inboxes.batchCreate'>) =>
      call('pods.inboxes.batchCreate', { path: { pod_id }, body }),
    batchDelete: (pod_id: string, body: Body<'pods.inboxes.batchDelete'>) =>
      call('pods.inboxes.batchDelete', { path: { pod_id }, body }),
  };
};
