import type { CreateApiKeyBody } from '../contract/api-key.ts';
import type { Body, Caller, Query } from './caller.ts';
import { items } from './pages.ts';

type List = Query<'apiKeys.list'>;
type Update = Body<'apiKeys.update'>;

/**
 * Keys of everything in the key's scope. A key is named by its id or its `client_id`. What is made here is shown once:
 * `private_jwk` of a generated pair, `api_key` of a bearer.
 */
export const apiKeys = (call: Caller) => {
  const list = (query: List = {}) => call('apiKeys.list', { query });
  return {
    /** Repeat it with the same `client_id` and it answers the same key, without its secret. */
    create: (body: CreateApiKeyBody) => call('apiKeys.create', { body }),
    list,
    all: (query: List = {}) => items(list, (page) => page.api_keys, query),
    get: (api_key_id: string) => call('apiKeys.get', { path: { api_key_id } }),
    update: (api_key_id: string, body: Update) => call('apiKeys.update', { path: { api_key_id }, body }),
    delete: (api_key_id: string) => call('apiKeys.delete', { path: { api_key_id } }),
  };
};

/** Keys of one pod and of its inboxes. */
export const podApiKeys = (call: Caller) => {
  const at = (pod_id: string, api_key_id: string) => ({ path: { pod_id, api_key_id } });
  const list = (pod_id: string, query: List = {}) => call('pods.apiKeys.list', { path: { pod_id }, query });
  return {
    create: (pod_id: string, body: CreateApiKeyBody) =>
      call('pods.apiKeys.create', { path: { pod_id }, body }),
    list,
    all: (pod_id: string, query: List = {}) =>
      items(
        (page: List) => list(pod_id, page),
        (page) => page.api_keys,
        query,
      ),
    get: (pod_id: string, api_key_id: string) => call('pods.apiKeys.get', at(pod_id, api_key_id)),
    update: (pod_id: string, api_key_id: string, body: Update) =>
      call('pods.apiKeys.update', { ...at(pod_id, api_key_id), body }),
    delete: (pod_id: string, api_key_id: string) => call('pods.apiKeys.delete', at(pod_id, api_key_id)),
  };
};

/** Keys of one inbox. */
export const inboxApiKeys = (call: Caller) => {
  const at = (inbox_id: string, api_key_id: string) => ({ path: { inbox_id, api_key_id } });
  const list = (inbox_id: string, query: List = {}) =>
    call('inboxes.apiKeys.list', { path: { inbox_id }, query });
  return {
    create: (inbox_id: string, body: CreateApiKeyBody) =>
      call('inboxes.apiKeys.create', { path: { inbox_id }, body }),
    list,
    all: (inbox_id: string, query: List = {}) =>
      items(
        (page: List) => list(inbox_id, page),
        (page) => page.api_keys,
        query,
      ),
    get: (inbox_id: string, api_key_id: string) => call('inboxes.apiKeys.get', at(inbox_id, api_key_id)),
    update: (inbox_id: string, api_key_id: string, body: Update) =>
      call('inboxes.apiKeys.update', { ...at(inbox_id, api_key_id), body }),
    delete: (inbox_id: string, api_key_id: string) =>
      call('inboxes.apiKeys.delete', at(inbox_id, api_key_id)),
  };
};
