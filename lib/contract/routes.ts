import type * as z from 'zod';
import * as apiKey from './api-key.ts';
import * as archive from './archive.ts';
import { eventList, eventsQuery } from './event-list.ts';
import { identity } from './identity.ts';
import * as inbox from './inbox.ts';
import * as inboxBatch from './inbox-batch.ts';
import * as ledger from './ledger.ts';
import * as message from './message.ts';
import * as organization from './organization.ts';
import { pageQuery } from './page.ts';
import * as pod from './pod.ts';
import type { Route } from './route.ts';
import * as thread from './thread.ts';
import * as token from './token.ts';
import { undeliverableList } from './undeliverable.ts';
import * as delivery from './webhook-delivery.ts';
import * as headers from './webhook-headers.ts';
import * as webhook from './webhook.ts';

const define = <const Routes extends Record<string, Route>>(routes: Routes): Routes => routes;

type Named<Name extends string, Verbs> = { [Verb in keyof Verbs & string as `${Name}.${Verb}`]: Verbs[Verb] };

/** The verbs of a resource under their names, `<resource>.<verb>`, as the SDK and the CLI have it: routes, or what is behind them. */
export const named = <const Name extends string, const Verbs extends Record<string, unknown>>(
  name: Name,
  verbs: Verbs,
): Named<Name, Verbs> =>
  Object.fromEntries(Object.entries(verbs).map(([verb, route]) => [`${name}.${verb}`, route])) as never;

const root = '/v0';
const inPod = '/v0/pods/{pod_id}';
const inInbox = '/v0/inboxes/{inbox_id}';
const organizations = '/v0/operator/organizations';
const one = `${organizations}/{organization_id}` as const;

/** What a key asks for, what it reads, and what it changes. */
const asks = { auth: 'signed', ledger: 'none' } as const;
const reads = { auth: 'signed', ledger: 'read' } as const;
const changes = { auth: 'signed', ledger: 'change' } as const;
const operatorAsks = { auth: 'iam', permission: 'operator', ledger: 'none' } as const;
const operatorReads = { auth: 'iam', permission: 'operator', ledger: 'read' } as const;
const operatorChanges = { auth: 'iam', permission: 'operator', ledger: 'change' } as const;

// A resource that stands at several levels is written once, for whatever the paths begin with.

const inboxes = <const At extends string>(at: At) =>
  define({
    create: {
      ...changes,
      method: 'POST',
      path: `${at}/inboxes`,
      permission: 'inbox_create',
      least: 'pod',
      idempotent: true,
      body: inbox.createInbox,
      bodyOptional: true,
      response: inbox.provisionedInbox,
    },
    list: {
      ...asks,
      method: 'GET',
      path: `${at}/inboxes`,
      permission: 'inbox_read',
      query: pageQuery,
      response: inbox.inboxList,
    },
    get: {
      ...asks,
      method: 'GET',
      path: `${at}/inboxes/{inbox_id}`,
      permission: 'inbox_read',
      response: inbox.inbox,
    },
    update: {
      ...changes,
      method: 'PATCH',
      path: `${at}/inboxes/{inbox_id}`,
      permission: 'inbox_update',
      body: inbox.updateInbox,
      response: inbox.inbox,
    },
    delete: {
      ...changes,
      method: 'DELETE',
      path: `${at}/inboxes/{inbox_id}`,
      permission: 'inbox_delete',
      least: 'pod',
      query: archive.deleteInboxQuery,
      response: archive.deletedInbox,
    },
    batchCreate: {
      ...changes,
      method: 'POST',
      path: `${at}/inboxes/batch`,
      permission: 'inbox_create',
      least: 'pod',
      idempotent: true,
      body: inboxBatch.batchCreateInboxes,
      response: inboxBatch.batchCreateInboxesResponse,
    },
    batchDelete: {
      ...changes,
      method: 'POST',
      path: `${at}/inboxes/batch-delete`,
      permission: 'inbox_delete',
      least: 'pod',
      idempotent: true,
      body: inboxBatch.batchDeleteInboxes,
      response: inboxBatch.batchDeleteInboxesResponse,
    },
  });

