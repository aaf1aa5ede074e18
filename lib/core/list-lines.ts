import type { Call, UseCase } from '../contract/call.ts';
import type { AuditQuery, Line, ShownLine } from '../contract/ledger.ts';
import { sealLag } from '../contract/ledger-proof.ts';
import { operatorOrganizationId } from '../contract/organization.ts';
import type { Scope } from '../contract/principal.ts';
import { notFound } from '../contract/problem.ts';
import type { LineStore, PersonStore, SealStore } from './ledger-ports.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { Now, OrganizationStore, PageRequest, PageTokens } from './ports.ts';
import { between } from './read-messages.ts';

interface Deps {
  lines: LineStore;
  persons: Pick<PersonStore, 'reveal'>;
  seals: Pick<SealStore, 'list'>;
  organizations: Pick<OrganizationStore, 'get'>;
  tokens: PageTokens;
  now: Now;
}
type LineDeps = Deps;
type SealDeps = Pick<Deps, 'seals' | 'organizations' | 'tokens'>;

/** Lines one page looks at, their characters, and days; then it ends early, with a token to go on. */
const maxExamined = 500;
// A function answers 6 MB at most, and one line may name hundreds of ids.
const maxCharacters = 2_000_000;
const maxDays = 40;
const dayMs = 24 * 3600_000;
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Lines of what the call's path or key names, newest first unless ascending. */
export const listLines =
  (deps: LineDeps): UseCase<'audit.list' | 'pods.audit.list' | 'inboxes.audit.list'> =>
  ({ scope, query }: Pick<Call<'audit.list'>, 'scope' | 'query'>) =>
    pageOfLines(deps, scope, query);

/** The same for the operator, of any organization. */
export const listOrganizationLines =
  (deps: LineDeps): UseCase<'operator.audit.list'> =>
  ({ path, query }) =>
    pageOfLines(deps, { organization_id: path.organization_id }, query);

/** The chain of seals, oldest first. */
export const listSeals =
  (deps: Omit<SealDeps, 'organizations'>): UseCase<'audit.seals'> =>
  ({ scope, query }) =>
    pageOfSeals(deps, scope.organization_id, query);

export const listOrganizationSeals =
  (deps: SealDeps): UseCase<'operator.audit.seals'> =>
  async ({ path, query }) => {
    if ((await beginningOf(deps, path.organization_id)) === undefined) throw notFound('Organization');
    return pageOfSeals(deps, path.organization_id, query);
  };

async function pageOfSeals(
  { seals, tokens }: Omit<SealDeps, 'organizations'>,
  organizationId: string,
  query: Call<'audit.seals'>['query'],
) {
  const purpose = purposeOf('seals', organizationId);
  const page = await pageRequest(tokens, { ...query, ascending: true }, purpose);
  const found = await seals.list(organizationId, page);
  return { ...(await pageAnswer(tokens, page, found, purpose)), seals: found.items };
}

async function pageOfLines(deps: LineDeps, scope: Scope, query: AuditQuery) {
  const { organization_id, pod_id, inbox } = scope;
  const { before, after, action, outcome, api_key_id, resource } = query;
  const purpose = purposeOf(
    ...['lines', organization_id, pod_id, inbox?.uid, before, after, action, outcome, api_key_id, resource],
  );
  const page = await pageRequest(deps.tokens, query, purpose);
  const found = await walkDays(deps, scope, query, page);
  return {
    ...(await pageAnswer(deps.tokens, page, found, purpose)),
    lines: await withPersonal(deps.persons, organization_id, found.items),
  };
}

const matches = (line: Line, { pod_id, inbox }: Scope, query: AuditQuery): boolean =>
  (inbox === undefined ? pod_id === undefined || line.pod_id === pod_id : line.inbox_uid === inbox.uid) &&
  (query.action === undefined || line.action === query.action) &&
  (query.outcome === undefined || line.outcome === query.outcome) &&
  (query.api_key_id === undefined || line.principal.api_key_id === query.api_key_id) &&
  (query.resource === undefined || line.resources.includes(query.resource));

