import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InboxRef, Scope } from '../../lib/contract/principal.ts';
import { contains, covers, levelOf, resolveScope, scopeOfInbox } from '../../lib/contract/scope.ts';

/** A small world: every pod and inbox there is, so that names meet often. */
const organizations = ['o1', 'o2'];
const pods = organizations.flatMap((organization_id) =>
  [organization_id, `${organization_id}-a`, `${organization_id}-b`].map((pod_id) => ({
    organization_id,
    pod_id,
  })),
);
const inboxes: InboxRef[] = pods.flatMap(({ organization_id, pod_id }) =>
  [1, 2].map((n) => ({
    uid: `${pod_id}-i${n}`,
    // One address in every organization's pods: what tells inboxes apart is the uid.
    inbox_id: `agent${n}@example.com`,
    organization_id,
    pod_id,
  })),
);
const scopes: Scope[] = [
  ...organizations.map((organization_id) => ({ organization_id })),
  ...pods,
  ...inboxes.map(scopeOfInbox),
];

const anInbox = fc.constantFrom(...inboxes);
const aPod = fc.constantFrom(...pods);
const aScope = fc.constantFrom(...scopes);

/**
 * The model knows nothing of levels: a scope is the set of all in the world that lies in it, each pod and inbox once,
 * and the organization itself.
 */
function members({ organization_id, pod_id, inbox }: Scope): Set<string> {
  if (inbox !== undefined) return new Set([`inbox ${inbox.uid}`]);
  const inPod = (one: { organization_id: string; pod_id: string }): boolean =>
    one.organization_id === organization_id && (pod_id === undefined || one.pod_id === pod_id);
  return new Set([
    ...(pod_id === undefined ? [`organization ${organization_id}`] : []),
    ...pods.filter(inPod).map((one) => `pod ${one.pod_id}`),
    ...inboxes.filter(inPod).map((one) => `inbox ${one.uid}`),
  ]);
}
const lies = (inner: Scope, outer: Scope): boolean =>
  [...members(inner)].every((one) => members(outer).has(one));
const same = (a: Scope, b: Scope): boolean => lies(a, b) && lies(b, a);

describe('contains', () => {
  it('is what sets say', () => {
    for (const a of scopes) for (const b of scopes) expect(contains(a, b)).toBe(lies(b, a));
  });
  it('is reflexive', () => {
    for (const one of scopes) expect(contains(one, one)).toBe(true);
  });
  it('is antisymmetric', () => {
    for (const a of scopes)
      for (const b of scopes)
        expect(contains(a, b) && contains(b, a)).toBe(JSON.stringify(a) === JSON.stringify(b));
  });
  it('is transitive', () => {
    for (const a of scopes)
      for (const b of scopes.filter((one) => contains(a, one)))
        for (const c of scopes.filter((one) => contains(b, one))) expect(contains(a, c)).toBe(true);
  });
  it('goes by the uid: an address can be another inbox’s tomorrow', () => {
    const [one] = inboxes as [InboxRef];
    const own = scopeOfInbox(one);
    expect(contains(own, scopeOfInbox({ ...one, inbox_id: 'other@example.com' }))).toBe(true);
    expect(contains(own, scopeOfInbox({ ...one, uid: 'recreated' }))).toBe(false);
  });
  it('holds an inbox that knows its pod, whatever its scope repeats of it', () =>
    fc.assert(
      fc.property(aScope, anInbox, (outer, inbox) => {
        const bare = { organization_id: inbox.organization_id, inbox };
        expect(contains(outer, bare)).toBe(lies(scopeOfInbox(inbox), outer));
      }),
      { numRuns: 300 },
    ));
});

describe('covers', () => {
  it('is true of the inboxes that are in the scope', () => {
    for (const scope of scopes)
      for (const inbox of inboxes)
        expect(covers(scope, inbox)).toBe(members(scope).has(`inbox ${inbox.uid}`));
  });
});

