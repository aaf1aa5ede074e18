import { deedRows, type Deed } from '../../lib/contract/call.ts';
import type { MailEvent } from '../../lib/contract/event.ts';
import type { InboxRef } from '../../lib/contract/principal.ts';
import { writesOf } from '../../lib/core/change-size.ts';
import type {
  Bodies,
  Delivery,
  DeliveryStore,
  ListedEntry,
  MailboxStore,
  RefusedMail,
  StoredMessage,
  ThreadChange,
} from '../../lib/core/mail-ports.ts';
import { defined } from '../../lib/core/defined.ts';
import type { Room } from '../../lib/core/room.ts';
import { difference, messageEntries, ulidOf, type ListEntry } from '../../lib/core/message-lists.ts';
import {
  listedIn,
  shownHalf,
  isVisible,
  threadEntries,
  type ThreadState,
} from '../../lib/core/thread-state.ts';

interface Kept {
  messages: Map<string, StoredMessage>;
  threads: Map<string, ThreadState>;
  bodies: Map<string, Bodies>;
  lists: Map<string, ListedEntry[]>;
  leads: Map<string, string>;
  claims: Map<string, string>;
  /** Deliveries that were refused. */
  refused: Set<string>;
  room: Room;
}

/**
 * Mailboxes in memory, with the rules of the stores: every write names the version it saw, and list rows change by
 * the difference only. `queries` counts list queries; `before` runs ahead of each write, where a test lets a
 * neighbour in.
 */
export class MemoryMailbox implements MailboxStore, DeliveryStore {
  readonly changes: ThreadChange[] = [];
  /** Writes of each transaction that was offered, with those of its deed. */
  readonly sizes: number[] = [];
  readonly deliveries: Delivery[] = [];
  /** Events of mails that there was no room for. */
  readonly refusals: MailEvent[] = [];
  readonly gone = new Set<string>();
  queries = 0;
  before: () => Promise<void> = async () => undefined;
  readonly #inboxes = new Map<string, Kept>();

