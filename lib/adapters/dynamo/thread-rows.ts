import { ulidOf } from '../../core/message-lists.ts';
import { isVisible, shownHalf, type ThreadState } from '../../core/thread-state.ts';
import { rowVersion, type Row } from './client.ts';
import { shardOf, threadKey, threadShardPk, threadShards } from './keys.ts';
import { table } from './table.ts';
import type { Write } from './transaction.ts';

const { partitionKey, sortKey } = table.byOrganization;

/** The thread's place in the organization's list: by its newest received message, if it has one. */
function place(thread: ThreadState): Row {
  const { last_received } = shownHalf(thread);
  if (last_received === undefined || thread.deleting === true) return {};
  const shard = shardOf(thread.thread_id, threadShards);
  return {
    [partitionKey]: threadShardPk(thread.organization_id, isVisible(thread), shard),
    [sortKey]: ulidOf(last_received.message_id),
  };
}

/** Writes the thread, if it still is as `before` (or not there yet). */
export function threadWrite<Word extends string>(
  before: ThreadState | undefined,
  after: ThreadState,
  otherwise: Word,
): Write<Word> {
  const put = { ...threadKey(after, after.thread_id), v: rowVersion, ...after, ...place(after) };
  if (before === undefined) return { put, condition: 'attribute_not_exists(pk)', otherwise };
  return {
    put,
    condition: '#version = :seen',
    names: { '#version': 'version' },
    values: { ':seen': before.version },
    otherwise,
  };
}

export function toThread({
  pk: _pk,
  sk: _sk,
  v: _v,
  [partitionKey]: _partition,
  [sortKey]: _sort,
  ...row
}: Row): ThreadState {
  return row as ThreadState;
}
