import { messageEntries, ulidOf } from '../../core/message-lists.ts';
import type { MailboxStore, Stretch, ThreadChange } from '../../core/mail-ports.ts';
import type { Now } from '../../core/ports.ts';
import { listedIn, type ThreadState } from '../../core/thread-state.ts';
import { together } from '../../core/together.ts';
import { unpackBodies } from './body-row.ts';
import type { Database, Row } from './client.ts';
import { transactDeed } from './deed.ts';
import { dueWrite } from './due-store.ts';
import { eventRow } from './event-rows.ts';
import {
  bodyKey,
  contentClaimKey,
  inboxKey,
  listPk,
  messageKey,
  threadEntryKey,
  threadKey,
  threadShardPk,
  threadShards,
  type Key,
  type Owner,
} from './keys.ts';
import { entryWrites } from './list-rows.ts';
import { messageRow, toMessage } from './message-rows.ts';
import { getRow, getRows, queryRange } from './rows.ts';
import { table } from './table.ts';
import { threadWrite, toThread } from './thread-rows.ts';
import type { Write } from './transaction.ts';

/** A uid that no inbox has. */
const nobody = 'inb_';

const inboxSk = inboxKey({ organization_id: '', uid: '' }).sk;
const lowest = '0';
const highest = '~';

/** What lies in an inbox, read and changed in the table. */
export const mailboxStore = (database: Database, now: Now): MailboxStore => ({
  async message(inbox, messageId) {
    const row = await getRow(database, messageKey(inbox, ulidOf(messageId)));
    return row === undefined ? undefined : toMessage(row);
  },

  async whole(inbox, messageId) {
    const ulid = ulidOf(messageId);
    const [row, body] = await getRows(database, [messageKey(inbox, ulid), bodyKey(inbox, ulid)]);
    return row && { message: toMessage(row), ...(body && { bodies: unpackBodies(body['packed']) }) };
  },

  async messages(inbox, messageIds) {
    const rows = await getRows(
      database,
      messageIds.map((id) => messageKey(inbox, ulidOf(id))),
    );
    return rows.map((row) => row && toMessage(row));
  },

  async bodies(inbox, messageIds) {
    const rows = await getRows(
      database,
      messageIds.map((id) => bodyKey(inbox, ulidOf(id))),
    );
    return new Map(
      rows.flatMap((row, at) =>
        row === undefined ? [] : [[messageIds[at]!, unpackBodies(row['packed'])] as const],
      ),
    );
  },

  async thread(inbox, threadId) {
    const row = await getRow(database, threadKey(inbox, threadId));
    return row === undefined ? undefined : toThread(row);
  },

  async threads(inbox, threadIds) {
    const rows = await getRows(
      database,
      threadIds.map((id) => threadKey(inbox, id)),
    );
    return rows.map((row) => row && toThread(row));
  },

  async entries(inbox, list, { from = lowest, to = highest, after, ascending, limit }) {
    const partition = listPk(inbox, list);
    if (from > to) return { entries: [], more: false };
    const start = startKey(partition, { from, to, after, ascending });
    if (start === 'beyond') return { entries: [], more: false };
    const { rows, last } = await queryRange(database, {
      partition,
      from,
      to,
      ascending,
      limit,
      ...(start && { after: start }),
    });
    return {
      entries: rows.map((row) => ({
        ulid: row['sk'],
        thread_id: row['thread_id'],
        ...(row['message_id'] !== undefined && { message_id: row['message_id'] }),
        hidden: row['hidden'] ?? [],
      })),
      more: last !== undefined && rows.length > 0,
    };
  },

  async organizationThreads(
    organizationId,
    visible,
    { from = lowest, to = highest, after, ascending, limit },
  ) {
    const bounds =
      after === undefined
        ? { from, to }
        : ascending
          ? { from: `${after}!`, to }
          : { from, to: justBelow(after) };
    if (bounds.from > bounds.to) return { found: [], more: false };
    const shards = await together(
      Array.from({ length: threadShards }, (_, shard) =>
        queryRange(database, {
          index: table.byOrganization,
          partition: threadShardPk(organizationId, visible, shard),
          ...bounds,
          ascending,
          limit,
        }),
      ),
    );
    const { sortKey } = table.byOrganization;
    const keys = shards
      .flatMap(({ rows }) => rows)
      .sort((a, b) => (a[sortKey] < b[sortKey] ? -1 : 1) * (ascending ? 1 : -1));
    const page = keys.slice(0, limit);
    // A thread stands in its inbox's partition; of an inbox that was taken down it is only not removed yet.
    const inboxes = page.map(({ pk }) => ({ pk, sk: inboxSk }));
    const rows = await getRows(database, [...(page as unknown as Key[]), ...inboxes]);
    const threadOf = (at: number): ThreadState | undefined => {
      const row = rows[at];
      return row === undefined || rows[page.length + at] === undefined ? undefined : toThread(row);
    };
    return {
      found: page.map((key, at) => ({ thread: threadOf(at), ulid: key[sortKey] as string })),
      more: keys.length > limit || shards.some(({ last }) => last !== undefined),
    };
  },

  async inboxOfThread(organization_id, threadId) {
    const row = await getRow(database, threadEntryKey(organization_id, threadId));
    // The entry goes a little after its inbox was taken down. A thread that is nowhere takes the same reads.
    const inbox = await getRow(database, inboxKey({ organization_id, uid: row?.['uid'] ?? nobody }));
    return (
      row && inbox && { uid: row['uid'], inbox_id: row['inbox_id'], organization_id, pod_id: row['pod_id'] }
    );
  },

  async change(change, deed) {
    const outcome = await transactDeed(database, deed, writesOf(change, now()));
    return outcome === 'done' ? 'changed' : 'stale';
  },
});

