import { beforeEach, describe, expect, it } from 'vitest';
import { maxLabels } from '../../lib/contract/label.ts';
import type { KeyPrincipal, Scope } from '../../lib/contract/principal.ts';
import { scopeOfInbox } from '../../lib/contract/scope.ts';
import { continueDelete, continueLabels } from '../../lib/core/background-threads.ts';
import { deleteThread, updateThread } from '../../lib/core/change-threads.ts';
import { deleteMessage } from '../../lib/core/delete-message.ts';
import { writesOf } from '../../lib/core/change-size.ts';
import type { DueWork } from '../../lib/core/due-ports.ts';
import { maxWrites, type ObjectFolder, type StoredMessage } from '../../lib/core/mail-ports.ts';
import { newThread, withMessage } from '../../lib/core/thread-state.ts';
import { batchUpdateMessages, updateMessage } from '../../lib/core/update-messages.ts';
import {
  callIn,
  inboxRef,
  keyPrincipal,
  modest,
  newDeed,
  organizationId,
  sampleMessage,
  ulidAt,
} from '../support/mail-samples.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { MemoryMailbox } from '../support/memory-mailbox.ts';
import { storedInbox } from '../support/table-house.ts';
import type { InboxStore } from '../../lib/core/ports.ts';
import { counting, MemoryDue } from '../support/memory-ports.ts';

const inbox = inboxRef();
const thread_id = `thr_${ulidAt(0)}`;
const path = { inbox_id: inbox.inbox_id, thread_id };
let mailbox: MemoryMailbox;
let deps: {
  mailbox: MemoryMailbox;
  inboxes: Pick<InboxStore, 'get'>;
  now: () => number;
  ulid: () => string;
  due: MemoryDue;
};
/** It was not taken down. */
const inboxes = { get: async () => storedInbox() };
let time: number;
beforeEach(() => {
  mailbox = new MemoryMailbox();
  time = Date.parse('2026-02-01T00:00:00.000Z');
  deps = { mailbox, inboxes, now: () => time++, ulid: counting(), due: new MemoryDue() };
});

async function fill(count: number, more: (n: number) => Partial<StoredMessage> = () => ({})): Promise<void> {
  for (let n = 0; n < count; n++) {
    const message = sampleMessage(n, { body: 'row', digest: String(n), ...more(n) });
    const before = await mailbox.thread(inbox, message.thread_id);
    const event = {
      event_id: 'evt_x',
      event_type: 'message.received',
      organization_id: '',
      pod_id: '',
      inbox_id: '',
      timestamp: '',
    } as const;
    await mailbox.append({
      inbox,
      ses_id: message.message_id,
      digest: String(n),
      message,
      bodies: {},
      ...(before && { before }),
      after: withMessage(before ?? newThread(message), message, message.created_at),
      leads: [],
      event,
      line: sampleLine(n),
    });
  }
}
const label = (
  change: { add?: string[]; remove?: string[] },
  principal: KeyPrincipal = keyPrincipal(),
  deed = newDeed(),
) =>
  updateThread(deps)({
    ...callIn(inbox, principal, deed),
    path,
    query: undefined,
    body: { add: [], remove: [], ...change },
  });
const remove = (principal = keyPrincipal(), deed = newDeed()) =>
  deleteThread(deps)({ ...callIn(inbox, principal, deed), path, query: undefined, body: undefined });
const relabel = (n: number, change: { add?: string[]; remove?: string[] }, principal = keyPrincipal()) =>
  updateMessage(deps)({
    ...callIn(inbox, principal),
    path: { inbox_id: inbox.inbox_id, message_id: `msg_${ulidAt(n)}` },
    query: undefined,
    body: { add: [], remove: [], ...change },
  });
const messages = () => [...mailbox.of(inbox).messages.values()];
const carriers = (name: string) => messages().filter(({ labels }) => labels.includes(name)).length;
const dueWork = <Kind extends DueWork['kind']>(kind: Kind) =>
  mailbox.changes.map(({ due }) => due).findLast((due) => due?.kind === kind) as Extract<
    DueWork,
    { kind: Kind }
  >;
const labelsOf = (count: number, name = 'l') =>
  Array.from({ length: count }, (_, n) => `${name}${String(n).padStart(2, '0')}`);

