import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createApiKey as createSchema } from '../../lib/contract/api-key.ts';
import { permissionNames, type Permission, type Permissions } from '../../lib/contract/permission.ts';
import type { InboxRef, KeyPrincipal, Scope } from '../../lib/contract/principal.ts';
import { Problem } from '../../lib/contract/problem.ts';
import { resolveScope, scopeOfInbox } from '../../lib/contract/scope.ts';
import { createApiKey } from '../../lib/core/api-keys.ts';
import { boundsOf, checkHolds, checkMayGive, scopeOfKey } from '../../lib/core/key-bounds.ts';
import type { Credential } from '../../lib/core/ports.ts';
import { provisionInbox } from '../../lib/core/provision-inbox.ts';
import { deedOf, MemoryKeys } from '../support/memory-keys.ts';
import { mailDomain } from '../support/mail-samples.ts';
import { counting, keys, MemoryInboxes } from '../support/memory-ports.ts';

const now = Date.parse('2026-01-01T00:00:00.000Z');
const lastDay = 5;
const day = (n: number): string => new Date(now + n * 86_400_000).toISOString();

/** All inboxes there are; one organization's default pod has its id. */
const inboxes: InboxRef[] = [
  ['inb_a', 'org_1', 'pod_1'],
  ['inb_b', 'org_1', 'pod_1'],
  ['inb_c', 'org_1', 'pod_2'],
  ['inb_d', 'org_1', 'org_1'],
  ['inb_x', 'org_2', 'pod_x'],
].map(([uid, organization_id, pod_id]) => ({
  ...{ uid: uid!, organization_id: organization_id!, pod_id: pod_id! },
  inbox_id: `${uid}@${mailDomain}`,
}));
const pods = ['pod_1', 'pod_2', 'org_1', 'pod_x'];
const scopes: Scope[] = [
  { organization_id: 'org_1' },
  ...['pod_1', 'pod_2', 'org_1'].map((pod_id) => ({ organization_id: 'org_1', pod_id })),
  ...inboxes.filter(({ organization_id }) => organization_id === 'org_1').map(scopeOfInbox),
];

/*
 * The model knows no rules, only sets. A right is a place, a deed and a day: `inb_a may message_read on 3`. Among the
 * deeds is one that no permission names yet, which only a key without any list may do; among the days, the last is
 * the one that never ends.
 */
const deeds = [...permissionNames, 'whatever is invented later'] as const;
type Listed = Permissions | undefined;

const placesOf = ({ organization_id, pod_id, inbox }: Scope): string[] => {
  if (inbox !== undefined) return [inbox.uid];
  const own = inboxes.filter((one) => one.organization_id === organization_id);
  if (pod_id !== undefined)
    return [pod_id, ...own.filter((one) => one.pod_id === pod_id).map(({ uid }) => uid)];
  return ['the organization', ...own.flatMap(({ uid, pod_id }) => [uid, pod_id]), 'a pod made later'];
};
const deedsOf = (listed: Listed, token = false): readonly string[] => {
  if (listed !== undefined) return deeds.filter((one) => listed[one as Permission] === true);
  return token ? permissionNames : deeds;
};
const daysOf = (expires_at: string | undefined): number[] =>
  Array.from({ length: lastDay + 1 }, (_, n) => n + 1).filter(
    (n) => expires_at === undefined || Date.parse(day(n)) <= Date.parse(expires_at),
  );
interface Holder {
  scope: Scope;
  permissions?: Listed;
  expires_at?: string | undefined;
  token_id?: string | undefined;
}
const rightsOf = ({ scope, permissions, expires_at, token_id }: Holder): Set<string> =>
  new Set(
    placesOf(scope).flatMap((place) =>
      deedsOf(permissions, token_id !== undefined).flatMap((deed) =>
        daysOf(expires_at).map((n) => `${place} may ${deed} on ${n}`),
      ),
    ),
  );
