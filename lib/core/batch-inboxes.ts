import type { Call, Deed, UseCase } from '../contract/call.ts';
import { faults, refusal } from '../contract/faults.ts';
import { createInbox } from '../contract/inbox.ts';
import type { BatchCreated, BatchDeleted, BatchError } from '../contract/inbox-batch.ts';
import type { InboxRef } from '../contract/principal.ts';
import { notFound, Problem, problems } from '../contract/problem.ts';
import { covers, scopeOfInbox } from '../contract/scope.ts';
import { deleteInbox } from './delete-inbox.ts';
import type { InboxStore, NewUlid, Now } from './ports.ts';
import { provisionInbox, type ProvisionDeps } from './provision-inbox.ts';

export interface BatchDeps {
  now: Now;
  ulid: NewUlid;
  /** Writes what a call leaves behind where no change has done it. */
  settle: (deed: Deed) => Promise<void>;
  /** Hears of a failure that nobody foresaw; the caller is told no more than that there was one. */
  report: (error: unknown) => void;
}

/** No item is begun after this time, in milliseconds: API Gateway waits 30 seconds, and one item may take some. */
const timeForAll = 20_000;

type BatchCall = Call<
  'inboxes.batchCreate' | 'pods.inboxes.batchCreate' | 'inboxes.batchDelete' | 'pods.inboxes.batchDelete'
>;

/**
 * Provisions inboxes one after the other, each as a call of its own would: its own transaction, event, line in the
 * ledger, and outcome. Side by side they would only wait for each other, since every one counts on the row of their
 * organization. DNS, which is the same for all, is asked once.
 */
export const batchCreateInboxes = (
  deps: BatchDeps & ProvisionDeps,
): UseCase<'inboxes.batchCreate' | 'pods.inboxes.batchCreate'> => {
  const create = provisionInbox({ ...deps, checkDns: async () => [] });
  return async (call) => {
    const { inboxes } = call.body;
    const dns = deps.checkDns();
    dns.catch(() => undefined);
    const one = async (item: unknown, deed: Deed) => {
      const read = createInbox.safeParse(item);
      if (!read.success) throw refusal(faults(read.error));
      const { dns: _, ...inbox } = await create({ ...call, body: read.data, deed });
      return { inbox };
    };
    const outcomes = await eachAlone(deps, call, inboxes, one);
    const results: BatchCreated[] = outcomes.map((outcome, index) => ({ index, ...outcome }));
    return { results, dns: await dns };
  };
};

/** Takes inboxes down one after the other; what is not there, or out of the key's scope, is `not_found` in its place. */
export const batchDeleteInboxes = (
  deps: BatchDeps & Parameters<typeof deleteInbox>[0] & { inboxes: Pick<InboxStore, 'get' | 'holders'> },
): UseCase<'inboxes.batchDelete' | 'pods.inboxes.batchDelete'> => {
  const remove = deleteInbox(deps);
  return async (call) => {
    const { inbox_ids } = call.body;
    const one = async (name: string, deed: Deed) => {
      const inbox = await inboxNamed(deps, call.scope.organization_id, name);
      if (inbox === undefined || !covers(call.scope, inbox)) throw notFound('Inbox');
      const path = { ...call.path, inbox_id: name };
      await remove({ ...call, path, query: {}, body: undefined, inbox, scope: scopeOfInbox(inbox), deed });
      return { deleted: true };
    };
    const outcomes = await eachAlone(deps, call, inbox_ids, one);
    const results: BatchDeleted[] = outcomes.map((outcome, index) => ({
      index,
      inbox_id: inbox_ids[index]!,
      deleted: false,
      ...outcome,
    }));
    return { results };
  };
};

async function inboxNamed(
  { inboxes }: { inboxes: Pick<InboxStore, 'get' | 'holders'> },
  organization_id: string,
  name: string,
): Promise<InboxRef | undefined> {
  if (!name.includes('@')) return inboxes.get({ organization_id, uid: name });
  const address = name.toLowerCase();
  return (await inboxes.holders([address])).get(address);
}

/**
 * Carries out every item under a deed of its own, and answers what came of each. What the call spends, its nonce and
 * its hold on an Idempotency-Key, is spent before the first of them: a replay changes nothing.
 */
async function eachAlone<Item, Done extends object>(
  deps: BatchDeps,
  { deed }: Pick<BatchCall, 'deed'>,
  items: Item[],
  one: (item: Item, deed: Deed) => Promise<Done>,
): Promise<(Done | { error: BatchError })[]> {
  const { line, ...spent } = deed;
  await deps.settle({ ...spent, written: false });
  deed.written = true;
  const until = deps.now() + timeForAll;
  const outcomes: (Done | { error: BatchError })[] = [];
  let stopped = false;
  for (const item of items) {
    if (stopped || deps.now() > until) {
      outcomes.push({ error: errorOf(notTried()) });
      continue;
    }
    const own: Deed = { written: false, ...(line && { line: lineOfItem(deps, line) }) };
    try {
      outcomes.push(await one(item, own));
    } catch (error) {
      if (!(error instanceof Problem)) {
        deps.report(error);
        stopped = true;
      }
      const problem = error instanceof Problem ? error : failed();
      outcomes.push({ error: errorOf(problem) });
      await leaveRefused(deps, own, problem);
    }
  }
  return outcomes;
}

/** The line of one item; the call's own stays as it is, since each of them begins with it. */
function lineOfItem({ now, ulid }: BatchDeps, line: NonNullable<Deed['line']>): NonNullable<Deed['line']> {
  const time = now();
  return {
    ...line,
    line_id: `lin_${ulid(time)}`,
    time: new Date(time).toISOString(),
    resources: [...line.resources],
  };
}

/** A refusal leaves its line too, unless the change was made all the same. */
async function leaveRefused({ settle, report }: BatchDeps, deed: Deed, problem: Problem): Promise<void> {
  if (deed.written || deed.line === undefined) return;
  deed.line.outcome = [403, 404].includes(problem.status) ? 'denied' : 'failed';
  deed.line.code = problem.code;
  await settle(deed).catch(report);
}

const failed = (): Problem =>
  new Problem('internal_error', 'something went wrong on our side', {
    fix: 'Repeat this one; with the same client_id it is made once at most.',
  });

const notTried = (): Problem =>
  new Problem('service_unavailable', 'this one was not tried', { fix: 'Send it again in another call.' });

function errorOf({ name, code, message, detail }: Problem): BatchError {
  const { fix = problems[code].fix, errors, suggestions, resource, limit } = detail;
  return {
    ...{ name, code, message, fix },
    ...(errors && { errors }),
    ...(suggestions && { suggestions }),
    ...(resource !== undefined && { resource }),
    ...(limit !== undefined && { limit }),
  };
}
