import type { Asked, Directory, Looked } from './directory.ts';

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
 * answers are kept: a key or an inbox that was just made is seen at once.
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
    async lookUp(asked: Asked, purpose: 'read' | 'write'): Promise<Looked> {
      const name = JSON.stringify([asked.keyid, asked.inbox, asked.pod]);
      // The age counts from before the read: what changed while it was under way is older than the answer.
      const at = now();
      const entry = purpose === 'read' ? kept.get(name) : undefined;
      if (entry && at >= entry.at && at - entry.at < ttl) return entry.looked;
      const looked = await directory.lookUp(asked);
      const complete =
        looked.credential !== undefined &&
        (asked.inbox === undefined || looked.inbox !== undefined) &&
        (asked.pod === undefined || looked.pod !== undefined);
      if (complete) keep(name, at, looked);
      else kept.delete(name);
      return looked;
    },
  };
}
