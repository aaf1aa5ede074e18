import { expect } from 'vitest';
import type { Call, Deed } from '../../lib/contract/call.ts';
import type { Line } from '../../lib/contract/ledger.ts';
import type { Permissions } from '../../lib/contract/permission.ts';
import { Problem } from '../../lib/contract/problem.ts';
import type { Route } from '../../lib/contract/route.ts';
import { routes, type RouteName } from '../../lib/contract/routes.ts';
import type { BearerTokens } from '../../lib/edge/bearer.ts';
import type { Authenticate } from '../../lib/edge/caller.ts';
import type {
  Asked,
  Directory,
  Looked,
  OrganizationFacts,
  StoredCredential,
} from '../../lib/edge/directory.ts';
import { httpDoor, type HttpDoor } from '../../lib/edge/http.ts';
import { keyCaller } from '../../lib/edge/key-caller.ts';
import { createLog } from '../../lib/edge/log.ts';
import { apiEvent, lambdaContext, type Sent } from './api-event.ts';

export const now = Date.parse('2026-01-31T12:00:00Z');
export const origin = 'https://mail.example.com';
export const names = Object.keys(routes) as RouteName[];
export const routeOf = (name: RouteName): Route => routes[name];

/** Where a call acts or a key belongs, by ids. */
export interface Place {
  organization: string;
  pod?: string;
  inbox?: string;
}

/** What every path below names. */
export const target = { organization: 'org_1', pod: 'pod_a', inbox: 'inb_a' } as const;
const ids: Record<string, string> = {
  organization_id: target.organization,
  pod_id: target.pod,
  inbox_id: target.inbox,
};
const inboxes = [
  target,
  { ...target, inbox: 'inb_c' },
  { ...target, pod: 'pod_b', inbox: 'inb_b' },
  { organization: 'org_2', pod: 'pod_x', inbox: 'inb_x' },
].map(({ organization, pod, inbox }) => ({
  uid: inbox,
  inbox_id: `${inbox}@mail.example.com`,
  organization_id: organization,
  pod_id: pod,
}));
export const inboxNamed = (uid: string) => inboxes.find((one) => one.uid === uid)!;

const bodies = [
  {},
  { name: 'A' },
  { display_name: 'A' },
  { type: 'generate' },
  { all: true },
  { sending: 'on' },
  { message_ids: ['msg_1'] },
  { add_labels: ['a'] },
  { message_ids: ['msg_1'], add_labels: ['a'] },
  { url: 'https://hooks.example.com/', event_types: ['message.received'] },
  { headers: { 'x-token': 'secret' } },
  { inboxes: [{}] },
  { inbox_ids: ['inb_a'] },
];