const nowhere: Scope = { organization_id: 'org_2', inbox: inboxes[4]! };
const rights = (one: Omit<Holder, 'scope'>) => rightsOf({ ...one, scope: nowhere });
/** What is in the first set and not in the second. */
const beyond = <T>(some: Iterable<T>, all: Iterable<T>): T[] => {
  const known = new Set(all);
  return [...some].filter((one) => !known.has(one));
};
const isSubset = <T>(some: Iterable<T>, all: Iterable<T>): boolean => beyond(some, all).length === 0;
const holderOf = (key: Credential): Holder => ({ ...key, scope: scopeOfKey(key) });

const few: Permission[] = ['inbox_read', 'inbox_create', 'message_read', 'api_key_create', 'audit_read'];
const aList = fc.option(fc.dictionary(fc.constantFrom(...few), fc.boolean(), { maxKeys: 5 }), {
  nil: undefined,
  freq: 4,
}) as fc.Arbitrary<Listed>;
const anEnd = fc.option(fc.integer({ min: 1, max: lastDay }).map(day), { nil: undefined });
const aHolder = fc.record({ permissions: aList, expires_at: anEnd, token: fc.boolean() });
type DrawnHolder = typeof aHolder extends fc.Arbitrary<infer T> ? T : never;

const principalOf = (
  { permissions, expires_at, token }: DrawnHolder,
  scope: Scope = { organization_id: 'org_1' },
): KeyPrincipal => ({
  ...{ kind: 'key', scope, api_key_id: 'key_parent', keyid: 'k_parent' },
  ...(permissions && { permissions }),
  ...(expires_at !== undefined && { expires_at }),
  ...(token && { token_id: 'tok_1' }),
});
const keyOf = (permissions: Listed, expires_at: string | undefined): Credential => ({
  ...{ type: 'bearer', prefix: 'ph_x', api_key_id: 'key_1', keyid: 'k_1', organization_id: 'org_1' },
  ...{ name: 'key', state: 'active', created_at: day(0), updated_at: day(0) },
  ...(permissions && { permissions }),
  ...(expires_at !== undefined && { expires_at }),
});

/** The code of the refusal, or `undefined` with what was answered. */
function outcome<T>(act: () => T): { code?: string; answer?: T } {
  try {
    return { answer: act() };
  } catch (error) {
    if (error instanceof Problem) return { code: error.code };
    throw error;
  }
}

