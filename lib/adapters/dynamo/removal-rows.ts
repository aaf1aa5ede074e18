import type { DueWork } from '../../core/due-ports.ts';
import type { Nudge } from '../../core/nudge.ts';
import type { Removal } from '../../core/removal-ports.ts';
import { rowVersion, type Row } from './client.ts';
import { removalKey } from './keys.ts';
import { table } from './table.ts';
import { taskRow } from './task-rows.ts';

/** When somebody first looks whether a removal moves. */
export const firstWatchMs = 30 * 60_000;

/** The nudge of a removal. Removals of one organization wait behind each other while others wait too. */
export const removalNudge = (
  { organization_id, what }: Pick<Removal, 'organization_id' | 'what'>,
  count: number,
  not_before?: string,
): Nudge => ({
  group: organization_id,
  count,
  ...(not_before !== undefined && { not_before }),
  queue: 'removals',
  job: { organization_id, what },
});

/** A removal as it begins. */
export const removalRow = (removal: Removal): Row => {
  const { count, ...about } = removal;
  return {
    ...removalKey(removal.organization_id, removal.what),
    v: rowVersion,
    ...about,
    ...taskRow(removalNudge(removal, count, removal.begins_at)),
  };
};

export const toRemoval = ({
  pk: _pk,
  sk: _sk,
  v: _v,
  [table.rowType]: _type,
  nudge,
  ...about
}: Row): Removal => ({ ...about, count: nudge.count }) as Removal;

export const watchOf = ({ organization_id, what }: Pick<Removal, 'organization_id' | 'what'>): DueWork => ({
  kind: 'watch-removal',
  organization_id,
  what,
});