/** A request that has everything the route asks for, unsigned. */
export function requestOf(name: RouteName): Sent & { method: string } {
  const { method, path, body: schema, bodyOptional } = routeOf(name);
  const url = origin + path.replace(/\{(\w+)\}/g, (_, parameter: string) => ids[parameter] ?? 'msg_1');
  if (schema === undefined || bodyOptional) return { method, url };
  const body = bodies.find((one) => schema.safeParse(one).success);
  if (body === undefined) expect.fail(`none of the bodies here is one ${name} takes: add one that is`);
  return { method, url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** What is kept of credentials, organizations and tokens while a call comes. */
export interface World {
  credentials?: StoredCredential[];
  organization?: OrganizationFacts | undefined;
  tokens?: BearerTokens;
}

const directoryOf = ({ credentials = [], organization }: World): Directory => ({
  lookUp: async ({ keyid, inbox, pod }: Asked): Promise<Looked> => {
    const credential = credentials.find((one) => one.keyid === keyid);
    const found = inboxes.find((one) => one.uid === inbox || one.inbox_id === inbox);
    // A pod is looked up in the key's organization.
    const there = inboxes.find(
      (one) => one.pod_id === pod && one.organization_id === credential?.organization_id,
    );
    return {
      ...(credential && { credential, ...(organization && { organization }) }),
      ...(found && { inbox: found }),
      ...(there && { pod: { pod_id: there.pod_id } }),
    };
  },
  touch: async () => {},
});

export const keyDoor = (world: World): Scene =>
  scene(
    keyCaller({
      origins: [origin],
      directory: directoryOf({ organization: { state: 'active' }, ...world }),
      ...(world.tokens && { tokens: world.tokens }),
      now: () => now,
    }),
  );

export type Scene = ReturnType<typeof scene>;

/** A door before every route there is, whose use cases note that they were called and refuse with `conflict`. */
export function scene(authenticate: Authenticate) {
  const called: { name: RouteName; call: Call<'threads.list'> }[] = [];
  const spent = new Set<string>();
  const lines: Line[] = [];
  const state = { changes: false };
  const settle = async ({ once, line }: Deed): Promise<void> => {
    if (once !== undefined && spent.has(once.key)) throw new Problem('nonce_used', 'used before');
    if (once !== undefined) spent.add(once.key);
    if (line !== undefined) lines.push(structuredClone(line));
  };
  const useCase = (name: RouteName) => async (call: Call<'threads.list'>) => {
    called.push({ name, call });
    // As a change does: the deed in its own transaction.
    if (state.changes) {
      await settle(call.deed);
      call.deed.written = true;
    }
    throw new Problem('conflict', 'reached');
  };
  const door = httpDoor({
    useCases: Object.fromEntries(names.map((name) => [name, useCase(name)])) as never,
    authenticate,
    deeds: { settle, commit: async () => ({}) },
    ulid: () => '01kg9r7z8j0000000000000000',
    log: createLog(() => {}),
    now: () => now,
  } satisfies HttpDoor<RouteName>);

  return {
    /** From here on every call is a change that is made. */
    changing: () => void (state.changes = true),
    /** The cell of a call: answer, what was carried out where, and what was left. */
    async cell(sent: Sent): Promise<string> {
      for (const list of [called, lines]) list.length = 0;
      const nonces = spent.size;
      const answer = await door(apiEvent(sent), lambdaContext);
      const { code } = JSON.parse(answer.body!) as { code: string };
      const ran = called.map(({ name, call }) => `${name} in ${placed(placeOf(call.scope))}`);
      return cellOf({
        status: answer.statusCode,
        code,
        ran: ran.join(' and '),
        line: lines.map(lineText).join(' and '),
        nonces: spent.size - nonces,
      });
    },
  };
}

const placeOf = (scope: Call<'threads.list'>['scope'] | undefined): Place | undefined =>
  scope && {
    organization: scope.organization_id,
    ...(scope.pod_id !== undefined && { pod: scope.pod_id }),
    ...(scope.inbox && { inbox: scope.inbox.uid }),
  };

export const placed = (place: Place | undefined): string =>
  place === undefined ? 'no scope' : [place.organization, place.pod, place.inbox].filter(Boolean).join('/');

const lineText = (line: Line): string => {
  const { organization_id: organization, pod_id: pod, inbox_uid: inbox, principal } = line;
  const place = { organization, ...(pod && { pod }), ...(inbox && { inbox }) };
  const { kind, api_key_id, token_id } = principal;
  const who = [kind, api_key_id, token_id].filter(Boolean).join(':');
  return `${line.outcome}(${line.code ?? ''}) ${line.action} by ${who} in ${placed(place)}`;
};

export interface Cell {
  status: number;
  code: string;
  /** What was carried out, empty for nothing. */
  ran: string;
  line: string;
  nonces: number;
}
export const cellOf = ({ status, code, ran, line, nonces }: Cell): string =>
  `${status} ${code}; ran ${ran || 'nothing'}; ${line || 'no line'}; ${nonces} nonces`;

/** The stored credential of a key that belongs to a place. */
export const credentialAt = (
  base: StoredCredential,
  { organization, pod, inbox }: Place,
  permissions?: Permissions,
): StoredCredential => {
  const found = inbox === undefined ? undefined : inboxNamed(inbox);
  return {
    ...base,
    organization_id: organization,
    ...(pod !== undefined && { pod_id: pod }),
    ...(found && { inbox: { uid: found.uid, inbox_id: found.inbox_id } }),
    ...(permissions && { permissions }),
  };
};