/** Mail of inboxes that are gone; a key of one inbox is gone with it. */
const archives = <const At extends string>(at: At) =>
  define({
    list: {
      ...reads,
      method: 'GET',
      path: `${at}/archives`,
      permission: 'message_read',
      query: pageQuery,
      response: archive.archiveList,
    },
    get: {
      ...reads,
      method: 'GET',
      path: `${at}/archives/{archive_id}`,
      permission: 'message_read',
      response: archive.archiveWithUrl,
    },
    delete: {
      ...changes,
      method: 'DELETE',
      path: `${at}/archives/{archive_id}`,
      permission: 'inbox_delete',
    },
  });

const messages = <const At extends string>(at: At) =>
  define({
    list: {
      ...reads,
      method: 'GET',
      path: `${at}/messages`,
      permission: 'message_read',
      query: message.messagesQuery,
      response: message.messageList,
    },
    get: {
      ...reads,
      method: 'GET',
      path: `${at}/messages/{message_id}`,
      permission: 'message_read',
      response: message.message,
    },
    batchGet: {
      ...reads,
      method: 'POST',
      path: `${at}/messages/batch-get`,
      permission: 'message_read',
      body: message.batchGetMessages,
      response: message.batchGetMessagesResponse,
    },
    batchUpdate: {
      ...changes,
      method: 'POST',
      path: `${at}/messages/batch-update`,
      permission: 'message_update',
      body: message.batchUpdateMessages,
      response: message.batchUpdateMessagesResponse,
    },
    update: {
      ...changes,
      method: 'PATCH',
      path: `${at}/messages/{message_id}`,
      permission: 'message_update',
      body: message.updateMessage,
      response: message.updateMessageResponse,
    },
    delete: {
      ...changes,
      method: 'DELETE',
      path: `${at}/messages/{message_id}`,
      permission: 'message_delete',
    },
    getRaw: {
      ...reads,
      method: 'GET',
      path: `${at}/messages/{message_id}/raw`,
      permission: 'message_read',
      response: message.rawMessageResponse,
    },
    getAttachment: {
      ...reads,
      method: 'GET',
      path: `${at}/messages/{message_id}/attachments/{attachment_id}`,
      permission: 'message_read',
      response: message.attachmentResponse,
    },
  });

const threads = <const At extends string>(at: At) =>
  define({
    list: {
      ...reads,
      method: 'GET',
      path: `${at}/threads`,
      permission: 'message_read',
      query: thread.threadsQuery,
      response: thread.threadList,
    },
    get: {
      ...reads,
      method: 'GET',
      path: `${at}/threads/{thread_id}`,
      permission: 'message_read',
      query: thread.threadQuery,
      response: thread.thread,
    },
    update: {
      ...changes,
      method: 'PATCH',
      path: `${at}/threads/{thread_id}`,
      permission: 'message_update',
      body: thread.updateThread,
      response: thread.updateThreadResponse,
    },
    delete: {
      ...changes,
      method: 'DELETE',
      path: `${at}/threads/{thread_id}`,
      permission: 'message_delete',
      response: thread.deleteThreadResponse,
    },
    getAttachment: {
      ...reads,
      method: 'GET',
      path: `${at}/threads/{thread_id}/attachments/{attachment_id}`,
      permission: 'message_read',
      response: message.attachmentResponse,
    },
  });

const apiKeys = <const At extends string>(at: At) =>
  define({
    create: {
      ...changes,
      method: 'POST',
      path: `${at}/api-keys`,
      permission: 'api_key_create',
      idempotent: true,
      body: apiKey.createApiKey,
      response: apiKey.createdApiKey,
    },
    list: {
      ...asks,
      method: 'GET',
      path: `${at}/api-keys`,
      permission: 'api_key_read',
      query: apiKey.apiKeysQuery,
      response: apiKey.apiKeyList,
    },
    get: {
      ...asks,
      method: 'GET',
      path: `${at}/api-keys/{api_key_id}`,
      permission: 'api_key_read',
      response: apiKey.apiKey,
    },
    update: {
      ...changes,
      method: 'PATCH',
      path: `${at}/api-keys/{api_key_id}`,
      permission: 'api_key_update',
      body: apiKey.updateApiKey,
      response: apiKey.apiKey,
    },
    delete: {
      ...changes,
      method: 'DELETE',
      path: `${at}/api-keys/{api_key_id}`,
      permission: 'api_key_delete',
    },
  });

