import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HiddenLabel } from '../../lib/contract/label.ts';
import { hiddenBy, ulidOf } from '../../lib/core/message-lists.ts';
import { newThread, withMessage } from '../../lib/core/thread-state.ts';
import { isIncluded, walkLists, type Walk, type WalkPosition } from '../../lib/core/walk-lists.ts';
import { inboxRef, sampleMessage, ulidAt } from '../support/mail-samples.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { MemoryMailbox } from '../support/memory-mailbox.ts';

const inbox = inboxRef();

/** Messages with the given labels, each in a thread of its own, at places 0, 1, 2 … */
async function mailboxOf(labels: string[][]): Promise<MemoryMailbox> {
  const mailbox = new MemoryMailbox();
  for (const [n, carried] of labels.entries()) {
    const message = sampleMessage(n, { labels: carried, thread_id: `thr_${ulidAt(n)}` });
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
      ses_id: String(n),
      digest: String(n),
      message,
      after: withMessage(newThread(message), message, ''),
      leads: [],
      event,
      line: sampleLine(n),
    });
  }
  mailbox.queries = 0;
  return mailbox;
}

async function follow(
  mailbox: MemoryMailbox,
  walk: Walk,
  limit: number,
): Promise<{ found: string[]; pages: number; most: number }> {
  const found: string[] = [];
  let [start, pages, most]: [WalkPosition | undefined, number, number] = [undefined, 0, 0];
  do {
    mailbox.queries = 0;
    const page = await walkLists(mailbox, inbox, { ...walk, ...(start && { start }) }, limit);
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    found.push(...page.entries.map(({ ulid }) => ulid));
    most = Math.max(most, mailbox.queries);
    expect(page.next).not.toEqual(start ?? {});
    start = page.next;
    if (++pages > 3000) throw new Error('the walk does not end');
  } while (start !== undefined);
  return { found, pages, most };
}

/** The same answer by looking at everything. */
function naive(
  labels: string[][],
  { labels: wanted, included, from = '', to = '~', ascending }: Walk,
): string[] {
  const found = labels.flatMap((carried, n) => {
    const ulid = ulidAt(n);
    const seen = isIncluded(hiddenBy(carried), included);
    return seen && wanted.every((label) => carried.includes(label)) && ulid >= from && ulid <= to
      ? [ulid]
      : [];
  });
  return ascending ? found : found.reverse();
}

const label = fc.constantFrom('unread', 'a', 'b', 'c', 'spam', 'trash');
const odds = fc.record({
  unread: fc.nat(100),
  a: fc.nat(100),
  b: fc.nat(100),
  c: fc.nat(100),
  spam: fc.nat(40),
  trash: fc.nat(40),
});
const inboxes = fc.tuple(odds, fc.nat(400), fc.infiniteStream(fc.nat(99))).map(([chances, size, dice]) => {
  const rolls = dice[Symbol.iterator]();
  return Array.from({ length: size }, () => [
    'received',
    ...Object.entries(chances).flatMap(([name, chance]) => (rolls.next().value! < chance ? [name] : [])),
  ]);
});
const bound = fc.option(fc.nat(420).map(ulidAt), { nil: undefined });
const walks = fc.record({
  of: fc.constantFrom('messages' as const, 'threads' as const),
  labels: fc.uniqueArray(label, { maxLength: 3 }),
  included: fc.uniqueArray(fc.constantFrom<HiddenLabel>('spam', 'trash')),
  from: bound,
  to: bound,
  ascending: fc.boolean(),
});

