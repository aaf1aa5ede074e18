import type { Scope } from '../contract/principal.ts';
import { resolveScope } from '../contract/scope.ts';
import type { Asked, Directory, Looked } from './directory.ts';
import { scopeOf } from './key-principal.ts';

export interface DirectoryCacheOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** How long an answer serves for reads, in milliseconds. */
  ttl?: number;
  /** The oldest entry leaves when there are more. */
  entries?: number;
}

/**
 * A directory whose answers serve again for at most 5 seconds of reads and never for writes. Only complete
 * answers are kept: a key or an inbox that was just made is seen at once. What lies out of the caller's scope is not
 * kept either: answered faster the second time than what is nowhere, it would be known to be there.
 */
export function cachedDirectory(
  directory: Directory,
  { now, ttl = 5000, entries = 1000 }: DirectoryCacheOptions,
) {
  const kept = new Map<string, { at: number; looked: Looked }>();
  const keep = (name: string, at: number, looked: Looked): void => {
    kept.delete(name);
    kept.set(name, { at, looked });
    if (kept.size > entries) kept.delete(kept.keys().next().value as string);
  };

  return {
    /** `narrowed`: the caller's scope, where it is less than its credential's. */
    async lookUp(asked: Asked, purpose: 'read' | 'write', narrowed?: Scope): Promise<Looked> {
      const { keyid, inbox, pod } = asked;
      const name = JSON.stringify([keyid, inbox, pod, narrowed?.pod_id, narrowed?.inbox?.uid]);
      // The age counts from before the read: what changed while it was under way is older than the answer.
      const at = now();
      const entry = purpose === 'read' ? kept.get(name) : undefined;
      if (entry && at >= entry.at && at - entry.at < ttl) return entry.looked;
      const looked = await directory.lookUp(asked);
      if (isInScope(asked, looked, narrowed)) keep(name, at, looked);
      else kept.delete(name);
      return looked;
    },
  };
}

/** Whether the caller and all that the path names are there, and it may know. */
function isInScope({ inbox, pod }: Asked, looked: Looked, narrowed: Scope | undefined): boolean {
  const { credential } = looked;
  if (credential === undefined) return false;
  const named = {
    ...(inbox !== undefined && { inbox: { found: looked.inbox } }),
    ...(pod !== undefined && { pod: { id: pod, found: looked.pod !== undefined } }),
  };
  return resolveScope(narrowed ?? scopeOf(credential), named) !== undefined;
}