  of({ uid }: { uid: string }): Kept {
    const kept = this.#inboxes.get(uid) ?? {
      messages: new Map(),
      threads: new Map(),
      bodies: new Map(),
      lists: new Map(),
      leads: new Map(),
      claims: new Map(),
      refused: new Set<string>(),
      room: { stored_bytes: 0, warned: false, organization_full: false },
    };
    this.#inboxes.set(uid, kept);
    return kept;
  }

  async message(inbox: InboxRef, id: string) {
    return this.of(inbox).messages.get(id);
  }
  async messages(inbox: InboxRef, ids: string[]) {
    return ids.map((id) => this.of(inbox).messages.get(id));
  }
  async whole(inbox: InboxRef, id: string) {
    const message = await this.message(inbox, id);
    const bodies = this.of(inbox).bodies.get(id);
    return message && { message, ...(bodies && { bodies }) };
  }

  async bodies(inbox: InboxRef, ids: string[]) {
    const { bodies } = this.of(inbox);
    return new Map(ids.flatMap((id) => (bodies.has(id) ? [[id, bodies.get(id)!] as const] : [])));
  }
  async thread(inbox: InboxRef, id: string) {
    return this.of(inbox).threads.get(id);
  }
  async threads(inbox: InboxRef, ids: string[]): Promise<ThreadState[]> {
    return ids.map((id) => this.of(inbox).threads.get(id)!).filter((thread) => thread !== undefined);
  }

  async entries(
    inbox: InboxRef,
    list: ListEntry['list'],
    { from = '', to = '~', after, ascending, limit }: Parameters<MailboxStore['entries']>[2],
  ) {
    this.queries++;
    const all = this.of(inbox).lists.get(JSON.stringify(list)) ?? [];
    const low = after !== undefined && ascending && after >= from ? after : undefined;
    const high = after !== undefined && !ascending && after <= to ? after : undefined;
    const start = firstFrom(all, low ?? from, low !== undefined);
    const end = firstFrom(all, high ?? to, high === undefined);
    const size = Math.max(0, end - start);
    const count = Math.min(limit, size);
    const entries = ascending ? all.slice(start, start + count) : all.slice(end - count, end).reverse();
    // As DynamoDB: a full page says there may be more, even where it ends with the list.
    return { entries, more: count === limit && count > 0 };
  }

  async organizationThreads(
    organizationId: string,
    visible: boolean,
    { from = '', to = '~', after, ascending, limit }: Parameters<MailboxStore['organizationThreads']>[2],
  ): ReturnType<MailboxStore['organizationThreads']> {
    const all = [...this.#inboxes.values()]
      .flatMap(({ threads }) => [...threads.values()])
      .filter(
        (thread) =>
          thread.organization_id === organizationId &&
          thread.deleting !== true &&
          isVisible(thread) === visible,
      )
      .flatMap((thread) => {
        const { last_received } = shownHalf(thread);
        return last_received === undefined ? [] : [{ thread, ulid: ulidOf(last_received.message_id) }];
      })
      .filter(
        ({ ulid }) =>
          ulid >= from && ulid <= to && (after === undefined || (ascending ? ulid > after : ulid < after)),
      )
      .sort((a, b) => (a.ulid < b.ulid ? -1 : 1) * (ascending ? 1 : -1));
    return { found: all.slice(0, limit), more: all.length > limit };
  }

  async inboxOfThread(organization_id: string, threadId: string) {
    for (const [uid, { threads }] of this.#inboxes) {
      const thread = threads.get(threadId);
      if (thread?.organization_id === organization_id)
        return { uid, inbox_id: thread.inbox_id, organization_id, pod_id: thread.pod_id };
    }
    return undefined;
  }

  async change(change: ThreadChange, deed?: Deed) {
    await this.before();
    this.sizes.push(writesOf(change) + deedRows(deed));
    const { before, after, messages } = change;
    const kept = this.of(before);
    if (kept.threads.get(before.thread_id)?.version !== before.version) return 'stale' as const;
    for (const { before: old } of messages) {
      const now = kept.messages.get(old.message_id);
      if (now?.updated_at !== old.updated_at || now.duplicates !== old.duplicates) return 'stale' as const;
    }
    this.changes.push(change);
    if (deed !== undefined) deed.written = true;
    if (after === undefined) kept.threads.delete(before.thread_id);
    else kept.threads.set(before.thread_id, after);
    this.#relist(kept, listedIn(before), after === undefined ? [] : listedIn(after), {
      thread_id: before.thread_id,
    });
    for (const { before: old, after: changed } of messages) {
      if (changed === undefined) this.#forget(kept, old);
      else kept.messages.set(old.message_id, changed);
      this.#relist(kept, messageEntries(old), changed === undefined ? [] : messageEntries(changed), {
        message_id: old.message_id,
        thread_id: old.thread_id,
      });
    }
    return 'changed' as const;
  }

  #forget(kept: Kept, { message_id, rfc822_message_id = '', digest, size }: StoredMessage): void {
    kept.messages.delete(message_id);
    kept.room.stored_bytes -= size;
    kept.bodies.delete(message_id);
    kept.claims.delete(`mail:${rfc822_message_id}\n${digest}`);
  }

  async acquaint(inbox: InboxRef, mail: Parameters<DeliveryStore['acquaint']>[1]) {
    const { claims, leads, refused, room } = this.of(inbox);
    const twin = claims.get(`mail:${mail.rfc822_message_id}\n${mail.digest}`);
    return {
      ...defined({ delivered: claims.get(`ses:${mail.ses_id}`) }),
      ...(twin !== undefined && { twin }),
      threads: new Map(mail.ids.flatMap((id) => (leads.has(id) ? [[id, leads.get(id)!] as const] : []))),
      ...(refused.has(mail.ses_id) && { refused: true as const }),
      room: { ...room },
    };
  }

  async append(delivery: Delivery) {
    await this.before();
    const { inbox, ses_id, digest, message, bodies, before, after, leads } = delivery;
    const kept = this.of(inbox);
    const content = `mail:${message.rfc822_message_id ?? ''}\n${digest}`;
    if (kept.claims.has(`ses:${ses_id}`)) return 'delivered' as const;
    if (kept.claims.has(content)) return 'duplicate' as const;
    if (this.gone.has(inbox.uid)) return 'no_inbox' as const;
    if (kept.threads.get(after.thread_id)?.version !== before?.version) return 'changed' as const;
    for (const { id, was } of leads)
      if (kept.leads.has(id) && kept.leads.get(id) !== was) return 'changed' as const;
    if (!this.#takeRoom(kept, delivery)) return 'changed' as const;
    this.deliveries.push(delivery);
    kept.claims.set(`ses:${ses_id}`, message.message_id).set(content, message.message_id);
    kept.threads.set(after.thread_id, after);
    for (const { id } of leads) kept.leads.set(id, after.thread_id);
    kept.messages.set(message.message_id, message);
    if (bodies !== undefined) kept.bodies.set(message.message_id, bodies);
    this.#relist(kept, [], messageEntries(message), {
      message_id: message.message_id,
      thread_id: message.thread_id,
    });
    this.#relist(kept, before === undefined ? [] : threadEntries(before), threadEntries(after), {
      thread_id: after.thread_id,
    });
    return 'added' as const;
  }

  /** As the condition of the store has it. */
  #takeRoom({ room }: Kept, { message, intake }: Delivery): boolean {
    if (room.storage_limit !== intake?.storage_limit) return false;
    if (intake !== undefined) {
      const [from, to] = intake.between;
      if (room.warned !== intake.warned || room.stored_bytes < from || room.stored_bytes > to) return false;
      if (intake.warning !== undefined) room.warned = intake.warning === 'given';
    }
    room.stored_bytes += message.size;
    return true;
  }

  async refuse({ inbox, ses_id, event }: RefusedMail) {
    await this.before();
    const { claims, refused } = this.of(inbox);
    if (claims.has(`ses:${ses_id}`)) return 'delivered' as const;
    if (this.gone.has(inbox.uid)) return 'no_inbox' as const;
    claims.set(`ses:${ses_id}`, '');
    refused.add(ses_id);
    this.refusals.push(event);
    return 'refused' as const;
  }

  async countDuplicate(inbox: InboxRef, { ses_id, of }: { ses_id: string; of: string }) {
    await this.before();
    const { claims, messages } = this.of(inbox);
    if (claims.has(`ses:${ses_id}`)) return 'counted' as const;
    const message = messages.get(of);
    if (message === undefined) return 'gone' as const;
    claims.set(`ses:${ses_id}`, of);
    messages.set(of, { ...message, duplicates: (message.duplicates ?? 0) + 1 });
    return 'counted' as const;
  }

  fitsRow = async (bodies: Bodies): Promise<boolean> => JSON.stringify(bodies).length < 4096;

  #relist(
    kept: Kept,
    before: ListEntry[],
    after: ListEntry[],
    target: { message_id?: string; thread_id: string },
  ): void {
    const { put, remove } = difference(before, after);
    const listOf = ({ list }: ListEntry): ListedEntry[] => {
      const name = JSON.stringify(list);
      const found = kept.lists.get(name) ?? [];
      kept.lists.set(name, found);
      return found;
    };
    for (const entry of remove) {
      const list = listOf(entry);
      const at = firstFrom(list, entry.ulid);
      if (list[at]?.ulid === entry.ulid) list.splice(at, 1);
    }
    for (const entry of put) {
      const list = listOf(entry);
      const at = firstFrom(list, entry.ulid);
      list.splice(at, list[at]?.ulid === entry.ulid ? 1 : 0, {
        ulid: entry.ulid,
        hidden: entry.hidden,
        ...target,
      });
    }
  }

  /** A list as it stands, from old to new. */
  list(inbox: { uid: string }, list: ListEntry['list']): string[] {
    return (this.of(inbox).lists.get(JSON.stringify(list)) ?? []).map(({ ulid }) => ulid);
  }
}

/** Index of the first entry at or (with `behind`) after the given ULID, in a sorted list. */
function firstFrom(list: ListedEntry[], ulid: string, behind = false): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (behind ? list[middle]!.ulid <= ulid : list[middle]!.ulid < ulid) low = middle + 1;
    else high = middle;
  }
  return low;
}
