import type { ApiRoute, Call, Deed, OperatorRoute, UseCases } from '../../lib/contract/call.ts';
import { Problem, notFound } from '../../lib/contract/problem.ts';
import { named, routes, type RouteName } from '../../lib/contract/routes.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { createLog } from '../../lib/edge/log.ts';
import { operatorCaller } from '../../lib/edge/operator-caller.ts';
import { keyCaller } from '../../lib/edge/key-caller.ts';
import { doorFetch } from '../edge/api-event.ts';
import { publicJwkOf } from '../../lib/sdk/key.ts';
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
export const message = (n: number) => ({
  ...item,
  message_id: `msg_${n}`,
  subject: `No. ${n}`,
  text: 'Hello',
});
const thread = { ...item, senders: [], recipients: [], last_message_id: 'msg_1', message_count: 1 };
const link = { size: 3, download_url: 'https://bucket/raw', expires_at: time };
const organization = {
  organization_id: 'org_1',
  verified: true,
  state: 'active' as const,
  access: 'sandbox' as const,
  bearer_keys: false,
  inbox_count: 1,
  domain_count: 0,
  updated_at: time,
  created_at: time,
};

const pod = { organization_id: 'org_1', pod_id: 'pod_1', name: 'One', updated_at: time, created_at: time };
const apiKey = {
  type: 'bearer' as const,
  api_key_id: 'key_1',
  name: 'One',
  organization_id: 'org_1',
  prefix: 'ph_abcdefgh',
  created_at: time,
  updated_at: time,
};

const webhook = {
  webhook_id: 'wh_1',
  organization_id: 'org_1',
  url: 'https://hooks.example.com/',
  event_types: ['message.received' as const],
  secret: 'whsec_c2VjcmV0',
  enabled: true,
  created_at: time,
  updated_at: time,
};
const delivery = {
  delivery_id: 'evt_1',
  webhook_id: 'wh_1',
  event_id: 'evt_1',
  event_type: 'message.received' as const,
  state: 'delivered' as const,
  attempt_count: 1,
  attempts: [{ attempted_at: time, status: 200, duration_ms: 12 }],
  created_at: time,
};

const archive = {
  archive_id: 'arc_1',
  organization_id: 'org_1',
  pod_id: 'org_1',
  inbox_id: address,
  state: 'ready' as const,
  ...{ messages: 2, quarantined: 0, missing: 0, size: 3 },
  ...{ expires_at: time, updated_at: time, created_at: time },
};

export const inboxEvent = {
  event_id: 'evt_1',
  event_type: 'message.received' as const,
  organization_id: 'org_1',
  pod_id: 'pod_1',
  inbox_id: address,
  inbox_uid: 'inb_a',
  timestamp: time,
  event_at: time,
  created_at: time,
  position: 1,
  message_id: 'msg_1',
  from: 'bob@sender.test',
  subject: 'Hi',
};

