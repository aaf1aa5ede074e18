import type { Now } from './ports.ts';

/** An event that waits in the outbox, and its place there. */
export interface WaitingEvent {
  key: { pk: string; sk: string };
  since: string;
}

/** Port: events nobody has announced yet. */
export interface Outbox {
  /** Those whose place is before this time (milliseconds since the epoch), oldest first; some of them at a time. */
  waiting(before: number): Promise<WaitingEvent[]>;
  /**
   * Touches the row, so that the stream tells of it again, and gives it the place of the time that `placeOf` says for
   * its count of nudges. Answers that count; `undefined` when it was announced or nudged meanwhile.
   */
  nudge(event: WaitingEvent, placeOf: (nudges: number) => number): Promise<number | undefined>;
}

const minuteMs = 60_000;
/** The stream tells of an event within seconds; what nobody announced in this time is stuck. */
const stuckMs = 10 * minuteMs;
const longestMs = 60 * minuteMs;
/** After this many nudges, about four hours, it is no longer a matter of waiting. */
const hopeless = 6;

export interface NudgeEventsDeps {
  outbox: Outbox;
  now: Now;
}

/**
 * Nudges events that nobody has announced for ten minutes, again after twenty and so on up to an hour. Throws when
 * some were nudged for hours: then a person has to look.
 */
export const nudgeEvents =
  ({ outbox, now }: NudgeEventsDeps) =>
  async (): Promise<void> => {
    const pause = (nudges: number): number => Math.min(stuckMs * 2 ** nudges, longestMs);
    let lost = 0;
    for (const event of await outbox.waiting(now() - stuckMs)) {
      const nudges = await outbox.nudge(event, (count) => now() + pause(count) - stuckMs);
      if (nudges !== undefined && nudges >= hopeless) lost++;
    }
    if (lost > 0) throw new Error(`${lost} events could not be announced for hours`);
  };
