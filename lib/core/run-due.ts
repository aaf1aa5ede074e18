import { continueDelete, continueLabels } from './background-threads.ts';
import type { ChangeDeps } from './change-messages.ts';
import type { DueStore, DueWork, MailObjects } from './mail-ports.ts';

export interface RunDueDeps extends ChangeDeps {
  due: DueStore;
  objects: Pick<MailObjects, 'removeAll'>;
  /** Takes in again what is still in `incoming/` after ten minutes. */
  reconcile: () => Promise<void>;
  report: (error: unknown, about: Record<string, unknown>) => void;
}

/**
 * Does what is due, minute by minute, and what was left over. Work that fails is reported and put off, longer each
 * time, so that it holds up nothing else. Answers how much failed.
 */
export const runDue = (deps: RunDueDeps) => async (): Promise<{ done: number; failed: number }> => {
  const count = { done: 0, failed: 0 };
  for (const minute of await deps.due.openMinutes()) {
    for (const { id, work } of await deps.due.workOf(minute)) {
      try {
        await carryOut(deps, work);
        await deps.due.done(minute, id);
        count.done++;
      } catch (error) {
        deps.report(error, { minute, kind: work.kind });
        await deps.due.putOff(minute, id);
        count.failed++;
      }
    }
    await deps.due.close(minute);
  }
  await deps.reconcile();
  return count;
};

async function carryOut(deps: RunDueDeps, work: DueWork): Promise<void> {
  if (work.kind === 'label-thread') return continueLabels(deps, work);
  const erase = async (
    folders: { organization_id: string; uid: string; message_id: string }[],
  ): Promise<void> => {
    for (const folder of folders) await deps.objects.removeAll(folder);
  };
  return work.kind === 'delete-thread' ? continueDelete(deps, work, erase) : erase(work.folders);
}