describe('what a parent may hand on, as sets say', () => {
  it('boundsOf gives what is asked where it is a subset of the parent’s, and nothing else', () => {
    const anAskedEnd = fc.option(fc.integer({ min: -1, max: lastDay }).map(day), { nil: undefined });
    fc.assert(
      fc.property(aHolder, aList, anAskedEnd, (drawn, permissions, expires_at) => {
        const parent = principalOf(drawn);
        const held = rights(parent);
        const { code, answer } = outcome(() => boundsOf(parent, { permissions, expires_at }, now));
        // What is not asked is the parent's.
        const wanted = rights({
          permissions: permissions ?? parent.permissions,
          expires_at: expires_at ?? parent.expires_at,
          ...(permissions === undefined && { token_id: parent.token_id }),
        });
        const isOver = expires_at !== undefined && Date.parse(expires_at) <= now;
        const listed = rights({ permissions, expires_at: parent.expires_at });
        const greedy = permissions !== undefined && !isSubset(listed, held);
        const longer =
          expires_at !== undefined &&
          parent.expires_at !== undefined &&
          !isSubset(daysOf(expires_at), daysOf(parent.expires_at));
        const why = greedy || longer ? 'permission_escalation' : isOver ? 'validation_error' : undefined;
        expect(code).toBe(why);
        if (why !== undefined) return;
        expect(rights(answer!)).toEqual(wanted);
        expect(isSubset(wanted, held)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('boundsOf lets the operator give anything', () => {
    fc.assert(
      fc.property(aList, anEnd, (permissions, expires_at) => {
        expect(rights(boundsOf(undefined, { permissions, expires_at }, now))).toEqual(
          rights({ permissions, expires_at }),
        );
      }),
    );
  });

  it('checkHolds lets a key be handled by who may all it may', () => {
    fc.assert(
      fc.property(aHolder, aList, (drawn, permissions) => {
        const parent = principalOf({ ...drawn, expires_at: undefined });
        const fits = isSubset(rights({ permissions }), rights(parent));
        const { code } = outcome(() => checkHolds(parent, keyOf(permissions, undefined)));
        expect(code).toBe(fits ? undefined : 'permission_escalation');
      }),
      { numRuns: 500 },
    );
  });

  it('checkMayGive lets a key gain no right, on any day, that neither it had nor the parent has', () => {
    fc.assert(
      fc.property(aHolder, aList, anEnd, aList, (drawn, before, expires_at, given = {}) => {
        const parent = principalOf(drawn);
        const key = keyOf(before, expires_at);
        const after = rights({ permissions: given, expires_at });
        const known = rights({ ...parent, expires_at: undefined });
        const fits =
          isSubset(after, [...rights(parent), ...rights({ permissions: before, expires_at })]) &&
          // Not even what it had may be given again by who has it not.
          isSubset(rights({ permissions: given }), known);
        const { code } = outcome(() => checkMayGive(parent, key, given));
        expect(code).toBe(fits ? undefined : 'permission_escalation');
      }),
      { numRuns: 500 },
    );
  });
});

describe('a key that a key makes, whichever way', () => {
  const aScope = fc.constantFrom(...scopes);
  const aPath = fc.record({
    pod: fc.option(fc.constantFrom(...pods), { nil: undefined }),
    inbox: fc.option(fc.constantFrom(...inboxes), { nil: undefined }),
  });
  /** As the edge does: a pod is looked up in the caller's organization, an inbox in all of them. */
  const resolved = (own: Scope, { pod, inbox }: { pod?: string | undefined; inbox?: InboxRef | undefined }) =>
    resolveScope(own, {
      ...(pod !== undefined && { pod: { id: pod, found: pod !== 'pod_x' } }),
      ...(inbox !== undefined && { inbox: { found: inbox } }),
    });

  it('has no right, anywhere and ever, that its maker has not', async () => {
    let [made, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        ...([aHolder, aScope, aPath, aList, anEnd] as const),
        async (drawn, own, path, permissions, expires_at) => {
          const parent = principalOf(drawn, own);
          const scope = resolved(own, path);
          if (scope === undefined) return;
          const apiKeys = new MemoryKeys();
          const create = createApiKey({ apiKeys, keys, now: () => now, ulid: counting() });
          const body = createSchema.parse({ type: 'bearer', permissions, expires_at });
          const code = await create({ principal: parent, scope, body, deed: deedOf() }).then(
            () => undefined,
            (error: Problem) => error.code,
          );
          if (code === undefined) made++;
          else refused++;
          for (const key of apiKeys.rows.values())
            expect(beyond(rightsOf(holderOf(key)), rightsOf(parent))).toEqual([]);
          if (code !== undefined) {
            expect(code).toBe('permission_escalation');
            expect(apiKeys.rows.size).toBe(0);
          }
        },
      ),
      { numRuns: 1000 },
    );
    // Both happened often enough to say something.
    expect(Math.min(made, refused)).toBeGreaterThan(50);
  });

  it('has none either where it comes with an inbox, and is the inbox’s alone', async () => {
    const level = fc.constantFrom(...scopes.filter(({ inbox }) => inbox === undefined));
    await fc.assert(
      fc.asyncProperty(aHolder, level, async (drawn, own) => {
        const permissions = drawn.permissions && { ...drawn.permissions, api_key_create: true };
        const parent = principalOf({ ...drawn, permissions }, own);
        const store = new MemoryInboxes();
        await provisionInbox({
          ...{ inboxes: store, keys, checkDns: async () => [], now: () => now, ulid: counting() },
          ...{
            randomUsername: () => 'ada',
            randomSecret: () => '',
            mailDomain,
            allowLoopbackWebhooks: false,
            expiryNoticeMinutes: 60,
          },
        })({
          ...{ principal: parent, scope: own, path: {}, query: undefined, deed: deedOf() },
          body: { credential: { type: 'generate' } },
        });
        const { credential, inbox } = store.provisions[0]!;
        const key = holderOf(credential!);
        expect(placesOf(key.scope)).toEqual([inbox.uid]);
        expect(own.pod_id === undefined || own.pod_id === inbox.pod_id).toBe(true);
        // The inbox is new: its place counts as one of the maker's.
        expect(beyond(rights(key), rights(parent))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
