import { podApiKeys } from './api-keys.ts';
import { podArchives } from './archives.ts';
import { podAudit } from './audit.ts';
import type { Body, Caller, Query } from './caller.ts';
import { podInboxes } from './inboxes.ts';
import { items } from './pages.ts';
import { podThreads } from './threads.ts';
import { podWebhooks } from './webhooks.ts';

type List = Query<'pods.list'>;

/** Parts of the organization, such as one for each of its customers. */
export const pods = (call: Caller) => {
  const list = (query: List = {}) => call('pods.list', { query });
  return {
    /** Repeat it with the same `client_id` and it answers the same pod. */
    create: (body: Body<'pods.create'> = {}) => call('pods.create', { body }),
    list,
    all: (query: List = {}) => items(list, (page) => page.pods, query),
    get: (pod_id: string) => call('pods.get', { path: { pod_id } }),
    /** Only without inboxes; its keys are revoked with it. */
    delete: (pod_id: string) => call('pods.delete', { path: { pod_id } }),
    inboxes: podInboxes(call),
    archives: podArchives(call),
    threads: podThreads(call),
    webhooks: podWebhooks(call),
    apiKeys: podApiKeys(call),
    audit: podAudit(call),
  };
};
