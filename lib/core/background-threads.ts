import { changeThread, fittingLabels, relabel, type ChangeDeps } from './change-messages.ts';
import type { DueStore, DueWork } from './due-ports.ts';
import type { MailObjects, ObjectFolder } from './mail-ports.ts';
import type { InboxStore } from './ports.ts';
import { hiddenBy } from './message-lists.ts';
import type { DueWorks } from './run-due.ts';
import { isIncluded } from './walk-lists.ts';

/** `inboxes`: what is left to be done in an inbox that was taken down is nobody's any more; its rows go otherwise. */
export type BackgroundDeps = ChangeDeps & { inboxes: Pick<InboxStore, 'get'>; due: Pick<DueStore, 'file'> };

/** What threads leave to be done. */
export function backgroundThreads(
  deps: BackgroundDeps & { objects: Pick<MailObjects, 'removeAll'> },
): Pick<DueWorks, 'label-thread' | 'delete-thread' | 'erase-objects'> {
  const erase = async (folders: ObjectFolder[]): Promise<void> => {
    for (const folder of folders) await deps.objects.removeAll(folder);
  };
  return {
    'label-thread': (work) => continueLabels(deps, work),
    'delete-thread': (work) => continueDelete(deps, work, erase),
    'erase-objects': ({ folders }) => erase(folders),
  };
}

/** Messages that one step takes at a time. */
const chunk = 25;
/** Messages of a thread that one minute changes or deletes: other work waits behind it. */
const messagesAtOnce = 500;
const minuteMs = 60_000;

/**
 * Goes on labelling a long thread until every message that was there has changed, one transaction each. Safe to
 * repeat. A label that is one too many by now, since others were added meanwhile, is left out.
 */
export async function continueLabels(
  deps: BackgroundDeps,
  work: Extract<DueWork, { kind: 'label-thread' }>,
): Promise<void> {
  const { inbox, thread_id, upTo, ...change } = work;
  let position: { to: string } | { after: string } = { to: upTo };
  for (let seen = 0; ;) {
    if ((await deps.inboxes.get(inbox)) === undefined) return;
    const { entries, more } = await deps.mailbox.entries(
      inbox,
      { of: 'thread', thread_id },
      { ascending: false, limit: chunk, ...position },
    );
    for (const { message_id } of entries) {
      await changeThread(deps, inbox, thread_id, async (thread) => {
        const before = await deps.mailbox.message(inbox, message_id!);
        if (before === undefined || !isIncluded(hiddenBy(before.labels), change.permitted)) return undefined;
        const after = relabel(
          before,
          fittingLabels(before, thread, change),
          new Date(deps.now()).toISOString(),
        );
        return after && { changes: [{ before, after }] };
      });
    }
    const oldest = entries.at(-1);
    if (!more || oldest === undefined) return;
    position = { after: oldest.ulid };
    seen += entries.length;
    if (seen >= messagesAtOnce)
      return deps.due.file({ work: { ...work, upTo: oldest.ulid }, at: deps.now() + minuteMs });
  }
}

/** Messages of a marked thread that one transaction deletes, where their rows are not too many. */
const deletedAtOnce = 5;

/** Deletes a thread that was marked, some messages at a time, objects first. Safe to repeat. */
export async function continueDelete(
  deps: BackgroundDeps,
  work: Extract<DueWork, { kind: 'delete-thread' }>,
  erase: (folders: ObjectFolder[]) => Promise<void>,
): Promise<void> {
  const { inbox, thread_id } = work;
  const list = { of: 'thread', thread_id } as const;
  for (let seen = 0; ; seen += deletedAtOnce) {
    if (seen >= messagesAtOnce) return deps.due.file({ work, at: deps.now() + minuteMs });
    if ((await deps.inboxes.get(inbox)) === undefined) return;
    const { entries } = await deps.mailbox.entries(inbox, list, { ascending: false, limit: deletedAtOnce });
    if (entries.length === 0) {
      const left = await deps.mailbox.thread(inbox, thread_id);
      if (left === undefined || (await deps.mailbox.change({ before: left, messages: [] })) === 'changed')
        return;
      continue;
    }
    const ids = entries.map(({ message_id }) => message_id!);
    // When this stops in between, the rows still say where to go on.
    await erase(
      ids.map((message_id) => ({ organization_id: inbox.organization_id, uid: inbox.uid, message_id })),
    );
    await changeThread(deps, inbox, thread_id, async () => {
      const rows = await deps.mailbox.messages(inbox, ids);
      const changes = rows.flatMap((before) => (before === undefined ? [] : [{ before }]));
      return { changes, orElse: { changes: changes.slice(0, 1) } };
    });
  }
}
