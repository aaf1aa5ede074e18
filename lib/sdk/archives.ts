import type { Caller, Query } from './caller.ts';
import { items } from './pages.ts';

type List = Query<'archives.list'>;

/** Mail of inboxes that are gone, each inbox as one mbox file. */
export const archives = (call: Caller) => {
  const list = (query: List = {}) => call('archives.list', { query });
  return {
    list,
    all: (query: List = {}) => items(list, (page) => page.archives, query),
    /** When it is ready, with a URL to download it. */
    get: (archive_id: string) => call('archives.get', { path: { archive_id } }),
    delete: (archive_id: string) => call('archives.delete', { path: { archive_id } }),
  };
};

/** Archives of inboxes that were in one pod. */
export const podArchives = (call: Caller) => {
  const list = (pod_id: string, query: List = {}) => call('pods.archives.list', { path: { pod_id }, query });
  return {
    list,
    all: (pod_id: string, query: List = {}) =>
      items(
        (page: List) => list(pod_id, page),
        (page) => page.archives,
        query,
      ),
    get: (pod_id: string, archive_id: string) => call('pods.archives.get', { path: { pod_id, archive_id } }),
    delete: (pod_id: string, archive_id: string) =>
      call('pods.archives.delete', { path: { pod_id, archive_id } }),
  };
};
