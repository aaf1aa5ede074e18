import { setTimeout as wait } from 'node:timers/promises';
import type { InboxRef } from '../../contract/principal.ts';
import { maxWrites, type Delivery, type DeliveryStore } from '../../core/mail-ports.ts';
import { messageEntries, ulidOf } from '../../core/message-lists.ts';
import type { Now } from '../../core/ports.ts';
import type { Room } from '../../core/room.ts';
import { threadEntries } from '../../core/thread-state.ts';
import { bodyRow, fitsRow } from './body-row.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { eventRow } from './event-rows.ts';
import {
  contentClaimKey,
  deliveryClaimKey,
  inboxKey,
  messageKey,
  organizationKey,
  threadEntryKey,
  threadKey,
  wireIdKey,
} from './keys.ts';
import { lineRow } from './line-rows.ts';
import { entryWrites } from './list-rows.ts';
import { messageRow } from './message-rows.ts';
import { alive, getRows } from './rows.ts';
import { table } from './table.ts';
import { threadWrite, toThread } from './thread-rows.ts';
import { transact, type Write } from './transaction.ts';

const day = 24 * 3600;
const absent = 'attribute_not_exists(pk)';
/** The same bytes under the same Message-ID are the same mail for this long. */
const contentClaimSeconds = 3 * day;
/** SQS keeps a notice for at most 14 days, so a repeat cannot come later. */
const deliveryClaimSeconds = 15 * day;

const maxPauseMs = 40;

type Word = 'delivered' | 'duplicate' | 'changed' | 'no_inbox';

/** What the receiver reads and writes in the table. */
export const deliveryStore = (database: Database, now: Now): DeliveryStore => {
  const seconds = () => Math.floor(now() / 1000);

  /** The rows of one received mail, in the order their refusals count. */
  function writesOf(delivery: Delivery): Write<Word>[] {
    const { inbox, message, before, after, line } = delivery;
    const ulid = ulidOf(message.message_id);
    const conditional = [
      ...claims(delivery),
      roomWrite(delivery),
      threadWrite(before, after, 'changed' as const),
    ];
    const entry = {
      ...threadEntryKey(inbox.organization_id, after.thread_id),
      v: rowVersion,
      uid: inbox.uid,
      inbox_id: inbox.inbox_id,
      pod_id: inbox.pod_id,
    };
    const rows: Write<Word>[] = [
      ...(before === undefined ? [{ put: entry }] : []),
      { put: { ...messageKey(inbox, ulid), ...messageRow(message) } },
      ...(delivery.bodies === undefined ? [] : [{ put: bodyRow(inbox, ulid, delivery.bodies) }]),
      ...entryWrites(inbox, [], messageEntries(message), {
        message_id: message.message_id,
        thread_id: message.thread_id,
      }),
      ...entryWrites(inbox, before === undefined ? [] : threadEntries(before), threadEntries(after), {
        thread_id: after.thread_id,
      }),
      { put: eventRow(inbox, delivery.event, seconds()) },
      ...(delivery.warning === undefined ? [] : [{ put: eventRow(inbox, delivery.warning, seconds()) }]),
      { put: lineRow(line) },
    ];
    // A thread with every label there is takes 60 rows, the mail 16: whatever the mail refers to, it fits.
    const leads = delivery.leads.slice(0, maxWrites - conditional.length - rows.length);
    return [
      ...conditional,
      ...leads.map(({ id, was }) => leadWrite(inbox, id, was, after.thread_id)),
      ...rows,
    ];
  }

  function claims({ inbox, message, ses_id, digest }: Delivery): Write<Word>[] {
    const claim = { v: rowVersion, message_id: message.message_id };
    return [
      {
        put: { ...deliveryClaimKey(inbox, ses_id), ...claim, [table.ttl]: seconds() + deliveryClaimSeconds },
        condition: absent,
        otherwise: 'delivered',
      },
      {
        put: {
          ...contentClaimKey(inbox, message.rfc822_message_id ?? '', digest),
          ...claim,
          [table.ttl]: seconds() + contentClaimSeconds,
        },
        condition: `${absent} OR #expires <= :now`,
        names: { '#expires': table.ttl },
        values: { ':now': seconds() },
        otherwise: 'duplicate',
      },
    ];
  }

  return {
    async acquaint(inbox, { ses_id, rfc822_message_id, digest, ids }) {
      const claims = [deliveryClaimKey(inbox, ses_id), contentClaimKey(inbox, rfc822_message_id, digest)];
      const [organization, home, delivered, twin, ...leads] = await getRows(database, [
        // Read, not checked in the transaction: all mail of an organization would contend for its row.
        organizationKey(inbox.organization_id),
        // A condition cannot add, so what is left of its room has to be known before.
        inboxKey(inbox),
        ...claims,
        ...ids.map((id) => wireIdKey(inbox, id)),
      ]);
      const threads = leads.flatMap((row, at): [string, string][] =>
        row === undefined ? [] : [[ids[at]!, row['thread_id']]],
      );
      return {
        ...(delivered?.['message_id'] !== undefined && { delivered: delivered['message_id'] as string }),
        ...(twin !== undefined && alive(twin, now()) && { twin: twin['message_id'] as string }),
        threads: new Map(threads),
        ...(organization?.['state'] === 'deleting' && { closed: true as const }),
        ...(delivered?.['refused'] === true && { refused: true as const }),
        room: roomOf(home, organization),
      };
    },

    async threads(inbox, threadIds) {
      const rows = await getRows(
        database,
        threadIds.map((id) => threadKey(inbox, id)),
      );
      return rows.flatMap((row) => (row === undefined ? [] : [toThread(row)]));
    },

    async append(delivery) {
      const outcome = await transact(database, writesOf(delivery));
      if (outcome === 'done') return 'added';
      // An inbox that is there has another limit by now, or less room.
      const word = outcome.refused === 'no_inbox' && outcome.row !== undefined ? 'changed' : outcome.refused;
      // Neighbours that came at the same time should not meet again at the same time.
      if (word === 'changed' || word === 'duplicate') await wait(Math.random() * maxPauseMs);
      return word;
    },

    async refuse({ inbox, ses_id, event }) {
      const claim = { ...deliveryClaimKey(inbox, ses_id), v: rowVersion, refused: true };
      const outcome = await transact<'delivered' | 'no_inbox'>(database, [
        {
          put: { ...claim, [table.ttl]: seconds() + deliveryClaimSeconds },
          condition: absent,
          otherwise: 'delivered',
        },
        { check: inboxKey(inbox), condition: 'attribute_exists(pk)', otherwise: 'no_inbox' },
        { put: eventRow(inbox, event, seconds()) },
      ]);
      return outcome === 'done' ? 'refused' : outcome.refused;
    },

    async countDuplicate(inbox, { ses_id, of }) {
      const outcome = await transact<'counted' | 'gone'>(database, [
        {
          put: {
            ...deliveryClaimKey(inbox, ses_id),
            v: rowVersion,
            message_id: of,
            [table.ttl]: seconds() + deliveryClaimSeconds,
          },
          condition: absent,
          otherwise: 'counted',
        },
        {
          update: messageKey(inbox, ulidOf(of)),
          set: 'ADD duplicates :one',
          condition: 'attribute_exists(pk)',
          values: { ':one': 1 },
          otherwise: 'gone',
        },
      ]);
      return outcome === 'done' ? 'counted' : outcome.refused;
    },

    fitsRow,
  };
};

