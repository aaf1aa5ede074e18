import type { UseCase } from '../contract/call.ts';
import type { InboxRef } from '../contract/principal.ts';
import { changeThread, type ChangeDeps } from './change-messages.ts';
import { visibleMessage } from './read-messages.ts';

/** Deletes a message for good: its rows at once, its objects by work that is due from the same transaction on. */
export const deleteMessage =
  (deps: ChangeDeps): UseCase<'inboxes.messages.delete'> =>
  async ({ principal, inbox, path, deed }) => {
    const { message_id, thread_id } = await visibleMessage(deps, principal, inbox, path.message_id);
    await changeThread(deps, inbox, thread_id, deletionOf(deps, inbox, message_id), deed);
  };

/** What the deletion of one message changes in its thread; nothing where the message is gone. */
export const deletionOf = (deps: ChangeDeps, inbox: InboxRef, message_id: string) => async () => {
  const before = await deps.mailbox.message(inbox, message_id);
  if (before === undefined) return undefined;
  const { organization_id, pod_id, inbox_id, uid, thread_id } = before;
  return {
    changes: [{ before }],
    event: {
      event_id: `evt_${deps.ulid()}`,
      event_type: 'message.deleted' as const,
      organization_id,
      pod_id,
      inbox_id,
      thread_id,
      message_id,
      timestamp: new Date(deps.now()).toISOString(),
    },
    due: { kind: 'erase-objects' as const, folders: [{ organization_id, uid, message_id }] },
  };
};
