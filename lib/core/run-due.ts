import type { DueStore, DueWork } from './due-ports.ts';
import { together } from './together.ts';

/** How each kind of work is done, in at most about a minute; what is more is filed anew. Every one may be repeated. */
export type DueWorks = {
  [Kind in DueWork['kind']]: (work: Extract<DueWork, { kind: Kind }>) => Promise<void>;
};

export interface RunDueDeps {
  due: DueStore;
  works: DueWorks;
  /** Takes up what is left over: mail in `incoming/`, and rows of work that nobody moves. */
  reconcile: (mayBegin: () => boolean) => Promise<unknown>;
  report: (error: unknown, about: Record<string, unknown>) => void;
}

/** Work is begun for so long: then the next minute's run goes on, and what is in hand has the rest of the time. */
const beginMs = 50_000;

/**
 * Does what is due and what was left over, side by side. Work that fails is reported and put off, longer each time, so
 * that it holds up nothing else. Answers how much was done and failed. `remaining`: milliseconds until it must end.
 */
export const runDue =
  ({ due, works, reconcile, report }: RunDueDeps) =>
  async (remaining: () => number): Promise<{ done: number; failed: number }> => {
    const count = { done: 0, failed: 0 };
    const whole = remaining();
    const mayBegin = (): boolean => whole - remaining() < beginMs;
    const run = async (lane: AsyncIterable<{ id: string; work: DueWork }>): Promise<void> => {
      for await (const { id, work } of lane) {
        if (!mayBegin()) return;
        try {
          await (works[work.kind] as (work: DueWork) => Promise<void>)(work);
          await due.done(id);
          count.done++;
        } catch (error) {
          report(error, { kind: work.kind });
          await due.putOff(id);
          count.failed++;
        }
      }
    };
    await together([...due.lanes().map(run), reconcile(mayBegin)]);
    return count;
  };
