import type { ApiRoute, Call, Once, UseCases } from '../../lib/contract/call.ts';
import { Problem, notFound } from '../../lib/contract/problem.ts';
import type { RouteName } from '../../lib/contract/routes.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { createLog } from '../../lib/edge/log.ts';
import { operatorCaller } from '../../lib/edge/operator-caller.ts';
import { signedCaller } from '../../lib/edge/signed-caller.ts';
import { doorFetch } from '../edge/api-event.ts';
import { testKey } from '../edge/key-fixture.ts';

export const origin = 'https://mail.example.com';
const time = '2026-01-31T12:00:00.000Z';
const address = 'alice@mail.example.com';
const ref = { uid: 'inb_a', inbox_id: address, organization_id: 'org_1', pod_id: 'org_1' };
const inbox = {
  organization_id: 'org_1',
  pod_id: 'org_1',
  inbox_id: address,
  email: address,
  updated_at: time,
  created_at: time,
};
const item = {
  ...inbox,
  thread_id: 'thr_1',
  labels: ['unread'],
  timestamp: time,
  from: 'bob@sender.test',
  to: [address],
  size: 10,
};
const message = (n: number) => ({ ...item, message_id: `msg_${n}`, subject: `No. ${n}`, text: 'Hello' });
const thread = { ...item, senders: [], recipients: [], last_message_id: 'msg_1', message_count: 1 };
const link = { size: 3, download_url: 'https://bucket/raw', expires_at: time };
const organization = {
  organization_id: 'org_1',
  verified: true,
  state: 'active' as const,
  inbox_count: 1,
  domain_count: 0,
  updated_at: time,
  created_at: time,
};

/** The whole API behind the real edge, answering from constants: what a face of it can be tried against. */
export function fakeMailroom(overrides: Partial<UseCases<RouteName>> = {}) {
  const key = testKey();
  const calls: { name: RouteName; call: any }[] = [];
  const used = new Set<string>();
  const useCases: UseCases<ApiRoute> = {
    'auth.me': async ({ principal }) => ({
      scope_type: 'organization',
      scope_id: principal.organization_id,
      organization_id: principal.organization_id,
      api_key_id: principal.api_key_id,
    }),
    'organizations.get': async () => organization,
    'inboxes.create': async ({ body }) => ({
      ...inbox,
      ...(body?.client_id != null && { client_id: body.client_id }),
    }),
    'inboxes.list': async () => ({ count: 1, inboxes: [inbox] }),
    'inboxes.get': async () => inbox,
    'inboxes.update': async ({ body }) => ({
      ...inbox,
      ...(body.display_name != null && { display_name: body.display_name }),
    }),
    'inboxes.messages.list': async ({ query }) => page(query.page_token),
    'inboxes.messages.get': async ({ path }) =>
      path.message_id === 'msg_1' ? message(1) : Promise.reject(notFound('Message')),
    'inboxes.messages.batchGet': async ({ body }) => ({
      limit: 500,
      count: 1,
      messages: body.message_ids.map(() => message(1)),
    }),
    'inboxes.messages.batchUpdate': async ({ body }) => ({
      limit: 50,
      count: 1,
      updates: body.message_ids.map((message_id) => ({ message_id, labels: body.add })),
    }),
    'inboxes.messages.update': async ({ path, body }) => ({ message_id: path.message_id, labels: body.add }),
    'inboxes.messages.delete': async () => {},
    'inboxes.messages.getRaw': async ({ path }) => ({ message_id: path.message_id, ...link }),
    'inboxes.messages.getAttachment': async ({ path }) => ({ attachment_id: path.attachment_id, ...link }),
    'inboxes.threads.list': async () => ({ count: 1, threads: [thread] }),
    'inboxes.threads.get': async () => ({ ...thread, count: 1, messages: [message(1)] }),
    'inboxes.threads.update': async ({ path, body }) => ({ thread_id: path.thread_id, labels: body.add }),
    'inboxes.threads.delete': async () => undefined,
    'inboxes.threads.getAttachment': async ({ path }) => ({ attachment_id: path.attachment_id, ...link }),
    'threads.list': async () => ({ count: 1, threads: [thread] }),
    'threads.get': async () => ({ ...thread, count: 1, messages: [message(1)] }),
    'threads.update': async ({ path, body }) => ({ thread_id: path.thread_id, labels: body.add }),
    'threads.delete': async ({ path }) => ({ thread_id: path.thread_id, pending: true as const }),
    'threads.getAttachment': async ({ path }) => ({ attachment_id: path.attachment_id, ...link }),
  };
  const recorded = Object.fromEntries(
    Object.entries({ ...useCases, ...overrides }).map(([name, useCase]) => [
      name,
      async (call: never) => (
        calls.push({ name: name as RouteName, call }),
        (useCase as (call: never) => unknown)(call)
      ),
    ]),
  ) as unknown as UseCases<ApiRoute>;
  const directory = {
    lookUp: async (asked: { keyid: string; inbox?: string }) => ({
      ...(asked.keyid === key.keyid && { credential: key.credential }),
      ...((asked.inbox === address || asked.inbox === 'inb_a') && { inbox: ref }),
    }),
  };
  const claim = async ({ key: name }: Once) => (used.has(name) ? 'used' : (used.add(name), 'claimed'));
  const door = httpDoor({
    useCases: recorded,
    authenticate: signedCaller({ origins: [origin], directory }),
    nonces: { claim },
    log: createLog(() => {}),
  });
  return { key, calls, fetch: doorFetch(door) };
}

function page(token: string | undefined) {
  const first = token === undefined ? 1 : Number(token);
  if (Number.isNaN(first)) throw new Problem('validation_error', 'page_token: not one of ours');
  const next = first < 5 ? { next_page_token: String(first + 2) } : {};
  return { count: 2, limit: 2, messages: [message(first), message(first + 1)], ...next };
}

/** The operator's door behind the real edge, IAM taken as checked when a SigV4 header is there. */
export function fakeOperator() {
  const calls: { name: string; call: Pick<Call<'operator.organizations.create'>, 'body' | 'principal'> }[] =
    [];
  const record =
    <Answer>(name: string, answer: Answer) =>
    async (call: any) => (calls.push({ name, call }), answer);
  const door = httpDoor({
    useCases: {
      'operator.organizations.create': record('create', organization),
      'operator.organizations.list': record('list', { count: 1, organizations: [organization] }),
      'operator.organizations.get': record('get', organization),
      'operator.apiKeys.create': record('key', {
        api_key_id: 'key_1',
        keyid: 'k',
        private_jwk: testKey().jwk as { kty: 'OKP'; crv: 'Ed25519'; x: string; d: string },
      }),
      'operator.undeliverable.list': record('undeliverable', { count: 0, undeliverable: [] }),
    },
    authenticate: operatorCaller,
    log: createLog(() => {}),
  });
  const open = doorFetch(door, { userArn: 'arn:aws:iam::000000000000:user/operator' });
  const shut = doorFetch(door);
  const send: typeof fetch = (input, init) =>
    (new Headers(init?.headers).get('authorization')?.startsWith('AWS4-HMAC-SHA256 ') ? open : shut)(
      input,
      init,
    );
  return { calls, fetch: send };
}