describe('labels of a short thread', () => {
  it('change on every message in one transaction, with one event', async () => {
    await fill(5);
    expect(await label({ add: ['todo'], remove: ['unread'] })).toEqual({
      thread_id,
      labels: ['received', 'todo'],
    });
    expect(carriers('todo')).toBe(5);
    expect(carriers('unread')).toBe(0);
    expect(mailbox.changes).toHaveLength(1);
    expect(mailbox.changes[0]?.event).toMatchObject({
      event_type: 'thread.labeled',
      thread_id,
      added: ['todo'],
      removed: ['unread'],
    });
  });

  it('stay as they are when there is nothing to change, without a write', async () => {
    await fill(3);
    expect(await label({ add: ['received2'], remove: [] })).toMatchObject({
      labels: ['received', 'received2', 'unread'],
    });
    expect(await label({ remove: ['nothing'] })).toEqual({
      thread_id,
      labels: ['received', 'received2', 'unread'],
    });
    expect(mailbox.changes).toHaveLength(1);
  });

  it('of hidden messages do not change for who may not see them', async () => {
    await fill(4, (n) => ({ labels: n === 2 ? ['received', 'blocked'] : ['received'] }));
    await label({ add: ['todo'], remove: ['blocked'] }, modest);
    expect(carriers('blocked')).toBe(1);
    expect(carriers('todo')).toBe(3);
    await label({ remove: ['blocked'] });
    expect(carriers('blocked')).toBe(0);
  });

  it('are found under the thread alone, only in scope', async () => {
    await fill(1);
    const under = (scope: Scope, deed = newDeed()) =>
      updateThread(deps)({
        ...{ principal: keyPrincipal({ scope }), scope, deed, path: { thread_id }, query: undefined },
        body: { add: ['x'], remove: [] },
      });
    for (const scope of [
      scopeOfInbox(inboxRef('grace')),
      { organization_id: 'org_other' },
      { organization_id: organizationId, pod_id: 'pod_other' },
    ])
      await expect(under(scope)).rejects.toMatchObject({ code: 'not_found' });
    expect(carriers('x')).toBe(0);
    const deed = newDeed({ line: sampleLine(1, { resources: [thread_id] }) });
    await expect(under({ organization_id: organizationId }, deed)).resolves.toMatchObject({
      labels: ['received', 'unread', 'x'],
    });
    // The path named no inbox: the line says which it was.
    expect(deed.line).toMatchObject({ inbox_uid: inbox.uid, pod_id: inbox.pod_id });
    await expect(under({ organization_id: organizationId, pod_id: inbox.pod_id })).resolves.toBeDefined();
  });
});