describe('levelOf', () => {
  it('names the narrowest part', () => {
    const levels = scopes.map(levelOf);
    const counts = Object.groupBy(levels, (level) => level);
    expect([counts.organization?.length, counts.pod?.length, counts.inbox?.length]).toEqual([2, 6, 12]);
  });
});

describe('resolveScope', () => {
  /** What a directory that looks a pod up in the caller's organization, and an inbox by any name, may have found. */
  const aPath = fc.record(
    {
      pod: fc.record({ id: aPod.map(({ pod_id }) => pod_id), found: fc.boolean() }),
      inbox: fc.record({ found: fc.option(anInbox, { nil: undefined }) }),
    },
    { requiredKeys: [] },
  );
  const podsNamed = (own: Scope, id: string): Scope[] =>
    pods.filter(({ organization_id, pod_id }) => organization_id === own.organization_id && pod_id === id);

  /** Among the scopes there are, those the path can mean; then those of them the caller has. */
  function expected(own: Scope, { pod, inbox }: Parameters<typeof resolveScope>[1]): Scope | undefined {
    if (pod?.found === false || (inbox && inbox.found === undefined)) return undefined;
    const among =
      pod === undefined ? scopes : scopes.filter((one) => podsNamed(own, pod.id).some((p) => lies(one, p)));
    const meant =
      inbox?.found !== undefined
        ? among.filter((one) => one.inbox?.uid === inbox.found!.uid)
        : pod === undefined
          ? [own]
          : among.filter((one) => one.pod_id === pod.id && one.inbox === undefined);
    return meant.find((one) => lies(one, own));
  }

  it('says what the model says', () => {
    const seen = { found: 0, none: 0 };
    fc.assert(
      fc.property(aScope, aPath, (own, path) => {
        // A directory finds no pod of another organization: pods are asked for in the caller's own.
        if (path.pod?.found) path.pod.found = podsNamed(own, path.pod.id).length > 0;
        const resolved = resolveScope(own, path);
        const wanted = expected(own, path);
        seen[resolved === undefined ? 'none' : 'found'] += 1;
        expect(resolved === undefined).toBe(wanted === undefined);
        if (resolved !== undefined) expect(same(resolved, wanted!)).toBe(true);
      }),
      { numRuns: 1000 },
    );
    // The random cases are of both kinds, neither of them by accident.
    expect(Math.min(seen.found, seen.none)).toBeGreaterThan(10);
  });
  it('never leaves the caller’s scope, nor what the path names', () =>
    fc.assert(
      fc.property(aScope, aPath, (own, path) => {
        const resolved = resolveScope(own, path);
        if (resolved === undefined) return;
        expect(lies(resolved, own)).toBe(true);
        if (path.pod) expect(resolved.pod_id).toBe(path.pod.id);
        if (path.inbox) expect(resolved.inbox).toEqual(path.inbox.found);
      }),
      { numRuns: 1000 },
    ));
  it('takes the caller’s own scope where the path names nothing', () => {
    for (const own of scopes) expect(resolveScope(own, {})).toEqual(own);
  });
  it('is nothing where what is named is not there', () =>
    fc.assert(
      fc.property(aScope, anInbox, aPod, (own, inbox, { pod_id: id }) => {
        expect(resolveScope(own, { inbox: { found: undefined } })).toBeUndefined();
        expect(resolveScope(own, { pod: { id, found: false } })).toBeUndefined();
        expect(resolveScope(own, { pod: { id, found: false }, inbox: { found: inbox } })).toBeUndefined();
        expect(resolveScope(own, { pod: { id, found: true }, inbox: { found: undefined } })).toBeUndefined();
      }),
    ));
  it('gives a key of one inbox no pod, not even its own', () => {
    for (const inbox of inboxes)
      expect(resolveScope(scopeOfInbox(inbox), { pod: { id: inbox.pod_id, found: true } })).toBeUndefined();
  });
});
