/** Pauses before the second try, the third and so on, in milliseconds: nine tries in about a day. */
export const pauses = [5, 60, 5 * 60, 30 * 60, 2 * 3600, 4 * 3600, 8 * 3600, 9 * 3600].map((s) => s * 1000);
/** What a pause grows by at most, so that those who failed together do not come back together. */
const jitter = 0.1;
const day = 24 * 3600 * 1000;

export interface FailedTry {
  /** Milliseconds since the epoch. */
  at: number;
  /** Tries so far, this one included. */
  attempt: number;
  /** The answer's Retry-After. */
  retryAfter?: string | undefined;
}

/**
 * When to try again (milliseconds since the epoch); `undefined`: no more. Retry-After makes a pause longer, never
 * shorter. `random` gives 0 to 1.
 */
export function nextTry({ at, attempt, retryAfter }: FailedTry, random: () => number): number | undefined {
  const pause = pauses[attempt - 1];
  if (pause === undefined) return undefined;
  const asked = retryAfter === undefined ? 0 : askedPause(retryAfter, at);
  return at + Math.ceil(Math.max(pause * (1 + jitter * random()), asked));
}

/** RFC 9110 §10.2.3: seconds or a date; at most a day, and 0 for what is neither. */
export function askedPause(retryAfter: string, now: number): number {
  const value = retryAfter.trim();
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, day);
  // Only the form HTTP has; Date.parse reads much else as a date.
  const time = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value)
    ? Date.parse(value)
    : Number.NaN;
  return Number.isNaN(time) ? 0 : Math.min(Math.max(time - now, 0), day);
}
