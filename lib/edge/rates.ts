import { Problem } from '../contract/problem.ts';

/** Requests a minute. */
export interface RateLimits {
  organization: number;
  key: number;
}

/** What a caller may still do in this minute, by the tighter of its two limits. */
export interface RateStanding {
  limit: number;
  remaining: number;
  /** Seconds to the end of the minute. */
  reset: number;
}

/** Port: the counters all instances share, one a bucket and minute (`2026-01-31T12:00`). */
export interface RateBuckets {
  /**
   * Takes up to `slice` requests out of what `limit` leaves, in one step that no two callers share. `granted` is
   * less where less was left, 0 where nothing was; `used` is the bucket's count after it.
   */
  take(
    bucket: { organization_id: string; bucket: string; minute: string },
    slice: number,
    limit: number,
  ): Promise<{ granted: number; used: number }>;
}

export interface Rates {
  /** Counts one request of the key and of its organization. Throws `rate_limit_exceeded` when either has none left. */
  spend(who: { organization_id: string; api_key_id: string }, limits: RateLimits): Promise<RateStanding>;
}

export interface RatesOptions {
  buckets: RateBuckets;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** How many buckets an instance remembers; the oldest is forgotten first, with what it had leased. */
  remembered?: number;
}

/** One bucket as this instance knows it. */
interface Lease {
  at: { organization_id: string; bucket: string; minute: string };
  limit: number;
  resource: string;
  /** Leased and not spent. */
  left: number;
  /** The count of all instances when this one last asked. */
  used: number;
  underWay?: Promise<void>;
}

const minute = 60_000;
const largestSlice = 100;

/** A twentieth of the limit, so that what idle instances hold is little; one table call serves this many requests. */
const sliceOf = (limit: number): number => Math.max(1, Math.min(largestSlice, Math.floor(limit / 20)));
const exhausted = ({ left, used, limit }: Lease): boolean => left === 0 && used >= limit;
const remaining = ({ left, used, limit }: Lease): number => left + Math.max(0, limit - used);

/**
 * Buckets leased in slices: a slice is taken from the table before any of it is used, so that the limit holds over
 * all instances, and whoever found a bucket empty asks no more until the minute is over.
 */
export function leasedRates({ buckets, now, remembered = 10_000 }: RatesOptions): Rates {
  const recall = leaseMemory(remembered);

  const renew = (lease: Lease): Promise<void> =>
    (lease.underWay ??= buckets
      .take(lease.at, sliceOf(lease.limit), lease.limit)
      .then(({ granted, used }) => {
        lease.left += granted;
        lease.used = granted === 0 ? Math.max(used, lease.limit) : used;
      })
      .finally(() => delete lease.underWay));

  return {
    async spend({ organization_id, api_key_id }, limits) {
      const started = now();
      const at = { organization_id, minute: new Date(started).toISOString().slice(0, 16) };
      const reset = Math.ceil((minute - (started % minute)) / 1000);
      const both = [
        recall({ ...at, bucket: 'all' }, limits.organization, 'organization requests'),
        recall({ ...at, bucket: api_key_id }, limits.key, 'key requests'),
      ];
      for (;;) {
        const empty = both.find(exhausted);
        if (empty !== undefined) throw exceeded(empty, reset);
        const dry = both.filter(({ left }) => left === 0);
        if (dry.length === 0) break;
        const renewals = dry.map(renew);
        // Nothing may be on its way when the function has answered.
        await Promise.allSettled(renewals);
        await Promise.all(renewals);
      }
      for (const lease of both) lease.left--;
      const [tighter] = both.toSorted((a, b) => remaining(a) - remaining(b));
      return { limit: tighter!.limit, remaining: remaining(tighter!), reset };
    },
  };
}

/** The leases of the current minute; with the minute they all go, and a bucket whose limit changed begins anew. */
function leaseMemory(most: number) {
  const leases = new Map<string, Lease>();
  let current = '';
  return (at: Lease['at'], limit: number, resource: string): Lease => {
    if (at.minute !== current) leases.clear();
    current = at.minute;
    const name = `${at.organization_id} ${at.bucket}`;
    const known = leases.get(name);
    if (known?.limit === limit) return known;
    const lease: Lease = { at, limit, resource, left: 0, used: 0 };
    leases.delete(name);
    leases.set(name, lease);
    if (leases.size > most) leases.delete(leases.keys().next().value as string);
    return lease;
  };
}

const exceeded = ({ limit, resource }: Lease, reset: number): Problem =>
  new Problem('rate_limit_exceeded', `more than ${limit} ${resource} in this minute`, {
    fix: `Wait ${reset} seconds, then go on more slowly.`,
    retry_after: reset,
    limit,
    window: 'minute',
    resource,
  });