/** What a webhook hears comes from its path where that names a pod or an inbox: then the body cannot say it again. */
const webhooks = <const At extends string, Create extends z.ZodType, Update extends z.ZodType>(
  at: At,
  { create, update }: { create: Create; update: Update },
) =>
  define({
    create: {
      ...changes,
      method: 'POST',
      path: `${at}/webhooks`,
      permission: 'webhook_create',
      idempotent: true,
      body: create,
      response: webhook.webhook,
    },
    list: {
      ...asks,
      method: 'GET',
      path: `${at}/webhooks`,
      permission: 'webhook_read',
      query: pageQuery,
      response: webhook.webhookList,
    },
    get: {
      ...asks,
      method: 'GET',
      path: `${at}/webhooks/{webhook_id}`,
      permission: 'webhook_read',
      response: webhook.webhook,
    },
    update: {
      ...changes,
      method: 'PATCH',
      path: `${at}/webhooks/{webhook_id}`,
      permission: 'webhook_update',
      body: update,
      response: webhook.webhook,
    },
    delete: {
      ...changes,
      method: 'DELETE',
      path: `${at}/webhooks/{webhook_id}`,
      permission: 'webhook_delete',
    },
    getHeaders: {
      ...asks,
      method: 'GET',
      path: `${at}/webhooks/{webhook_id}/headers`,
      permission: 'webhook_read',
      response: headers.webhookHeaderNames,
    },
    updateHeaders: {
      ...changes,
      method: 'PATCH',
      path: `${at}/webhooks/{webhook_id}/headers`,
      permission: 'webhook_update',
      body: headers.updateWebhookHeaders,
    },
    rotateSecret: {
      ...changes,
      method: 'POST',
      path: `${at}/webhooks/{webhook_id}/rotate-secret`,
      permission: 'webhook_update',
      idempotent: true,
      response: webhook.webhook,
    },
    listDeliveries: {
      ...asks,
      method: 'GET',
      path: `${at}/webhooks/{webhook_id}/deliveries`,
      permission: 'webhook_read',
      query: pageQuery,
      response: delivery.webhookDeliveryList,
    },
    redeliver: {
      ...changes,
      method: 'POST',
      path: `${at}/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver`,
      permission: 'webhook_update',
      idempotent: true,
      response: delivery.redelivery,
    },
  });

const audit = <const At extends string>(at: At) =>
  define({
    list: {
      ...asks,
      method: 'GET',
      path: `${at}/audit`,
      permission: 'audit_read',
      query: ledger.auditQuery,
      response: ledger.lineList,
    },
  });

