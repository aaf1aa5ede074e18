import type { RemovalJob } from './nudge.ts';
import type { Removal } from './removal-ports.ts';

/** A call of the API ends within half a minute, and with it whatever it still writes. */
const beginsAfterMs = 90_000;
/** Taking mail in ends within five minutes, and with it whatever objects it still puts. */
const settlesAfterMs = 6 * 60_000;

/** A removal as it begins. */
export function newRemoval(time: number, about: RemovalJob & Pick<Removal, 'inbox' | 'archive_id'>): Removal {
  const after = (ms: number): string => new Date(time + ms).toISOString();
  return {
    ...about,
    taken_down_at: after(0),
    begins_at: after(beginsAfterMs),
    settles_at: after(settlesAfterMs),
    moved_at: after(0),
    count: 1,
  };
}
