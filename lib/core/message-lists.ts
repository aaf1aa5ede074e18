import { hiddenLabels, type HiddenLabel } from '../contract/label.ts';

/** One place of a message or a thread in a list of its inbox. */
export interface ListEntry {
  list:
    | { of: 'messages' | 'hidden-messages' | 'threads' | 'hidden-threads'; label?: string }
    | { of: 'thread'; thread_id: string };
  ulid: string;
  /** The labels it is hidden by; none for what everybody sees. */
  hidden: HiddenLabel[];
}

export const hiddenBy = (labels: string[]): HiddenLabel[] =>
  hiddenLabels.filter((label) => labels.includes(label));

/** The ULID inside an id such as `msg_01j…`. */
export const ulidOf = (id: string): string => id.slice(id.indexOf('_') + 1);

/**
 * Every list a message stands in. What is hidden stands apart, so that no amount of spam makes a list of the
 * visible ones slower.
 */
export function messageEntries(message: {
  message_id: string;
  thread_id: string;
  labels: string[];
}): ListEntry[] {
  const hidden = hiddenBy(message.labels);
  const of = hidden.length === 0 ? 'messages' : 'hidden-messages';
  const ulid = ulidOf(message.message_id);
  return [
    { list: { of }, ulid, hidden },
    ...message.labels.map((label): ListEntry => ({ list: { of, label }, ulid, hidden })),
    { list: { of: 'thread', thread_id: message.thread_id }, ulid, hidden },
  ];
}

/** What has to be written and deleted so that `before` becomes `after`. */
export function difference(
  before: ListEntry[],
  after: ListEntry[],
): { put: ListEntry[]; remove: ListEntry[] } {
  const place = ({ list, ulid }: ListEntry): string =>
    JSON.stringify([
      list.of,
      'label' in list ? list.label : '',
      'thread_id' in list ? list.thread_id : '',
      ulid,
    ]);
  const content = (entry: ListEntry): string => `${place(entry)} ${entry.hidden.join()}`;
  const [placesAfter, contentBefore] = [new Set(after.map(place)), new Set(before.map(content))];
  return {
    put: after.filter((entry) => !contentBefore.has(content(entry))),
    remove: before.filter((entry) => !placesAfter.has(place(entry))),
  };
}