/** What an inbox holds and may hold, by its row and that of its organization. */
const roomOf = (inbox: Row | undefined, organization: Row | undefined): Room => {
  const { stored_bytes = 0, storage_limit, storage_warned } = inbox ?? {};
  return {
    stored_bytes,
    ...(storage_limit !== undefined && { storage_limit }),
    // A warning is about one limit; with another it may be given again.
    warned: storage_limit !== undefined && storage_warned === storage_limit,
    organization_full:
      organization?.['storage_limit'] !== undefined && organization['storage_state'] === 'full',
  };
};

/**
 * The inbox counts the mail, if it is there and what was decided by its room still holds. A mail would name its row in
 * the transaction for the condition alone, which costs the same.
 */
function roomWrite({ inbox, message, intake }: Delivery): Write<Word> {
  const add = 'ADD stored_bytes :size';
  const about = { update: inboxKey(inbox), otherwise: 'no_inbox' as const };
  const size = { ':size': message.size };
  if (intake === undefined)
    return {
      ...about,
      set: add,
      condition: 'attribute_exists(pk) AND attribute_not_exists(storage_limit)',
      values: size,
    };
  const { storage_limit, warned, between, warning } = intake;
  const flag = { given: ' SET storage_warned = :limit', forgotten: ' REMOVE storage_warned' };
  const told = warned
    ? 'storage_warned = :limit'
    : '(attribute_not_exists(storage_warned) OR storage_warned <> :limit)';
  return {
    ...about,
    set: add + (warning === undefined ? '' : flag[warning]),
    condition: `storage_limit = :limit AND stored_bytes BETWEEN :from AND :to AND ${told}`,
    values: { ...size, ':limit': storage_limit, ':from': between[0], ':to': between[1] },
  };
}

function leadWrite(inbox: InboxRef, id: string, was: string | undefined, threadId: string): Write<Word> {
  const row: Row = { ...wireIdKey(inbox, id), v: rowVersion, thread_id: threadId };
  if (was === undefined) return { put: row, condition: absent, otherwise: 'changed' };
  return {
    put: row,
    condition: `${absent} OR thread_id = :was`,
    values: { ':was': was },
    otherwise: 'changed',
  };
}
