import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeThread, type ChangeDeps } from '../../lib/core/change-messages.ts';
import { writesOf } from '../../lib/core/change-size.ts';
import type { StoredMessage } from '../../lib/core/mail-ports.ts';
import { messageEntries, ulidOf } from '../../lib/core/message-lists.ts';
import {
  listedIn,
  newThread,
  threadEntries,
  toThreadItem,
  withMessage,
  type ThreadHalf,
  type ThreadState,
} from '../../lib/core/thread-state.ts';
import { inboxRef, pass, sampleMessage, sampleNotice, ulidAt } from '../support/mail-samples.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { MemoryMailbox } from '../support/memory-mailbox.ts';
import { counting } from '../support/memory-ports.ts';

const inbox = inboxRef();
const threadId = `thr_${ulidAt(0)}`;
const some = fc.uniqueArray(
  fc.constantFrom('received', 'sent', 'unread', 'a', 'constructor', 'spam', 'trash'),
  { maxLength: 4 },
);
type Step =
  { do: 'add'; n: number; labels: string[] } | { do: 'relabel' | 'delete'; pick: number; labels: string[] };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), n: fc.nat(10_000), labels: some }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('relabel' as const), pick: fc.nat(10_000), labels: some }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('delete' as const), pick: fc.nat(10_000), labels: some }),
  },
);

/** A mailbox with one thread, changed as the use cases change it. */
class World {
  readonly mailbox = new MemoryMailbox();
  readonly messages = new Map<string, StoredMessage>();
  readonly #deps: ChangeDeps = { mailbox: this.mailbox, now: () => 1_800_000_000_000, ulid: counting() };
  #ticks = 0;

