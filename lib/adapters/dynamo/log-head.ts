import type { Row } from './client.ts';

/**
 * Events are numbered seconds after they happened, so their ids and positions are in nearly the same order: by what
 * the clocks of writers differ, and by what an event waits until it is numbered. One that waited for longer than usual is
 * remembered in the head of the log, so that readers look for it as far back.
 */
const skewMs = 60_000;
const usualMs = 4 * 60_000;

/** `ms`: the longest that an event waited, of those up to this position. */
interface Late {
  upTo: number;
  ms: number;
}

/** What the head says once events up to a position are numbered that waited for so long; `undefined`: nothing new. */
export function laterThanUsual(head: Row | undefined, upTo: number, waitedMs: number): Late | undefined {
  if (waitedMs <= usualMs) return undefined;
  const before = head?.['late'] as Late | undefined;
  return { upTo, ms: Math.max(waitedMs, before?.ms ?? 0) };
}

/** How far the order of ids and that of positions can be apart behind a position, in milliseconds. */
export function marginBehind(head: Row | undefined, position: number): number {
  const late = head?.['late'] as Late | undefined;
  return (late !== undefined && position < late.upTo ? late.ms : usualMs) + skewMs;
}
