import type { DueWork } from './due-ports.ts';
import type { Now } from './ports.ts';
import type { RemovalStore } from './removal-ports.ts';

/** Longer than one step takes, and than it waits for the next. */
const stuckMs = 25 * 60_000;
const nextMs = 30 * 60_000;

/** Looks at a removal every half hour until it is done, and takes it up again when it has got nowhere since. */
export const watchRemoval =
  ({ removals, now }: { removals: RemovalStore; now: Now }) =>
  async ({ organization_id, what }: Extract<DueWork, { kind: 'watch-removal' }>): Promise<void> => {
    const removal = await removals.load({ organization_id, what });
    if (removal === undefined) return;
    const time = now();
    // The next look first: whatever happens then, there is one.
    await removals.watch(removal, time + nextMs);
    if (time - Date.parse(removal.moved_at) > stuckMs)
      await removals.again(removal, new Date(time).toISOString());
  };
