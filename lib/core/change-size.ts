import type { ThreadChange } from './mail-ports.ts';
import { difference, messageEntries } from './message-lists.ts';
import { listedIn } from './thread-state.ts';

/** The writes one change takes: the rows of `MailboxStore.change`, counted before they are made. */
export function writesOf({ before, after, messages, event, due }: ThreadChange): number {
  // The thread's row; with the last message its entry in the organization goes too.
  const thread =
    (after === undefined ? 2 : 1) + rows(listedIn(before), after === undefined ? [] : listedIn(after));
  const inMessages = messages.map(({ before: old, after: changed }) => {
    const gone = changed === undefined ? Number(old.body === 'row') + Number(old.digest !== undefined) : 0;
    return 1 + gone + rows(messageEntries(old), changed === undefined ? [] : messageEntries(changed));
  });
  return (
    thread +
    inMessages.reduce((sum, count) => sum + count, 0) +
    // The inbox counts what it holds.
    Number(messages.some(({ after: changed }) => changed === undefined)) +
    Number(event !== undefined) +
    Number(due !== undefined)
  );
}

function rows(...[before, after]: Parameters<typeof difference>): number {
  const { put, remove } = difference(before, after);
  return put.length + remove.length;
}