describe('labels of a long thread', () => {
  it('change on the newest message at once and follow on the rest', async () => {
    await fill(130);
    expect(await label({ add: ['todo'], remove: ['unread'] })).toEqual({
      thread_id,
      labels: ['received', 'todo'],
      pending: true,
    });
    expect(carriers('todo')).toBe(1);
    await continueLabels(deps, dueWork('label-thread'));
    expect(carriers('todo')).toBe(130);
    expect(carriers('unread')).toBe(0);
    const writes = mailbox.changes.length;
    await continueLabels(deps, dueWork('label-thread'));
    expect(mailbox.changes).toHaveLength(writes);
    expect((await mailbox.thread(inbox, thread_id))?.visible.labels).toEqual({ received: 130, todo: 130 });
  });

  it('follow some hundred a minute, so that other work is not held up', async () => {
    await fill(1300);
    await label({ add: ['todo'] });
    let work = dueWork('label-thread');
    const steps: number[] = [];
    for (let next: DueWork | undefined = work; next !== undefined;) {
      work = next as typeof work;
      const began = time;
      await continueLabels(deps, work);
      steps.push(carriers('todo'));
      const [filed, ...more] = [...deps.due.filed];
      expect(more).toEqual([]);
      if (filed !== undefined)
        expect(filed[0] > `${new Date(began + 59_000).toISOString().slice(0, 16)}`).toBe(true);
      next = filed?.[1];
      deps.due.filed.clear();
    }
    expect(steps.at(-1)).toBe(1300);
    expect(steps.map((count, n) => count - (steps[n - 1] ?? 0)).every((count) => count <= 500)).toBe(true);
    // Each step goes on where the one before ended.
    expect(mailbox.changes.length).toBeLessThanOrEqual(1301);
  });

  it('are finished by a repeat when the work stopped midway', async () => {
    await fill(60);
    await label({ add: ['todo'] });
    let left = 23;
    mailbox.before = async () => {
      if (left-- === 0) throw new Error('the function ended');
    };
    await expect(continueLabels(deps, dueWork('label-thread'))).rejects.toThrow('ended');
    expect(carriers('todo')).toBe(24);
    mailbox.before = async () => undefined;
    await continueLabels(deps, dueWork('label-thread'));
    expect(carriers('todo')).toBe(60);
  });

  it('leave mail alone that came later, and follow changes made meanwhile', async () => {
    await fill(40);
    await label({ add: ['todo'] });
    await fill(45, (n) => (n < 40 ? {} : { message_id: `msg_${ulidAt(n)}` }));
    let neighbours = 5;
    mailbox.before = async () => {
      if (neighbours-- <= 0) return;
      const thread = (await mailbox.thread(inbox, thread_id))!;
      mailbox.of(inbox).threads.set(thread_id, { ...thread, version: thread.version + 1 });
      const old = mailbox.of(inbox).messages.get(`msg_${ulidAt(20)}`)!;
      mailbox
        .of(inbox)
        .messages.set(old.message_id, { ...old, updated_at: `${old.updated_at}!`, subject: 'changed' });
    };
    await continueLabels(deps, dueWork('label-thread'));
    expect(carriers('todo')).toBe(40);
    expect(mailbox.of(inbox).messages.get(`msg_${ulidAt(20)}`)).toMatchObject({
      subject: 'changed',
      labels: ['received', 'unread', 'todo'],
    });
  });

  it('work also where the newest has them already and only older ones do not', async () => {
    await fill(30, (n) => ({ labels: n < 5 ? ['received'] : ['received', 'todo'] }));
    expect(await label({ add: ['todo'] })).toMatchObject({ pending: true });
    await continueLabels(deps, dueWork('label-thread'));
    expect(carriers('todo')).toBe(30);
  });

  it('spare what the caller may not see, in the background too', async () => {
    await fill(40, (n) => ({ labels: n % 2 === 0 ? ['received', 'blocked'] : ['received'] }));
    await label({ add: ['todo'], remove: ['blocked'] }, modest);
    await continueLabels(deps, dueWork('label-thread'));
    expect(carriers('blocked')).toBe(20);
    expect(carriers('todo')).toBe(20);
  });

  it('leave out a label that has no room left by then', async () => {
    await fill(30);
    await label({ add: ['late'] });
    await relabel(29, { remove: ['late'] });
    await relabel(28, { add: labelsOf(maxLabels) });
    await continueLabels(deps, dueWork('label-thread'));
    expect(carriers('late')).toBe(0);
  });
});

describe('a short thread that does not fit one transaction', () => {
  it('follows in the background as well', async () => {
    await fill(20, () => ({ labels: ['received', 'unread', ...labelsOf(3)] }));
    expect(await label({ add: ['spam'] })).toMatchObject({ pending: true });
    await continueLabels(deps, dueWork('label-thread'));
    expect(carriers('spam')).toBe(20);
    expect(mailbox.changes.every((change) => writesOf(change) <= 100)).toBe(true);
  });
});