/** Every route of `/v0`. */
export const routes = define({
  'auth.me': { ...asks, method: 'GET', path: '/v0/auth/me', permission: 'any', response: identity },
  'auth.token': {
    ...changes,
    method: 'POST',
    path: '/v0/auth/token',
    permission: 'any',
    body: token.createToken,
    bodyOptional: true,
    response: token.token,
  },

  'organizations.get': {
    ...asks,
    method: 'GET',
    path: '/v0/organizations',
    permission: 'any',
    response: organization.organization,
  },
  'organizations.update': {
    ...changes,
    method: 'PATCH',
    path: '/v0/organizations',
    permission: 'unrestricted',
    body: organization.updateOwnOrganization,
    response: organization.organization,
  },

  ...named('pods', {
    create: {
      ...changes,
      method: 'POST',
      path: '/v0/pods',
      permission: 'pod_create',
      least: 'organization',
      idempotent: true,
      body: pod.createPod,
      bodyOptional: true,
      response: pod.pod,
    },
    list: {
      ...asks,
      method: 'GET',
      path: '/v0/pods',
      permission: 'pod_read',
      query: pageQuery,
      response: pod.podList,
    },
    get: { ...asks, method: 'GET', path: inPod, permission: 'pod_read', response: pod.pod },
    delete: { ...changes, method: 'DELETE', path: inPod, permission: 'pod_delete', least: 'organization' },
  }),

  ...named('inboxes', inboxes(root)),
  ...named('pods.inboxes', inboxes(inPod)),
  ...named('inboxes.messages', messages(inInbox)),
  // It names senders and subjects, so it is for those who may read mail; following it would flood the ledger.
  'inboxes.events.list': {
    ...asks,
    method: 'GET',
    path: `${inInbox}/events`,
    permission: 'message_read',
    query: eventsQuery,
    response: eventList,
  },
  ...named('archives', archives(root)),
  ...named('pods.archives', archives(inPod)),
  ...named('threads', threads(root)),
  ...named('pods.threads', threads(inPod)),
  ...named('inboxes.threads', threads(inInbox)),
  ...named('apiKeys', apiKeys(root)),
  ...named('pods.apiKeys', apiKeys(inPod)),
  ...named('inboxes.apiKeys', apiKeys(inInbox)),
  ...named('webhooks', webhooks(root, { create: webhook.createWebhook, update: webhook.updateWebhook })),
  ...named(
    'pods.webhooks',
    webhooks(inPod, { create: webhook.createPodWebhook, update: webhook.updatePodWebhook }),
  ),
  ...named(
    'inboxes.webhooks',
    webhooks(inInbox, { create: webhook.createInboxWebhook, update: webhook.updateInboxWebhook }),
  ),
  ...named('audit', audit(root)),
  ...named('pods.audit', audit(inPod)),
  ...named('inboxes.audit', audit(inInbox)),
  'audit.seals': {
    ...asks,
    method: 'GET',
    path: '/v0/audit/seals',
    permission: 'audit_read',
    least: 'organization',
    query: ledger.sealQuery,
    response: ledger.sealList,
  },

  ...named('operator.organizations', {
    create: {
      ...operatorChanges,
      method: 'POST',
      path: organizations,
      body: organization.createOrganization,
      bodyOptional: true,
      response: organization.organization,
    },
    list: {
      ...operatorAsks,
      method: 'GET',
      path: organizations,
      query: pageQuery,
      response: organization.organizationList,
    },
    get: { ...operatorAsks, method: 'GET', path: one, response: organization.organization },
    update: {
      ...operatorChanges,
      method: 'PATCH',
      path: one,
      body: organization.updateOrganization,
      response: organization.organization,
    },
    suspend: {
      ...operatorChanges,
      method: 'POST',
      path: `${one}/suspend`,
      body: organization.suspendOrganization,
      bodyOptional: true,
      response: organization.organization,
    },
    resume: {
      ...operatorChanges,
      method: 'POST',
      path: `${one}/resume`,
      response: organization.organization,
    },
    delete: { ...operatorChanges, method: 'DELETE', path: one, response: organization.organization },
  }),
  ...named('operator.apiKeys', {
    create: {
      ...operatorChanges,
      method: 'POST',
      path: `${one}/api-keys`,
      body: apiKey.createApiKey,
      response: apiKey.createdApiKey,
    },
    list: {
      ...operatorAsks,
      method: 'GET',
      path: `${one}/api-keys`,
      query: apiKey.apiKeysQuery,
      response: apiKey.apiKeyList,
    },
    delete: { ...operatorChanges, method: 'DELETE', path: `${one}/api-keys/{api_key_id}` },
  }),
  ...named('operator.settings', {
    get: { ...operatorAsks, method: 'GET', path: '/v0/operator/settings', response: organization.settings },
    update: {
      ...operatorChanges,
      method: 'PATCH',
      path: '/v0/operator/settings',
      body: organization.updateSettings,
      response: organization.settings,
    },
  }),
  ...named('operator.audit', {
    list: {
      ...operatorAsks,
      method: 'GET',
      path: `${one}/audit`,
      query: ledger.auditQuery,
      response: ledger.lineList,
    },
    seals: {
      ...operatorAsks,
      method: 'GET',
      path: `${one}/audit/seals`,
      query: ledger.sealQuery,
      response: ledger.sealList,
    },
    erase: {
      ...operatorChanges,
      method: 'POST',
      path: `${one}/audit/erasures`,
      body: ledger.createErasure,
      response: ledger.erasure,
    },
  }),
  'operator.undeliverable.list': {
    ...operatorReads,
    method: 'GET',
    path: '/v0/operator/undeliverable',
    query: pageQuery,
    response: undeliverableList,
  },
});

export type Routes = typeof routes;
export type RouteName = keyof Routes;
