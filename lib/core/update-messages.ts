import { about, type Deed, type UseCase } from '../contract/call.ts';
import type { UpdateMessageResponse } from '../contract/message.ts';
import type { InboxRef } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
import {
  changeThread,
  checkLabels,
  labeled,
  relabel,
  type ChangeDeps,
  type LabelChange,
} from './change-messages.ts';
import type { StoredMessage } from './mail-ports.ts';
import { isMessageId } from './message-id.ts';
import { hiddenBy } from './message-lists.ts';
import { permittedLabels, visibleMessage } from './read-messages.ts';
import type { ThreadState } from './thread-state.ts';
import { isIncluded } from './walk-lists.ts';

/** Adds and removes labels of one message; answers all it has then. */
export const updateMessage =
  (deps: ChangeDeps): UseCase<'inboxes.messages.update'> =>
  async ({ principal, inbox, path, body, deed }) =>
    applyLabels(deps, inbox, await visibleMessage(deps, principal, inbox, path.message_id), body, deed);

/**
 * The same for up to 50 messages, one after the other: each message changes as a whole or not at all, the batch
 * does not, since 50 messages with their lists do not fit one transaction. What is not there or may not be seen is
 * left out of the answer.
 */
export const batchUpdateMessages =
  (deps: ChangeDeps): UseCase<'inboxes.messages.batchUpdate'> =>
  async ({ principal, inbox, body, deed }) => {
    const permitted = permittedLabels(principal);
    const found = await deps.mailbox.messages(inbox, body.message_ids.filter(isMessageId));
    const seen = found
      .filter((message) => message !== undefined)
      .filter(({ labels }) => isIncluded(hiddenBy(labels), permitted));
    about(
      deed,
      seen.map(({ message_id }) => message_id),
    );
    const updates: UpdateMessageResponse[] = [];
    for (const message of seen) {
      try {
        updates.push(await applyLabels(deps, inbox, message, body, deed));
      } catch (error) {
        // Deleted in the meantime: as if it had not been there.
        if (!(error instanceof Problem && error.code === 'not_found')) throw error;
      }
    }
    return { limit: body.message_ids.length, count: updates.length, updates };
  };

async function applyLabels(
  deps: ChangeDeps,
  inbox: InboxRef,
  { message_id, thread_id }: StoredMessage,
  change: LabelChange,
  deed: Deed,
): Promise<UpdateMessageResponse> {
  const now = new Date(deps.now()).toISOString();
  let current: StoredMessage | undefined;
  const plan = async (thread: ThreadState) => {
    current = await deps.mailbox.message(inbox, message_id);
    const after = current && relabel(current, change, now);
    if (current === undefined || after === undefined) return undefined;
    if (change.add.length > 0) checkLabels([{ before: current, after }], thread);
    const before = current;
    current = after;
    return { changes: [{ before, after }], event: labeled(deps.ulid, now, after, change, after.labels) };
  };
  await changeThread(deps, inbox, thread_id, plan, deed);
  if (current === undefined) throw notFound('Message');
  return { message_id, labels: current.labels.toSorted() };
}