describe('a walk through the lists', () => {
  it('finds what a look at everything finds, each once, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(
        inboxes,
        walks,
        fc.integer({ min: 1, max: 60 }),
        async (labels, { from, to, ...rest }, limit) => {
          const walk: Walk = {
            ...rest,
            ...(from !== undefined && { from }),
            ...(to !== undefined && { to }),
          };
          const { found, most } = await follow(await mailboxOf(labels), walk, limit);
          expect(found).toEqual(naive(labels, walk));
          expect(most).toBeLessThanOrEqual(60);
        },
      ),
      { numRuns: 250 },
    );
  });

  it.each([
    ['labels that never meet', (n: number) => [n % 2 === 0 ? 'a' : 'b'], ['a', 'b'], [] as HiddenLabel[]],
    [
      'labels that meet seldom',
      (n: number) => (n % 331 === 0 ? ['a', 'b'] : [n % 2 === 0 ? 'a' : 'b']),
      ['a', 'b'],
      [],
    ],
    [
      'labels that meet seldom, hidden and not',
      (n: number) => [
        ...(n % 331 === 0 ? ['a', 'b'] : [n % 2 === 0 ? 'a' : 'b']),
        ...(n % 3 === 0 ? ['spam'] : []),
      ],
      ['a', 'b'],
      ['spam'],
    ],
    [
      'hidden mail that is not the kind asked for',
      (n: number) => [n % 700 === 0 ? 'trash' : 'spam'],
      [],
      ['trash'],
    ],
  ] as const)('ends pages early and loses nothing: %s', async (_, carried, wanted, included) => {
    const labels = Array.from({ length: 5000 }, (_entry, n) => [...carried(n)]);
    const mailbox = await mailboxOf(labels);
    for (const ascending of [true, false])
      for (const limit of [1, 7, 50]) {
        const walk: Walk = { of: 'messages', labels: [...wanted], included: [...included], ascending };
        const { found, pages, most } = await follow(mailbox, walk, limit);
        expect(found).toEqual(naive(labels, walk));
        expect(most).toBeLessThanOrEqual(60);
        expect(pages).toBeGreaterThan(1);
      }
  });

  it('finds 3 unread among 100,000 by a handful of queries', async () => {
    const mailbox = new MemoryMailbox();
    const entry = (n: number) => ({
      ulid: ulidAt(n),
      thread_id: `thr_${ulidAt(n)}`,
      message_id: `msg_${ulidAt(n)}`,
      hidden: [],
    });
    const list = (label: string, places: number[]) =>
      mailbox.of(inbox).lists.set(JSON.stringify({ of: 'messages', label }), places.map(entry));
    list(
      'received',
      Array.from({ length: 100_000 }, (_, n) => n),
    );
    list('unread', [5, 50_000, 99_000]);
    const count = async (wanted: string[], included: HiddenLabel[] = []) => {
      mailbox.queries = 0;
      const { entries, next } = await walkLists(
        mailbox,
        inbox,
        { of: 'messages', labels: wanted, included, ascending: false },
        50,
      );
      expect(entries.map(({ ulid }) => ulid)).toEqual([ulidAt(99_000), ulidAt(50_000), ulidAt(5)]);
      expect(next).toBeUndefined();
      return mailbox.queries;
    };
    expect(await count(['unread'])).toBe(1);
    expect(await count(['unread'], ['spam', 'trash'])).toBe(2);
    expect(await count(['unread', 'received'])).toBeLessThanOrEqual(6);
  });

  it('reads one page of 50 with one query', async () => {
    const mailbox = await mailboxOf(Array.from({ length: 200 }, () => ['received']));
    await walkLists(mailbox, inbox, { of: 'messages', labels: [], included: [], ascending: false }, 50);
    expect(mailbox.queries).toBe(1);
  });

  it('names every entry with its thread and message', async () => {
    const { entries } = await walkLists(
      await mailboxOf([['received', 'spam']]),
      inbox,
      { of: 'messages', labels: ['spam'], included: ['spam'], ascending: true },
      5,
    );
    expect(entries).toEqual([
      { ulid: ulidAt(0), message_id: `msg_${ulidAt(0)}`, thread_id: `thr_${ulidAt(0)}`, hidden: ['spam'] },
    ]);
    expect(ulidOf(entries[0]!.message_id!)).toBe(ulidAt(0));
  });
});
