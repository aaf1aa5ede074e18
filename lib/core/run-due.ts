import type { DueStore, DueWork } from './due-ports.ts';

/** How each kind of work is done; every one may be repeated. */
export type DueWorks = {
  [Kind in DueWork['kind']]: (work: Extract<DueWork, { kind: Kind }>) => Promise<void>;
};

export interface RunDueDeps {
  due: DueStore;
  works: DueWorks;
  /** Takes up what is left over: mail in `incoming/`, and rows of work that nobody moves. */
  reconcile: () => Promise<void>;
  report: (error: unknown, about: Record<string, unknown>) => void;
}

/**
 * Does what is due and what was left over. Work that fails is reported and put off, longer each time, so that it holds
 * up nothing else. Answers how much failed.
 */
export const runDue = (deps: RunDueDeps) => async (): Promise<{ done: number; failed: number }> => {
  const count = { done: 0, failed: 0 };
  for await (const { id, work } of deps.due.dueWork()) {
    try {
      await (deps.works[work.kind] as (work: DueWork) => Promise<void>)(work);
      await deps.due.done(id);
      count.done++;
    } catch (error) {
      deps.report(error, { kind: work.kind });
      await deps.due.putOff(id);
      count.failed++;
    }
  }
  await deps.reconcile();
  return count;
};
