import type { InboxRef, Scope } from './principal.ts';

export type Level = 'organization' | 'pod' | 'inbox';

export const levelOf = ({ pod_id, inbox }: Scope): Level =>
  inbox !== undefined ? 'inbox' : pod_id !== undefined ? 'pod' : 'organization';

/** Whether all of `inner` lies in `outer`. */
export function contains(outer: Scope, inner: Scope): boolean {
  if (outer.organization_id !== inner.organization_id) return false;
  if (outer.inbox !== undefined) return outer.inbox.uid === inner.inbox?.uid;
  return outer.pod_id === undefined || outer.pod_id === (inner.inbox?.pod_id ?? inner.pod_id);
}

/** Whether an inbox lies in the scope. What does not is 404, never 403. */
export const covers = (scope: Scope, inbox: InboxRef): boolean => contains(scope, scopeOfInbox(inbox));

export const scopeOfInbox = (inbox: InboxRef): Scope => ({
  organization_id: inbox.organization_id,
  pod_id: inbox.pod_id,
  inbox,
});

/** What a path names, and what was found under the names; a name without a find is not there. */
export interface Named {
  pod?: { id: string; found: boolean };
  inbox?: { found: InboxRef | undefined };
}

/**
 * The scope a call acts in: what its path names, or, where the path names nothing, the caller's own. `undefined`:
 * what is named is not there, or lies outside the caller's scope, which is the same to the caller.
 */
export function resolveScope(own: Scope, { pod, inbox }: Named): Scope | undefined {
  if (pod?.found === false) return undefined;
  const { organization_id } = own;
  if (inbox !== undefined) {
    const { found } = inbox;
    if (found === undefined || !covers(own, found)) return undefined;
    return pod === undefined || pod.id === found.pod_id ? scopeOfInbox(found) : undefined;
  }
  if (pod === undefined) return own;
  const named = { organization_id, pod_id: pod.id };
  return contains(own, named) ? named : undefined;
}
