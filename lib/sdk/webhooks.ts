import type { Body, Caller, Query } from './caller.ts';
import { items } from './pages.ts';

type List = Query<'webhooks.list'>;
type Headers = Body<'webhooks.updateHeaders'>;

/** Webhooks of everything in the key's scope. Lists leave out their secrets. */
export const webhooks = (call: Caller) => {
  const at = (webhook_id: string) => ({ path: { webhook_id } });
  const list = (query: List = {}) => call('webhooks.list', { query });
  const listDeliveries = (webhook_id: string, query: List = {}) =>
    call('webhooks.listDeliveries', { ...at(webhook_id), query });
  return {
    /** Repeat it with the same `client_id` and it answers the same webhook. */
    create: (body: Body<'webhooks.create'>) => call('webhooks.create', { body }),
    list,
    all: (query: List = {}) => items(list, (page) => page.webhooks, query),
    get: (webhook_id: string) => call('webhooks.get', at(webhook_id)),
    /** `enabled: true` sets one going again that was disabled; what it missed is not delivered. */
    update: (webhook_id: string, body: Body<'webhooks.update'>) =>
      call('webhooks.update', { ...at(webhook_id), body }),
    delete: (webhook_id: string) => call('webhooks.delete', at(webhook_id)),
    /** Names only: values are shown to nobody. */
    getHeaders: (webhook_id: string) => call('webhooks.getHeaders', at(webhook_id)),
    updateHeaders: (webhook_id: string, body: Headers) =>
      call('webhooks.updateHeaders', { ...at(webhook_id), body }),
    /** The secret before signs too for a day. */
    rotateSecret: (webhook_id: string) => call('webhooks.rotateSecret', at(webhook_id)),
    listDeliveries,
    allDeliveries: (webhook_id: string, query: List = {}) =>
      items(
        (page: List) => listDeliveries(webhook_id, page),
        (page) => page.deliveries,
        query,
      ),
    redeliver: (webhook_id: string, delivery_id: string) =>
      call('webhooks.redeliver', { path: { webhook_id, delivery_id } }),
  };
};

/** Webhooks of one pod and of its inboxes. */
export const podWebhooks = (call: Caller) => {
  const at = (pod_id: string, webhook_id: string) => ({ path: { pod_id, webhook_id } });
  const list = (pod_id: string, query: List = {}) => call('pods.webhooks.list', { path: { pod_id }, query });
  const listDeliveries = (pod_id: string, webhook_id: string, query: List = {}) =>
    call('pods.webhooks.listDeliveries', { ...at(pod_id, webhook_id), query });
  return {
    create: (pod_id: string, body: Body<'pods.webhooks.create'>) =>
      call('pods.webhooks.create', { path: { pod_id }, body }),
    list,
    all: (pod_id: string, query: List = {}) =>
      items(
        (page: List) => list(pod_id, page),
        (page) => page.webhooks,
        query,
      ),
    get: (pod_id: string, webhook_id: string) => call('pods.webhooks.get', at(pod_id, webhook_id)),
    update: (pod_id: string, webhook_id: string, body: Body<'pods.webhooks.update'>) =>
      call('pods.webhooks.update', { ...at(pod_id, webhook_id), body }),
    delete: (pod_id: string, webhook_id: string) => call('pods.webhooks.delete', at(pod_id, webhook_id)),
    getHeaders: (pod_id: string, webhook_id: string) =>
      call('pods.webhooks.getHeaders', at(pod_id, webhook_id)),
    updateHeaders: (pod_id: string, webhook_id: string, body: Headers) =>
      call('pods.webhooks.updateHeaders', { ...at(pod_id, webhook_id), body }),
    rotateSecret: (pod_id: string, webhook_id: string) =>
      call('pods.webhooks.rotateSecret', at(pod_id, webhook_id)),
    listDeliveries,
    allDeliveries: (pod_id: string, webhook_id: string, query: List = {}) =>
      items(
        (page: List) => listDeliveries(pod_id, webhook_id, page),
        (page) => page.deliveries,
        query,
      ),
    redeliver: (pod_id: string, webhook_id: string, delivery_id: string) =>
      call('pods.webhooks.redeliver', { path: { pod_id, webhook_id, delivery_id } }),
  };
};

/** Webhooks of one inbox. */
export const inboxWebhooks = (call: Caller) => {
  const at = (inbox_id: string, webhook_id: string) => ({ path: { inbox_id, webhook_id } });
  const list = (inbox_id: string, query: List = {}) =>
    call('inboxes.webhooks.list', { path: { inbox_id }, query });
  const listDeliveries = (inbox_id: string, webhook_id: string, query: List = {}) =>
    call('inboxes.webhooks.listDeliveries', { ...at(inbox_id, webhook_id), query });
  return {
    create: (inbox_id: string, body: Body<'inboxes.webhooks.create'>) =>
      call('inboxes.webhooks.create', { path: { inbox_id }, body }),
    list,
    all: (inbox_id: string, query: List = {}) =>
      items(
        (page: List) => list(inbox_id, page),
        (page) => page.webhooks,
        query,
      ),
    get: (inbox_id: string, webhook_id: string) => call('inboxes.webhooks.get', at(inbox_id, webhook_id)),
    update: (inbox_id: string, webhook_id: string, body: Body<'inboxes.webhooks.update'>) =>
      call('inboxes.webhooks.update', { ...at(inbox_id, webhook_id), body }),
    delete: (inbox_id: string, webhook_id: string) =>
      call('inboxes.webhooks.delete', at(inbox_id, webhook_id)),
    getHeaders: (inbox_id: string, webhook_id: string) =>
      call('inboxes.webhooks.getHeaders', at(inbox_id, webhook_id)),
    updateHeaders: (inbox_id: string, webhook_id: string, body: Headers) =>
      call('inboxes.webhooks.updateHeaders', { ...at(inbox_id, webhook_id), body }),
    rotateSecret: (inbox_id: string, webhook_id: string) =>
      call('inboxes.webhooks.rotateSecret', at(inbox_id, webhook_id)),
    listDeliveries,
    allDeliveries: (inbox_id: string, webhook_id: string, query: List = {}) =>
      items(
        (page: List) => listDeliveries(inbox_id, webhook_id, page),
        (page) => page.deliveries,
        query,
      ),
    redeliver: (inbox_id: string, webhook_id: string, delivery_id: string) =>
      call('inboxes.webhooks.redeliver', { path: { inbox_id, webhook_id, delivery_id } }),
  };
};