type Position = { day: string; after?: string };

async function walkDays(deps: LineDeps, scope: Scope, query: AuditQuery, page: PageRequest) {
  const { limit, ascending } = page;
  const start = page.after as Position | undefined;
  const stretch = between(query);
  const items: Line[] = [];
  const answer = (next?: Position) => ({ items, ...(next && { next: { ...next } }) });
  if (stretch.from !== undefined && stretch.to !== undefined && stretch.from > stretch.to) return answer();
  const days = await daysOf(deps, scope.organization_id, query, ascending);
  const first =
    start === undefined ? 0 : days.findIndex((day) => (ascending ? day >= start.day : day <= start.day));
  if (first < 0) return answer();
  let [examined, characters] = [0, 0];
  for (const [count, day] of days.slice(first).entries()) {
    if (count === maxDays) return answer({ day });
    let after = start?.day === day ? start.after : undefined;
    do {
      // No more than the page can still hold: what is read is either shown or does not match.
      const step = Math.min(limit - items.length, maxExamined - examined);
      if (step === 0 || characters > maxCharacters)
        return answer({ day, ...(after !== undefined && { after }) });
      const range = { organization_id: scope.organization_id, day, ...stretch, ascending, limit: step };
      const read = await deps.lines.read({ ...range, ...(after !== undefined && { after }) });
      items.push(...read.lines.filter((line) => matches(line, scope, query)));
      examined += read.examined;
      characters += JSON.stringify(read.lines).length;
      after = read.last;
    } while (after !== undefined);
  }
  return answer();
}

/** When its lines begin: with the organization, or where that is deleted about with its first seal. */
async function beginningOf(
  { organizations, seals }: Pick<Deps, 'organizations' | 'seals'>,
  organizationId: string,
): Promise<number | undefined> {
  const organization = await organizations.get(organizationId);
  if (organization !== undefined) return Date.parse(organization.created_at);
  const first = (await seals.list(organizationId, { limit: 1, ascending: true })).items[0];
  return first && Date.parse(first.sealed_at);
}

/** The days lines can lie in, in the order of the list. */
async function daysOf(
  deps: Pick<LineDeps, 'organizations' | 'seals' | 'now'>,
  organizationId: string,
  { before, after }: AuditQuery,
  ascending: boolean,
): Promise<string[]> {
  const beginning = await beginningOf(deps, organizationId);
  if (beginning === undefined) throw notFound('Organization');
  // The call that made it came before it; and to the operator's come lines before anybody has mail.
  const lead = organizationId === operatorOrganizationId ? 400 * dayMs : dayMs;
  const earliest = Math.max(beginning - lead, after ? Date.parse(after) : 0);
  const latest = Math.min(deps.now() + sealLag, before ? Date.parse(before) : Infinity);
  const [from, to] = [Math.floor(earliest / dayMs), Math.floor(latest / dayMs)];
  const days = Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => dayOf((from + n) * dayMs));
  return ascending ? days : days.reverse();
}

/** Lines with what is still known behind their commitments. */
async function withPersonal(
  persons: Pick<PersonStore, 'reveal'>,
  organizationId: string,
  lines: Line[],
): Promise<ShownLine[]> {
  const commitments = lines.flatMap((line) => Object.values(line.commitments ?? {}));
  if (commitments.length === 0) return lines;
  const known = await persons.reveal(organizationId, [...new Set(commitments)]);
  return lines.map((line) => {
    const personal = Object.entries(line.commitments ?? {}).flatMap(([field, commitment]) => {
      const fact = known.get(commitment);
      return fact?.field === field ? [[field, fact.value]] : [];
    });
    return personal.length === 0 ? line : { ...line, personal: Object.fromEntries(personal) as object };
  });
}
