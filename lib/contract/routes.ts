import * as credential from './credential.ts';
import { identity } from './identity.ts';
import * as inbox from './inbox.ts';
import * as message from './message.ts';
import * as organization from './organization.ts';
import { pageQuery } from './page.ts';
import type { Route } from './route.ts';
import * as thread from './thread.ts';
import { undeliverableList } from './undeliverable.ts';

const define = <const Routes extends Record<string, Route>>(routes: Routes): Routes => routes;

const inboxes = '/v0/inboxes';
const one = `${inboxes}/{inbox_id}` as const;
const organizations = '/v0/operator/organizations';

/** Every route of `/v0`. The name is `<resource>.<verb>`, as the SDK and the CLI have it. */
export const routes = define({
  'auth.me': { method: 'GET', path: '/v0/auth/me', auth: 'signed', permission: 'any', response: identity },
  'organizations.get': {
    method: 'GET',
    path: '/v0/organizations',
    auth: 'signed',
    permission: 'any',
    response: organization.organization,
  },

  'inboxes.create': {
    method: 'POST',
    path: inboxes,
    auth: 'signed',
    permission: 'inbox_create',
    body: inbox.createInbox,
    bodyOptional: true,
    response: inbox.provisionedInbox,
    nonce: 'transaction',
  },
  'inboxes.list': {
    method: 'GET',
    path: inboxes,
    auth: 'signed',
    permission: 'inbox_read',
    query: pageQuery,
    response: inbox.inboxList,
  },
  'inboxes.get': {
    method: 'GET',
    path: one,
    auth: 'signed',
    permission: 'inbox_read',
    response: inbox.inbox,
  },
  'inboxes.update': {
    method: 'PATCH',
    path: one,
    auth: 'signed',
    permission: 'inbox_update',
    body: inbox.updateInbox,
    response: inbox.inbox,
  },

  'inboxes.messages.list': {
    method: 'GET',
    path: `${one}/messages`,
    auth: 'signed',
    permission: 'message_read',
    query: message.messagesQuery,
    response: message.messageList,
  },
  'inboxes.messages.get': {
    method: 'GET',
    path: `${one}/messages/{message_id}`,
    auth: 'signed',
    permission: 'message_read',
    response: message.message,
  },
  'inboxes.messages.batchGet': {
    method: 'POST',
    path: `${one}/messages/batch-get`,
    auth: 'signed',
    permission: 'message_read',
    body: message.batchGetMessages,
    response: message.batchGetMessagesResponse,
  },
  'inboxes.messages.batchUpdate': {
    method: 'POST',
    path: `${one}/messages/batch-update`,
    auth: 'signed',
    permission: 'message_update',
    body: message.batchUpdateMessages,
    response: message.batchUpdateMessagesResponse,
  },
  'inboxes.messages.update': {
    method: 'PATCH',
    path: `${one}/messages/{message_id}`,
    auth: 'signed',
    permission: 'message_update',
    body: message.updateMessage,
    response: message.updateMessageResponse,
  },
  'inboxes.messages.delete': {
    method: 'DELETE',
    path: `${one}/messages/{message_id}`,
    auth: 'signed',
    permission: 'message_delete',
  },
  'inboxes.messages.getRaw': {
    method: 'GET',
    path: `${one}/messages/{message_id}/raw`,
    auth: 'signed',
    permission: 'message_read',
    response: message.rawMessageResponse,
  },
  'inboxes.messages.getAttachment': {
    method: 'GET',
    path: `${one}/messages/{message_id}/attachments/{attachment_id}`,
    auth: 'signed',
    permission: 'message_read',
    response: message.attachmentResponse,
  },

  'inboxes.threads.list': {
    method: 'GET',
    path: `${one}/threads`,
    auth: 'signed',
    permission: 'message_read',
    query: thread.threadsQuery,
    response: thread.threadList,
  },
  'inboxes.threads.get': {
    method: 'GET',
    path: `${one}/threads/{thread_id}`,
    auth: 'signed',
    permission: 'message_read',
    query: thread.threadQuery,
    response: thread.thread,
  },
  'inboxes.threads.update': {
    method: 'PATCH',
    path: `${one}/threads/{thread_id}`,
    auth: 'signed',
    permission: 'message_update',
    body: thread.updateThread,
    response: thread.updateThreadResponse,
  },
  'inboxes.threads.delete': {
    method: 'DELETE',
    path: `${one}/threads/{thread_id}`,
    auth: 'signed',
    permission: 'message_delete',
    response: thread.deleteThreadResponse,
  },
  'inboxes.threads.getAttachment': {
    method: 'GET',
    path: `${one}/threads/{thread_id}/attachments/{attachment_id}`,
    auth: 'signed',
    permission: 'message_read',
    response: message.attachmentResponse,
  },

  'threads.list': {
    method: 'GET',
    path: '/v0/threads',
    auth: 'signed',
    permission: 'message_read',
    query: thread.threadsQuery,
    response: thread.threadList,
  },
  'threads.get': {
    method: 'GET',
    path: '/v0/threads/{thread_id}',
    auth: 'signed',
    permission: 'message_read',
    query: thread.threadQuery,
    response: thread.thread,
  },
  'threads.update': {
    method: 'PATCH',
    path: '/v0/threads/{thread_id}',
    auth: 'signed',
    permission: 'message_update',
    body: thread.updateThread,
    response: thread.updateThreadResponse,
  },
  'threads.delete': {
    method: 'DELETE',
    path: '/v0/threads/{thread_id}',
    auth: 'signed',
    permission: 'message_delete',
    response: thread.deleteThreadResponse,
  },
  'threads.getAttachment': {
    method: 'GET',
    path: '/v0/threads/{thread_id}/attachments/{attachment_id}',
    auth: 'signed',
    permission: 'message_read',
    response: message.attachmentResponse,
  },

  'operator.organizations.create': {
    method: 'POST',
    path: organizations,
    auth: 'iam',
    permission: 'operator',
    body: organization.createOrganization,
    bodyOptional: true,
    response: organization.organization,
  },
  'operator.organizations.list': {
    method: 'GET',
    path: organizations,
    auth: 'iam',
    permission: 'operator',
    query: pageQuery,
    response: organization.organizationList,
  },
  'operator.organizations.get': {
    method: 'GET',
    path: `${organizations}/{organization_id}`,
    auth: 'iam',
    permission: 'operator',
    response: organization.organization,
  },
  'operator.apiKeys.create': {
    method: 'POST',
    path: `${organizations}/{organization_id}/api-keys`,
    auth: 'iam',
    permission: 'operator',
    body: credential.createOperatorKey,
    response: credential.issuedCredential,
  },
  'operator.undeliverable.list': {
    method: 'GET',
    path: '/v0/operator/undeliverable',
    auth: 'iam',
    permission: 'operator',
    query: pageQuery,
    response: undeliverableList,
  },
});

export type Routes = typeof routes;
export type RouteName = keyof Routes;