describe('too many labels', () => {
  it('of one’s own are refused on a message and on a thread', async () => {
    await fill(3);
    await relabel(0, { add: labelsOf(10, 'a') });
    await expect(relabel(1, { add: labelsOf(6, 'b') })).rejects.toMatchObject({ code: 'validation_error' });
    await relabel(1, { add: labelsOf(5, 'b') });
    await expect(label({ add: ['c'] })).rejects.toMatchObject({ code: 'validation_error' });
    // The mailroom's own words do not count.
    await expect(relabel(2, { add: ['spam', 'trash', 'unread'] })).resolves.toBeDefined();
  });

  it('never make a change of a message that a transaction does not hold', async () => {
    const everything = ['received', 'unread', ...labelsOf(maxLabels)];
    await fill(2, (n) => ({ thread_id: `thr_${ulidAt(n)}`, labels: everything }));
    for (const n of [0, 1]) {
      await relabel(n, { add: ['spam', 'trash', 'blocked', 'unauthenticated'] });
      await relabel(n, { remove: ['spam', 'trash', 'blocked', 'unauthenticated'] });
      await relabel(n, { add: ['spam'], remove: labelsOf(maxLabels) });
      await relabel(n, { add: labelsOf(maxLabels, 'new') });
      await deleteMessage(deps)({
        ...callIn(inbox),
        path: { inbox_id: inbox.inbox_id, message_id: `msg_${ulidAt(n)}` },
        query: undefined,
        body: undefined,
      });
    }
    expect(Math.max(...mailbox.changes.map(writesOf))).toBeGreaterThan(70);
    expect(Math.max(...mailbox.changes.map(writesOf))).toBeLessThanOrEqual(100);
    expect(messages()).toEqual([]);
  });

  it('that all the same would are refused in words, and changed a few at a time', async () => {
    const sent = [
      'sent',
      'delivered',
      'opened',
      'bounced',
      'complained',
      'delayed',
      'rejected',
      'scheduled',
      'received',
      'unread',
    ];
    await fill(1, () => ({ labels: [...sent, ...labelsOf(maxLabels)] }));
    await expect(relabel(0, { add: ['trash'] })).rejects.toMatchObject({
      code: 'limit_exceeded',
      status: 403,
      message: expect.stringContaining('too many labels') as string,
    });
    await relabel(0, { remove: labelsOf(maxLabels) });
    await expect(relabel(0, { add: ['trash'] })).resolves.toBeDefined();
  });
});

describe('deleting', () => {
  const erased: string[] = [];
  const erase = async (folders: ObjectFolder[]) =>
    void erased.push(...folders.map(({ message_id }) => message_id));
  beforeEach(() => void (erased.length = 0));

  it('a short thread takes all with it, its objects by work that is due', async () => {
    await fill(5);
    expect(await remove()).toBeUndefined();
    expect(messages()).toEqual([]);
    expect(await mailbox.thread(inbox, thread_id)).toBeUndefined();
    expect([...mailbox.of(inbox).lists.values()].flat()).toEqual([]);
    expect(dueWork('erase-objects').folders).toHaveLength(5);
    expect(mailbox.changes[0]?.event).toMatchObject({ event_type: 'thread.deleted' });
    await expect(remove()).rejects.toMatchObject({ code: 'not_found' });
  });

  it('a long one leaves every list at once and goes in the background', async () => {
    await fill(90, (n) => ({
      labels: ['received', 'unread', ...(n % 9 === 0 ? ['spam'] : []), ...labelsOf(maxLabels)],
    }));
    expect(await remove()).toEqual({ thread_id, pending: true });
    expect(mailbox.list(inbox, { of: 'threads' })).toEqual([]);
    await expect(remove()).rejects.toMatchObject({ code: 'not_found' });
    await continueDelete(deps, dueWork('delete-thread'), erase);
    expect(messages()).toEqual([]);
    expect(await mailbox.thread(inbox, thread_id)).toBeUndefined();
    expect([...mailbox.of(inbox).lists.values()].flat()).toEqual([]);
    expect(new Set(erased).size).toBe(90);
    expect(Math.max(...mailbox.changes.map(writesOf))).toBeLessThanOrEqual(100);
    await continueDelete(deps, dueWork('delete-thread'), erase);
  });

  it('goes some hundred a minute, so that other work is not held up', async () => {
    await fill(1100);
    await remove();
    const left: number[] = [];
    for (let step = 0; step < 3; step++) {
      await continueDelete(deps, dueWork('delete-thread'), erase);
      left.push(messages().length);
      expect([...deps.due.filed.values()]).toEqual(step < 2 ? [dueWork('delete-thread')] : []);
      deps.due.filed.clear();
    }
    expect(left).toEqual([600, 100, 0]);
    expect(await mailbox.thread(inbox, thread_id)).toBeUndefined();
  });

  it('is finished by a repeat when it stopped midway', async () => {
    await fill(60);
    await remove();
    let left = 4;
    mailbox.before = async () => {
      if (left-- === 0) throw new Error('the function ended');
    };
    await expect(continueDelete(deps, dueWork('delete-thread'), erase)).rejects.toThrow('ended');
    expect(messages().length).toBeGreaterThan(0);
    mailbox.before = async () => undefined;
    await continueDelete(deps, dueWork('delete-thread'), erase);
    expect(messages()).toEqual([]);
    expect(new Set(erased).size).toBe(60);
  });

  it('the last message ends its thread; another one leaves the rest', async () => {
    await fill(2);
    const take = (n: number, principal = keyPrincipal()) =>
      deleteMessage(deps)({
        ...callIn(inbox, principal),
        path: { inbox_id: inbox.inbox_id, message_id: `msg_${ulidAt(n)}` },
        query: undefined,
        body: undefined,
      });
    await take(1);
    expect(await mailbox.thread(inbox, thread_id)).toMatchObject({
      visible: { count: 1, last: { message_id: `msg_${ulidAt(0)}` } },
    });
    await expect(take(1)).rejects.toMatchObject({ code: 'not_found' });
    await take(0);
    expect(await mailbox.thread(inbox, thread_id)).toBeUndefined();
    expect(mailbox.changes.map(({ due }) => due?.kind)).toEqual(['erase-objects', 'erase-objects']);
  });
});

