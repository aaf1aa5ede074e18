import type { MessageChange, StoredMessage } from './mail-ports.ts';
import {
  count,
  emptyHalf,
  halfOf,
  lastsOf,
  withMessage,
  type LastName,
  type ThreadHalf,
  type ThreadState,
} from './thread-state.ts';

/** Messages of a thread as they are after a change, newest first without a gap; `all`: there are no others. */
export interface Newest {
  messages: StoredMessage[];
  all: boolean;
}

/** Whether a change can take away a thread's last message, so that its messages have to be read. */
export const leavesHalf = ({ before, after }: MessageChange): boolean =>
  after === undefined || half(before) !== half(after);

const half = (message: StoredMessage): string =>
  [
    halfOf(message),
    ...message.labels.filter((label) => label === 'received' || label === 'sent').sort(),
  ].join();

/**
 * The thread after some of its messages changed or went. When all its messages are given, it is folded anew from
 * them; of a longer one, counts are kept up, the last messages are looked up, and what was seen of names and
 * attachments stays. `undefined`: `newest` does not reach far enough back.
 */
export function afterChanges(
  thread: ThreadState,
  changes: MessageChange[],
  newest: Newest,
  updated_at: string,
): ThreadState | undefined {
  const version = thread.version + 1;
  if (newest.all) return { ...refold(thread, newest.messages, updated_at), version, updated_at };
  const lost = { visible: new Set<LastName>(), hidden: new Set<LastName>() };
  let state = thread;
  for (const change of changes) {
    state = withoutMessage(state, change.before);
    if (leavesHalf(change))
      for (const name of lastNamesOf(thread, change.before)) lost[halfOf(change.before)].add(name);
  }
  for (const { after } of changes) if (after !== undefined) state = withMessage(state, after, updated_at);
  if (thread.deleting === true) return { ...state, version, updated_at };
  const visible = withLasts(
    state.visible,
    lost.visible,
    newest.messages.filter((message) => halfOf(message) === 'visible'),
  );
  const hidden = withLasts(
    state.hidden,
    lost.hidden,
    newest.messages.filter((message) => halfOf(message) === 'hidden'),
  );
  return visible && hidden && { ...state, visible, hidden, version, updated_at };
}

function refold(thread: ThreadState, newestFirst: StoredMessage[], updated_at: string): ThreadState {
  const oldestFirst = newestFirst.toSorted((a, b) => (a.message_id < b.message_id ? -1 : 1));
  return oldestFirst.reduce((state, message) => withMessage(state, message, updated_at), {
    ...thread,
    visible: emptyHalf(),
    hidden: emptyHalf(),
  });
}

/** The counts with one message less. */
function withoutMessage(thread: ThreadState, message: StoredMessage): ThreadState {
  const name = halfOf(message);
  const old = thread[name];
  if (old.count === 1) return { ...thread, [name]: emptyHalf() };
  return {
    ...thread,
    [name]: {
      ...old,
      count: old.count - 1,
      size: old.size - message.size,
      labels: count(old.labels, message.labels, -1),
    },
  };
}

const lastNamesOf = (thread: ThreadState, message: StoredMessage): LastName[] =>
  (['last', 'last_received', 'last_sent'] as const).filter(
    (name) => thread[halfOf(message)][name]?.message_id === message.message_id,
  );

/** How many messages of the half could be its last one of that name. */
const candidates = ({ count: all, labels }: ThreadHalf, name: LastName): number =>
  name === 'last' ? all : (labels[name === 'last_sent' ? 'sent' : 'received'] ?? 0);

/** The half with what it lost looked up among its newest messages; `undefined` when it is not there. */
function withLasts(
  of: ThreadHalf,
  lost: Set<LastName>,
  newestFirst: StoredMessage[],
): ThreadHalf | undefined {
  const found = { ...of };
  for (const name of lost) {
    delete found[name];
    if (candidates(of, name) === 0) continue;
    const message = newestFirst.find((one) => lastsOf(one)[name] !== undefined);
    if (message === undefined) return undefined;
    Object.assign(found, { [name]: lastsOf(message)[name] });
  }
  return found;
}