/** DynamoDB goes on behind any key, there or not; but it refuses one that lies outside the bounds. */
function startKey(
  pk: string,
  {
    from,
    to,
    after,
    ascending,
  }: Required<Pick<Stretch, 'from' | 'to' | 'ascending'>> & { after: string | undefined },
): Row | 'beyond' | undefined {
  if (after === undefined) return undefined;
  const inside = after >= from && after <= to;
  if (inside) return { pk, sk: after };
  return (ascending ? after < from : after > to) ? undefined : 'beyond';
}

/** The greatest sort key below a ULID. */
const justBelow = (ulid: string): string =>
  ulid.slice(0, -1) + String.fromCharCode(ulid.charCodeAt(ulid.length - 1) - 1) + highest;

function writesOf({ before, after, messages, event, due }: ThreadChange, now: number): Write<'stale'>[] {
  const inbox = before;
  return [
    after === undefined ? threadEnd(before) : threadWrite(before, after, 'stale'),
    ...(after === undefined ? [{ delete: threadEntryKey(inbox.organization_id, before.thread_id) }] : []),
    ...entryWrites(inbox, listedIn(before), after === undefined ? [] : listedIn(after), {
      thread_id: before.thread_id,
    }),
    ...messages.flatMap((change) => messageWrites(change)),
    ...roomBack(inbox, messages),
    ...(event === undefined ? [] : [{ put: eventRow(inbox, event, Math.floor(now / 1000)) }]),
    ...(due === undefined ? [] : [dueWrite(due, now)]),
  ];
}

/** The inbox holds less by what is deleted. */
function roomBack(inbox: Owner, messages: ThreadChange['messages']): Write<'stale'>[] {
  const gone = messages.filter(({ after }) => after === undefined);
  if (gone.length === 0) return [];
  const bytes = gone.reduce((sum, { before }) => sum + before.size, 0);
  return [
    {
      update: inboxKey(inbox),
      set: 'ADD stored_bytes :less',
      // An update makes a row that is not there.
      condition: 'attribute_exists(pk)',
      values: { ':less': -bytes },
      otherwise: 'stale',
    },
  ];
}

const threadEnd = (before: ThreadChange['before']): Write<'stale'> => ({
  delete: threadKey(before, before.thread_id),
  condition: '#version = :seen',
  names: { '#version': 'version' },
  values: { ':seen': before.version },
  otherwise: 'stale',
});

function messageWrites({ before, after }: ThreadChange['messages'][number]): Write<'stale'>[] {
  const ulid = ulidOf(before.message_id);
  // A further copy may be counted on the message meanwhile, which leaves its time as it is.
  const { duplicates } = before;
  const seen = {
    condition: `updated_at = :seen AND ${duplicates === undefined ? 'attribute_not_exists(duplicates)' : 'duplicates = :copies'}`,
    values: { ':seen': before.updated_at, ':copies': duplicates },
    otherwise: 'stale' as const,
  };
  const target = { message_id: before.message_id, thread_id: before.thread_id };
  const lists = entryWrites(
    before,
    messageEntries(before),
    after === undefined ? [] : messageEntries(after),
    target,
  );
  if (after !== undefined)
    return [{ put: { ...messageKey(before, ulid), ...messageRow(after) }, ...seen }, ...lists];
  return [
    { delete: messageKey(before, ulid), ...seen },
    ...(before.body === 'row' ? [{ delete: bodyKey(before, ulid) }] : []),
    // Without its claim, the same mail sent again is a new one.
    ...(before.digest === undefined
      ? []
      : [{ delete: contentClaimKey(before, before.rfc822_message_id ?? '', before.digest) }]),
    ...lists,
  ];
}
