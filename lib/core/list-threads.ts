import type { UseCase } from '../contract/call.ts';
import type { InboxRef } from '../contract/principal.ts';
import type { ThreadsQuery } from '../contract/thread.ts';
import { listedPage } from './listed-page.ts';
import { hiddenBy } from './message-lists.ts';
import { between, includedLabels, normalized, type ReadDeps } from './read-messages.ts';
import { isVisible, shownHalf, toThreadItem, type ThreadState } from './thread-state.ts';
import { together } from './together.ts';
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

type ListThreads = UseCase<'threads.list' | 'pods.threads.list' | 'inboxes.threads.list'>;
type Deps = Pick<ReadDeps, 'mailbox' | 'tokens'>;

/** Threads by last activity, of one inbox or of everything in scope. */
export const listThreads =
  (deps: Deps): ListThreads =>
  (call) =>
    call.scope.inbox === undefined
      ? listScopeThreads(deps)(call)
      : listInboxThreads(deps, call.scope.inbox)(call);

/** Threads of an inbox; without labels those that received something, as the wire has it. */
const listInboxThreads =
  ({ mailbox, tokens }: Deps, inbox: InboxRef): ListThreads =>
  async ({ principal, query }) => {
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
const listScopeThreads =
  (deps: Deps): ListThreads =>
  async ({ principal, scope, query }) => {
    const included = includedLabels(principal, query);
    const stretch = between(query);
    const purpose = [
      'organization-threads',
      scope.organization_id,
      scope.pod_id,
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
          const halves = await together(
            (included.length === 0 ? [true] : [true, false]).map((visible) =>
              deps.mailbox.organizationThreads(scope.organization_id, visible, bounds),
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
          (scope.pod_id === undefined || thread.pod_id === scope.pod_id) &&
          (isVisible(thread) || isIncluded(hiddenBy(Object.keys(thread.hidden.labels)), included)) &&
          matchesQuery(thread, query),
        filtered:
          [scope.pod_id, query.labels, ...filters(query)].some((filter) => filter !== undefined) ||
          included.length > 0,
      },
    );
    return { ...answer, threads: items.map(toThreadItem) };
  };