/** The whole API behind the real edge, answering from constants: what a face of it can be tried against. */
export function fakeMailroom(overrides: Partial<UseCases<RouteName>> = {}) {
  const key = testKey();
  const calls: { name: RouteName; call: any }[] = [];
  const threads = {
    list: async () => ({ count: 1, threads: [thread] }),
    get: async () => ({ ...thread, count: 1, messages: [message(1)] }),
    update: async ({ path, body }: { path: { thread_id: string }; body: { add: string[] } }) => ({
      thread_id: path.thread_id,
      labels: body.add,
    }),
    delete: async ({ path }: { path: { thread_id: string } }) => ({
      thread_id: path.thread_id,
      pending: true as const,
    }),
    getAttachment: async ({ path }: { path: { attachment_id: string } }) => ({
      attachment_id: path.attachment_id,
      ...link,
    }),
  };
  const inboxes = {
    create: async ({ body }: Pick<Call<'inboxes.create'>, 'body'>) => ({
      ...inbox,
      ...(body?.client_id != null && { client_id: body.client_id }),
    }),
    list: async () => ({ count: 1, inboxes: [inbox] }),
    get: async () => inbox,
    update: async ({ body }: Pick<Call<'inboxes.update'>, 'body'>) => ({
      ...inbox,
      ...(body.display_name != null && { display_name: body.display_name }),
    }),
    delete: async ({ query }: Pick<Call<'inboxes.delete'>, 'query'>) =>
      query.messages === undefined ? undefined : { archive_id: 'arc_1', pending: true as const },
    batchCreate: async ({ body }: Pick<Call<'inboxes.batchCreate'>, 'body'>) => ({
      results: body.inboxes.map((_, index) => ({ index, inbox })),
    }),
    batchDelete: async ({ body }: Pick<Call<'inboxes.batchDelete'>, 'body'>) => ({
      results: body.inbox_ids.map((inbox_id, index) => ({ index, inbox_id, deleted: true })),
    }),
  };
  const apiKeys = {
    create: async () => apiKey,
    list: async () => ({ count: 1, api_keys: [apiKey] }),
    get: async () => apiKey,
    update: async () => apiKey,
    delete: async () => {},
  };
  const webhooks = {
    create: async () => webhook,
    list: async () => ({ count: 1, webhooks: [webhook] }),
    get: async () => webhook,
    update: async () => webhook,
    delete: async () => {},
    getHeaders: async () => ({ header_names: ['x-token'] }),
    updateHeaders: async () => {},
    rotateSecret: async () => webhook,
    listDeliveries: async () => ({ count: 1, deliveries: [delivery] }),
    redeliver: async ({ path }: { path: { delivery_id: string } }) => ({
      delivery_id: path.delivery_id,
      pending: true as const,
    }),
  };
  const archives = {
    list: async () => ({ count: 1, archives: [archive] }),
    get: async () => ({ ...archive, download_url: link.download_url, download_url_expires_at: time }),
    delete: async () => {},
  };
  const audit = { list: async () => ({ count: 0, lines: [] }) };
  const useCases: UseCases<ApiRoute> = {
    'auth.me': async ({ principal, scope: { organization_id } }) => ({
      scope_type: 'organization',
      scope_id: organization_id,
      organization_id,
      api_key_id: principal.api_key_id,
    }),
    'auth.token': async () => ({ token_id: 'tok_1', token: 'pht_1', expires_at: time }),
    'organizations.get': async () => organization,
    'organizations.update': async () => organization,
    ...named('pods', {
      create: async () => pod,
      list: async () => ({ count: 1, pods: [pod] }),
      get: async () => pod,
      delete: async () => {},
    }),
    ...named('inboxes', inboxes),
    ...named('pods.inboxes', inboxes),
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
    'inboxes.events.list': async () => ({ count: 1, events: [inboxEvent] }),
    ...named('archives', archives),
    ...named('pods.archives', archives),
    ...named('threads', threads),
    ...named('pods.threads', threads),
    ...named('inboxes.threads', { ...threads, delete: async () => undefined }),
    ...named('apiKeys', apiKeys),
    ...named('pods.apiKeys', apiKeys),
    ...named('inboxes.apiKeys', apiKeys),
    ...named('webhooks', webhooks),
    ...named('pods.webhooks', webhooks),
    ...named('inboxes.webhooks', webhooks),
    ...named('audit', audit),
    ...named('pods.audit', audit),
    ...named('inboxes.audit', audit),
    'audit.seals': async () => ({ count: 0, seals: [] }),
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
    lookUp: async (asked: { keyid: string; inbox?: string; pod?: string }) => ({
      ...(asked.keyid === key.keyid && { credential: key.credential, organization }),
      ...((asked.pod === pod.pod_id || asked.pod === ref.pod_id) && { pod: { pod_id: asked.pod } }),
      ...((asked.inbox === address || asked.inbox === 'inb_a') && { inbox: ref }),
    }),
    touch: async () => {},
  };
  const door = httpDoor({
    useCases: recorded,
    authenticate: keyCaller({ origins: [origin], directory }),
    deeds: fakeDeeds(),
    ulid,
    log: createLog(() => {}),
  });
  return { key, calls, fetch: doorFetch(door) };
}

/** Spends each nonce once, and writes nothing down. */
function fakeDeeds() {
  const used = new Set<string>();
  return {
    async settle({ once }: Deed) {
      if (once !== undefined && used.has(once.key)) throw new Problem('nonce_used', 'used before');
      if (once !== undefined) used.add(once.key);
    },
    commit: async () => ({}),
  };
}

const ulid = () => '01k0000000000000000000000a';

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
  const answers: { [Name in OperatorRoute]?: unknown } = {
    'operator.organizations.list': { count: 1, organizations: [organization] },
    'operator.apiKeys.create': {
      ...apiKey,
      type: 'public_key',
      public_key: { jwk: publicJwkOf(testKey().jwk), fingerprint: 'k' },
      permissions: {},
      keyid: 'k',
      private_jwk: testKey().jwk,
    },
    'operator.apiKeys.list': { count: 1, api_keys: [apiKey] },
    'operator.apiKeys.delete': undefined,
    'operator.settings.get': { sending: 'on' },
    'operator.settings.update': { sending: 'paused' },
    'operator.audit.list': { count: 0, lines: [] },
    'operator.audit.seals': { count: 0, seals: [] },
    'operator.audit.erase': { erased: 0 },
    'operator.undeliverable.list': { count: 0, undeliverable: [] },
  };
  const names = (Object.keys(routes) as RouteName[]).filter((name) => name.startsWith('operator.'));
  const door = httpDoor({
    useCases: Object.fromEntries(
      names.map((name) => [
        name,
        record(name, name in answers ? answers[name as OperatorRoute] : organization),
      ]),
    ) as unknown as UseCases<OperatorRoute>,
    deeds: fakeDeeds(),
    ulid,
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
