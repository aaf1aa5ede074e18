import type { Body, Caller, Query } from './caller.ts';
import { items } from './pages.ts';

type List = Query<'threads.list'>;
type Get = Query<'threads.get'>;

/** Threads of everything in the key's scope. */
export const threads = (call: Caller) => {
  const list = (query: List = {}) => call('threads.list', { query });
  return {
    list,
    all: (query: List = {}) => items(list, (page) => page.threads, query),
    get: (thread_id: string, query: Get = {}) => call('threads.get', { path: { thread_id }, query }),
    update: (thread_id: string, body: Body<'threads.update'>) =>
      call('threads.update', { path: { thread_id }, body }),
    /** Answers `{pending: true}` when the thread is long and the rest follows in the background. */
    delete: (thread_id: string) => call('threads.delete', { path: { thread_id } }),
    getAttachment: (thread_id: string, attachment_id: string) =>
      call('threads.getAttachment', { path: { thread_id, attachment_id } }),
  };
};

/** Threads of one inbox. */
export const inboxThreads = (call: Caller) => {
  const at = (inbox_id: string, thread_id: string) => ({ path: { inbox_id, thread_id } });
  const list = (inbox_id: string, query: List = {}) =>
    call('inboxes.threads.list', { path: { inbox_id }, query });
  return {
    list,
    all: (inbox_id: string, query: List = {}) =>
      items(
        (page: List) => list(inbox_id, page),
        (page) => page.threads,
        query,
      ),
    get: (inbox_id: string, thread_id: string, query: Get = {}) =>
      call('inboxes.threads.get', { ...at(inbox_id, thread_id), query }),
    update: (inbox_id: string, thread_id: string, body: Body<'inboxes.threads.update'>) =>
      call('inboxes.threads.update', { ...at(inbox_id, thread_id), body }),
    delete: (inbox_id: string, thread_id: string) => call('inboxes.threads.delete', at(inbox_id, thread_id)),
    getAttachment: (inbox_id: string, thread_id: string, attachment_id: string) =>
      call('inboxes.threads.getAttachment', { path: { inbox_id, thread_id, attachment_id } }),
  };
};

/** Threads of one pod. */
export const podThreads = (call: Caller) => {
  const at = (pod_id: string, thread_id: string) => ({ path: { pod_id, thread_id } });
  const list = (pod_id: string, query: List = {}) => call('pods.threads.list', { path: { pod_id }, query });
  return {
    list,
    all: (pod_id: string, query: List = {}) =>
      items(
        (page: List) => list(pod_id, page),
        (page) => page.threads,
        query,
      ),
    get: (pod_id: string, thread_id: string, query: Get = {}) =>
      call('pods.threads.get', { ...at(pod_id, thread_id), query }),
    update: (pod_id: string, thread_id: string, body: Body<'pods.threads.update'>) =>
      call('pods.threads.update', { ...at(pod_id, thread_id), body }),
    delete: (pod_id: string, thread_id: string) => call('pods.threads.delete', at(pod_id, thread_id)),
    getAttachment: (pod_id: string, thread_id: string, attachment_id: string) =>
      call('pods.threads.getAttachment', { path: { pod_id, thread_id, attachment_id } }),
  };
};
