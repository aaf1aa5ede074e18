import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hiddenLabels } from '../../lib/contract/label.ts';
import { difference, messageEntries, type ListEntry } from '../../lib/core/message-lists.ts';
import { ulidAt } from '../support/mail-samples.ts';

const labels = fc.uniqueArray(
  fc.constantFrom('received', 'unread', 'a', 'b', 'constructor', ...hiddenLabels),
);
const message = fc
  .record({ labels, n: fc.nat(2), thread: fc.nat(1) })
  .map(({ labels: carried, n, thread }) => ({
    message_id: `msg_${ulidAt(n)}`,
    thread_id: `thr_${ulidAt(thread)}`,
    labels: carried,
  }));
const asRows = (entries: ListEntry[]) =>
  new Map(entries.map((entry) => [JSON.stringify([entry.list, entry.ulid]), JSON.stringify(entry)]));

describe('the lists of a message', () => {
  it('are one of all, one a label, and its thread', () => {
    const { message_id, thread_id } = { message_id: `msg_${ulidAt(1)}`, thread_id: `thr_${ulidAt(1)}` };
    const of = (carried: string[]) =>
      messageEntries({ message_id, thread_id, labels: carried }).map(({ list, hidden }) => [
        list.of,
        'label' in list ? list.label : undefined,
        hidden.join(),
      ]);
    expect(of(['received', 'a'])).toEqual([
      ['messages', undefined, ''],
      ['messages', 'received', ''],
      ['messages', 'a', ''],
      ['thread', undefined, ''],
    ]);
    expect(of(['a', 'trash', 'spam'])).toEqual([
      ['hidden-messages', undefined, 'spam,trash'],
      ['hidden-messages', 'a', 'spam,trash'],
      ['hidden-messages', 'trash', 'spam,trash'],
      ['hidden-messages', 'spam', 'spam,trash'],
      ['thread', undefined, 'spam,trash'],
    ]);
  });

  it('come from one state to any other by their difference', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 3 }), fc.array(message, { maxLength: 3 }), (from, to) => {
        const unique = (messages: typeof from) => [
          ...new Map(messages.map((one) => [one.message_id + one.thread_id, one])).values(),
        ];
        const before = unique(from).flatMap(messageEntries).filter(firstAtPlace());
        const after = unique(to).flatMap(messageEntries).filter(firstAtPlace());
        const rows = asRows(before);
        const { put, remove } = difference(before, after);
        const [puts, removes] = [asRows(put), asRows(remove)];
        // One transaction may name a row once.
        expect([...puts.keys()].filter((place) => removes.has(place))).toEqual([]);
        for (const place of removes.keys()) expect(rows.delete(place)).toBe(true);
        for (const [place, row] of puts) {
          expect(rows.get(place)).not.toBe(row); // nothing is written for nothing
          rows.set(place, row);
        }
        expect(new Map([...rows].sort())).toEqual(new Map([...asRows(after)].sort()));
      }),
      { numRuns: 500 },
    );
  });
});

const firstAtPlace = () => {
  const seen = new Set<string>();
  return ({ list, ulid }: ListEntry): boolean => {
    const place = JSON.stringify([list, ulid]);
    return !seen.has(place) && seen.add(place) !== undefined;
  };
};