describe('a batch of messages', () => {
  it('changes each it may, and leaves out the rest', async () => {
    await fill(4, (n) => ({ labels: n === 3 ? ['received', 'spam'] : ['received', 'unread'] }));
    const ids = [0, 3, 1, 99].map((n) => `msg_${ulidAt(n)}`);
    const body = { message_ids: [...ids, 'no id'], add: ['todo'], remove: ['unread'] };
    const answer = await batchUpdateMessages(deps)({
      ...callIn(inbox, modest),
      path: { inbox_id: inbox.inbox_id },
      query: undefined,
      body,
    });
    expect(answer).toEqual({
      limit: 5,
      count: 2,
      updates: [
        { message_id: ids[0], labels: ['received', 'todo'] },
        { message_id: ids[2], labels: ['received', 'todo'] },
      ],
    });
    expect(carriers('todo')).toBe(2);
  });
});

describe('what a call leaves behind', () => {
  const whole = () =>
    newDeed({
      once: { key: 'n', expires: 2_000_000_000 },
      line: sampleLine(1),
      reservation: { organization_id: organizationId, key: 'k', owner: 'o' },
    });

  it('goes with the first of its changes, and with none that changes nothing', async () => {
    await fill(2);
    const idle = whole();
    await label({ remove: ['nothing'] }, keyPrincipal(), idle);
    expect(idle.written).toBe(false);
    for (const act of [
      (deed = whole()) => label({ add: ['x'] }, keyPrincipal(), deed).then(() => deed),
      (deed = whole()) => remove(keyPrincipal(), deed).then(() => deed),
    ])
      expect((await act()).written).toBe(true);
  });

  it('leaves room for itself: a change that fits without it and not with it goes in parts', async () => {
    // 13 messages and their thread in six more lists each, and the event: 99 rows.
    const grown = async (deed = newDeed()) => {
      mailbox = new MemoryMailbox();
      deps = { ...deps, mailbox };
      await fill(13);
      const { pending = false } = await label({ add: labelsOf(6) }, keyPrincipal(), deed);
      return { pending, size: mailbox.sizes.at(-1), written: deed.written };
    };
    expect(await grown()).toMatchObject({ pending: false, size: 99 });
    expect(await grown(newDeed({ line: sampleLine(1) }))).toEqual({
      ...{ pending: false, size: maxWrites, written: true },
    });
    expect(await grown(whole())).toMatchObject({ pending: true, written: true });
    await continueLabels(deps, dueWork('label-thread'));
    expect(carriers('l05')).toBe(13);
  });
});

it('a thread that others keep changing is a conflict, not a loop', async () => {
  await fill(2);
  mailbox.before = async () => {
    const thread = (await mailbox.thread(inbox, thread_id))!;
    mailbox.of(inbox).threads.set(thread_id, { ...thread, version: thread.version + 1 });
  };
  await expect(label({ add: ['x'] })).rejects.toMatchObject({ code: 'race_condition' });
  await expect(remove()).rejects.toMatchObject({ code: 'race_condition' });
  await expect(relabel(0, { add: ['x'] })).rejects.toMatchObject({ code: 'race_condition' });
});