  get state(): ThreadState | undefined {
    return this.mailbox.of(inbox).threads.get(threadId);
  }
  async add(message: StoredMessage): Promise<void> {
    if (this.messages.has(message.message_id)) return;
    const before = this.state;
    const after = withMessage(before ?? newThread(message), message, message.created_at);
    const event = {
      event_id: 'evt_x',
      event_type: 'message.received',
      organization_id: '',
      pod_id: '',
      inbox_id: '',
      timestamp: '',
    } as const;
    const outcome = await this.mailbox.append({
      inbox,
      ses_id: message.message_id,
      digest: message.message_id,
      message,
      ...(before && { before }),
      after,
      leads: [],
      event,
      line: sampleLine(0),
    });
    // What was delivered before and deleted since does not come back: its delivery is claimed.
    if (outcome === 'added') this.messages.set(message.message_id, message);
  }
  async change(changes: { before: StoredMessage; labels?: string[] }[]): Promise<void> {
    const planned = changes.map(({ before, labels }) => ({
      before,
      ...(labels && { after: { ...before, labels, updated_at: `t${this.#ticks++}` } }),
    }));
    await changeThread(this.#deps, inbox, threadId, async () => ({ changes: planned }));
    for (const { before, after } of planned) {
      if (after === undefined) this.messages.delete(before.message_id);
      else this.messages.set(after.message_id, after);
    }
  }
  async run({ do: what, labels, ...rest }: Step): Promise<void> {
    if ('n' in rest) return this.add(sampleMessage(rest.n, { labels }));
    const all = [...this.messages.values()];
    const before = all[rest.pick % all.length];
    if (before !== undefined) await this.change([{ before, ...(what === 'relabel' && { labels }) }]);
  }
  /** The fold of everything that is there, from scratch. */
  fold(): ThreadState | undefined {
    const oldestFirst = [...this.messages.values()].sort((a, b) => (a.message_id < b.message_id ? -1 : 1));
    const first = oldestFirst[0];
    return first && oldestFirst.reduce((state, message) => withMessage(state, message, ''), newThread(first));
  }
}

/** What has to be exact whatever the thread's length; names and attachments are a union in order of arrival. */
const exact = ({ count, size, labels, last, last_received, last_sent }: ThreadHalf) => ({
  count,
  size,
  labels,
  last,
  last_received,
  last_sent,
});
const names = ({ senders, recipients }: ThreadHalf) => ({
  senders: senders.toSorted(),
  recipients: recipients.toSorted(),
});

function expectFolded(world: World, short: boolean): void {
  const [state, folded] = [world.state, world.fold()];
  expect(state === undefined).toBe(folded === undefined);
  if (state === undefined || folded === undefined) return;
  for (const half of ['visible', 'hidden'] as const) {
    expect(exact(state[half])).toEqual(exact(folded[half]));
    for (const what of ['senders', 'recipients'] as const)
      expect(state[half][what]).toEqual(expect.arrayContaining(folded[half][what]));
    if (short) expect(names(state[half])).toEqual(names(folded[half]));
  }
  expect(rowsOf(threadEntries(state))).toEqual(rowsOf(threadEntries(folded)));
  const [item, wanted] = [toThreadItem(state), toThreadItem(folded)];
  expect({ ...item, ...untold }).toEqual({ ...wanted, ...untold });
}
const untold = { senders: [], recipients: [], subject: '', created_at: '', updated_at: '' };
const rowsOf = (entries: ReturnType<typeof threadEntries>) =>
  entries.map((entry) => JSON.stringify(entry)).sort();

/** Every list holds just what its messages and threads say. */
function expectListed(world: World): void {
  const { lists } = world.mailbox.of(inbox);
  const wanted = new Map<string, string[]>();
  const entries = [
    ...[...world.messages.values()].flatMap(messageEntries),
    ...(world.state === undefined ? [] : listedIn(world.state)),
  ];
  for (const { list, ulid } of entries)
    wanted.set(JSON.stringify(list), [...(wanted.get(JSON.stringify(list)) ?? []), ulid].sort());
  const kept = [...lists]
    .filter(([, rows]) => rows.length > 0)
    .map(([name, rows]) => [name, rows.map(({ ulid }) => ulid)] as const);
  expect(new Map(kept.sort())).toEqual(new Map([...wanted].sort()));
}

describe('a thread', () => {
  it('is the fold of its messages after anything happened to them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World();
        for (const one of steps) await world.run(one);
        expectFolded(world, true);
        expectListed(world);
      }),
      { numRuns: 300 },
    );
  });

  it('is so when it is long, too, and its last messages lie far back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 101, max: 330 }),
        fc.array(fc.tuple(fc.nat(330), some), { maxLength: 12 }),
        fc.array(step, { minLength: 5, maxLength: 60 }),
        async (length, unlike, steps) => {
          const world = new World();
          const labels = new Map(unlike);
          for (let n = 0; n < length; n++)
            await world.add(sampleMessage(n * 20, { labels: labels.get(n) ?? ['received', 'spam'] }));
          for (const one of steps) await world.run(one);
          expectFolded(world, false);
          expectListed(world);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('knows its last messages when they lie hundreds of messages back', async () => {
    const seen: Record<number, string[]> = {
      3: ['sent'],
      10: ['received'],
      40: ['received', 'unread'],
      60: ['sent'],
    };
    for (const gone of [[60], [40], [60, 40], [60, 40, 10]]) {
      const world = new World();
      for (let n = 0; n < 350; n++)
        await world.add(sampleMessage(n, { labels: seen[n] ?? ['received', 'spam'] }));
      for (const n of gone)
        await world.change([{ before: world.messages.get(`msg_${ulidAt(n)}`)!, labels: ['trash'] }]);
      expectFolded(world, false);
      expectListed(world);
    }
  });

  it('is so when several messages change at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 130 }),
        fc.uniqueArray(fc.tuple(fc.nat(129), fc.option(some, { nil: undefined })), {
          selector: ([n]) => n,
          maxLength: 20,
        }),
        async (length, picks) => {
          const world = new World();
          for (let n = 0; n < length; n++) await world.add(sampleMessage(n));
          const changes = picks.flatMap(([n, labels]) =>
            n < length
              ? [{ before: world.messages.get(`msg_${ulidAt(n)}`)!, ...(labels && { labels }) }]
              : [],
          );
          const fits = await world.change(changes).then(
            () => true,
            () => false,
          );
          if (fits) expectFolded(world, false);
          expectListed(world);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is marked read without reading its messages', async () => {
    const world = new World();
    for (let n = 0; n < 300; n++) await world.add(sampleMessage(n));
    world.mailbox.queries = 0;
    await world.change([{ before: world.messages.get(`msg_${ulidAt(299)}`)!, labels: ['received'] }]);
    expect(world.mailbox.queries).toBe(0);
    expectFolded(world, false);
  });

  it('keeps its row small, whoever writes to it', () => {
    const long = (n: number) => ({
      from: `"${'ü'.repeat(900)}" <a${n}@b.test>`,
      to: Array.from({ length: 100 }, (_, at) => `${'x'.repeat(300)}${n}.${at}@c.test`),
      attachments: Array.from({ length: 200 }, (_, at) => ({
        attachment_id: `att_${n}_${at}`,
        filename: 'f'.repeat(255),
        size: 1,
      })),
    });
    let state = newThread(sampleMessage(0));
    for (let n = 0; n < 300; n++)
      state = withMessage(
        state,
        sampleMessage(n, { ...long(n), labels: n % 2 === 0 ? ['received'] : ['spam'] }),
        '',
      );
    expect(JSON.stringify(state).length).toBeLessThan(150_000);
    expect(state.visible.count).toBe(150);
  });
});

