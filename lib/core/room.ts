/** What an inbox holds and may hold, in bytes of raw mail, as it was read. */
export interface Room {
  stored_bytes: number;
  /** Absent: as much as comes. */
  storage_limit?: number;
  /** Whether its owner was told that four fifths of this limit are taken. */
  warned: boolean;
  /** The inboxes of its organization hold more than all of them may. */
  organization_full: boolean;
}

/** How a mail goes into an inbox that has a limit, if the inbox still is as it was read. */
export interface Intake {
  storage_limit: number;
  warned: boolean;
  /** The same would be decided of every count of bytes between these, inclusive. */
  between: readonly [number, number];
  /** What becomes of the warning: it is given now, or forgotten since the inbox has been emptied. */
  warning?: 'given' | 'forgotten';
}

/** Shares of the limit: from the first on a warning is given, and below the second it may be given again. */
export const [tightFrom, calmBelow] = [0.8, 0.7];

/** Whether a mail of this many bytes has room. */
export function intakeOf(room: Room, size: number): 'full' | 'unlimited' | Intake {
  const { stored_bytes, storage_limit, warned, organization_full } = room;
  if (organization_full) return 'full';
  if (storage_limit === undefined) return 'unlimited';
  const most = storage_limit - size;
  if (stored_bytes > most) return 'full';
  const tight = Math.ceil(storage_limit * tightFrom) - size;
  const calm = Math.ceil(storage_limit * calmBelow);
  const about = { storage_limit, warned };
  if (warned && stored_bytes >= calm) return { ...about, between: [calm, most] };
  const below = warned ? Math.min(calm - 1, most) : most;
  if (stored_bytes >= tight) return { ...about, between: [tight, below], warning: 'given' };
  const between = [-Number.MAX_SAFE_INTEGER, Math.min(below, tight - 1)] as const;
  return { ...about, between, ...(warned && { warning: 'forgotten' as const }) };
}
