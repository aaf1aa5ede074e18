import type { UseCase } from '../contract/call.ts';
import { type InboxRef, type KeyPrincipal } from '../contract/principal.ts';
import type { ThreadsQuery } from '../contract/thread.ts';
import { listedPage } from './listed-page.ts';
import { hiddenBy } from './message-lists.ts';
import { between, includedLabels, normalized, type ReadDeps } from './read-messages.ts';
import { isVisible, shownHalf, toThreadItem, type ThreadState } from './thread-state.ts';
import { isIncluded, walkLists } from './walk-lists.ts';
import { matchesWords } from './words.ts';

const matchesQuery = (
  thread: ThreadState,
  { senders, recipients, subject, labels }: ThreadsQuery,
): boolean => {
  const half = shownHalf(thread);
  return (
    normalized(labels).every((label) => Object.hasOwn(half.labels, label)) &&
    matchesWords(senders, half.senders) &&
    matchesWords(recipients, half.recipients) &&
    matchesWords(subject, [thread.subject ?? ''])
  );
};

const filters = (query: ThreadsQuery) => [query.senders, query.recipients, query.subject];

/** Threads of an inbox by last activity; without labels those that received something, as the wire has it. */
export const listThreads =
  ({ mailbox, tokens }: Pick<ReadDeps, 'mailbox' | 'tokens'>): UseCase<'inboxes.threads.list'> =>
  async ({ principal, inbox, query }) => {
    const walk = {
      of: 'threads' as const,
      labels: normalized(query.labels),
      included: includedLabels(principal, query),
      ...between(query),
    };
    const { items, ...answer } = await listedPage(
      tokens,
      { ...query, purpose: ['threads', inbox.uid, walk, ...filters(query)] },
      {
        entries: (start, ascending, limit) =>
          walkLists(mailbox, inbox, { ...walk, ascending, ...(start && { start }) }, limit),
        rows: (entries) =>
          mailbox.threads(
            inbox,
            entries.map(({ thread_id }) => thread_id),
          ),
        matches: (thread) => thread.deleting !== true && matchesQuery(thread, query),
        filtered: filters(query).some((filter) => filter !== undefined),
      },
    );
    return { ...answer, threads: items.map(toThreadItem) };
  };

/**
 * Threads of everything in the key's scope by last activity. An index answers, so the newest second may be missing;
 * a filter on labels looks at up to 500 threads a page and then says where to go on.
 */
export const listOrganizationThreads =
  (deps: Pick<ReadDeps, 'mailbox' | 'tokens'>): UseCase<'threads.list'> =>
  async ({ principal, query, ...call }) => {
    if (principal.inbox !== undefined)
      return listThreads(deps)({
        ...call,
        principal,
        query,
        path: { inbox_id: principal.inbox.inbox_id },
        inbox: scopeOf(principal)!,
      });
    const included = includedLabels(principal, query);
    const stretch = between(query);
    const purpose = [
      'organization-threads',
      principal.organization_id,
      principal.pod_id,
      stretch,
      included,
      normalized(query.labels),
      ...filters(query),
    ];
    const threads = new Map<string, ThreadState | undefined>();
    const { items, ...answer } = await listedPage<ThreadState>(
      deps.tokens,
      { ...query, purpose },
      {
        entries: async (start, ascending, limit) => {
          const bounds = {
            ...stretch,
            ascending,
            limit,
            ...(start?.after !== undefined && { after: start.after }),
          };
          const halves = await Promise.all(
            (included.length === 0 ? [true] : [true, false]).map((visible) =>
              deps.mailbox.organizationThreads(principal.organization_id, visible, bounds),
            ),
          );
          const found = halves
            .flatMap((half) => half.found)
            .sort((a, b) => (a.ulid < b.ulid ? -1 : 1) * (ascending ? 1 : -1));
          const page = found.slice(0, limit);
          for (const { thread, ulid } of page) threads.set(ulid, thread);
          const more = found.length > limit || halves.some((half) => half.more);
          return {
            entries: page.map(({ thread, ulid }) => ({
              ulid,
              thread_id: thread?.thread_id ?? '',
              hidden: [],
            })),
            ...(more && page.length > 0 && { next: { after: page.at(-1)!.ulid } }),
          };
        },
        rows: async (entries) => entries.map(({ ulid }) => threads.get(ulid)),
        matches: (thread) =>
          thread.deleting !== true &&
          (principal.pod_id === undefined || thread.pod_id === principal.pod_id) &&
          (isVisible(thread) || isIncluded(hiddenBy(Object.keys(thread.hidden.labels)), included)) &&
          matchesQuery(thread, query),
        filtered:
          [principal.pod_id, query.labels, ...filters(query)].some((filter) => filter !== undefined) ||
          included.length > 0,
      },
    );
    return { ...answer, threads: items.map(toThreadItem) };
  };

/** An inbox key's own inbox as a reference. */
const scopeOf = ({ inbox, organization_id, pod_id }: KeyPrincipal): InboxRef | undefined =>
  inbox && { ...inbox, organization_id, pod_id: pod_id ?? organization_id };