describe('the lists of a thread', () => {
  const fold = (...messages: StoredMessage[]) =>
    messages.reduce((state, message) => withMessage(state, message, ''), newThread(messages[0]!));
  const placesOf = (state: ThreadState) =>
    threadEntries(state).map(({ list, ulid, hidden }) => [
      list.of,
      'label' in list ? list.label : undefined,
      ulid,
      hidden.join(),
    ]);

  it('place it by its newest received message, and under each label by its newest', () => {
    const state = fold(
      sampleMessage(1),
      sampleMessage(3, { labels: ['sent'] }),
      sampleMessage(2, { labels: ['received'] }),
    );
    expect(placesOf(state)).toEqual([
      ['threads', undefined, ulidAt(2), ''],
      ['threads', 'received', ulidAt(3), ''],
      ['threads', 'unread', ulidAt(3), ''],
      ['threads', 'sent', ulidAt(3), ''],
    ]);
    expect(toThreadItem(state)).toMatchObject({
      message_count: 3,
      timestamp: sampleMessage(3).timestamp,
      received_timestamp: sampleMessage(2).timestamp,
      last_message_id: `msg_${ulidAt(3)}`,
    });
  });

  it('hide it only while nothing of it is visible', () => {
    const hidden = fold(
      sampleMessage(1, { labels: ['received', 'spam'] }),
      sampleMessage(2, { labels: ['received', 'trash'] }),
    );
    expect(placesOf(hidden).every(([of, , , by]) => of === 'hidden-threads' && by === 'spam,trash')).toBe(
      true,
    );
    const shown = withMessage(hidden, sampleMessage(0), '');
    expect(
      placesOf(shown).every(([of, , ulid, by]) => of === 'threads' && ulid === ulidAt(0) && by === ''),
    ).toBe(true);
    expect(toThreadItem(shown)).toMatchObject({
      message_count: 1,
      labels: ['received', 'unread'],
      size: sampleMessage(0).size,
    });
  });

  it('do not name one that has only sent, save under its labels', () => {
    expect(placesOf(fold(sampleMessage(1, { labels: ['sent'] })))).toEqual([
      ['threads', 'sent', ulidAt(1), ''],
    ]);
  });

  it('are left while it is being deleted', () => {
    expect(listedIn({ ...fold(sampleMessage(1)), deleting: true })).toEqual([]);
  });
});

it('samples are what the stores hold', () => {
  expect(sampleNotice().verdicts).toEqual(pass);
  expect(ulidOf(`msg_${ulidAt(31)}`) < ulidOf(`msg_${ulidAt(32)}`)).toBe(true);
  expect(writesOf({ before: newThread(sampleMessage(1)), messages: [{ before: sampleMessage(1) }] })).toBe(8);
});
