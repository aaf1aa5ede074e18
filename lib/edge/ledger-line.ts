import type { Line } from '../contract/ledger.ts';
import { operatorOrganizationId } from '../contract/organization.ts';
import type { Scope } from '../contract/principal.ts';
import type { Problem } from '../contract/problem.ts';
import type { Caller } from './caller.ts';
import type { Matched } from './route-table.ts';

/** Ids as this house makes them. Anything else in a path is whatever somebody typed, and stays out of the ledger. */
const ownId = /^(org|pod|key|msg|thr|att|drf|wh|arc)_[0-9a-z_]{1,80}$/;
const ownOrganization = /^org_[0-9a-z]{1,40}$/;

/** How many ids one line names; a page of a list has at most 500. */
const mostResources = 500;

/** The line of a call as it begins: allowed, until something refuses it. */
export function newLine(
  { principal }: Caller,
  { name, params }: Matched,
  about: { line_id: string; time: string; request_id: string; commitments?: Line['commitments'] },
): Line {
  const { kind, scope, api_key_id, token_id } = principal;
  const named = params['organization_id'] ?? '';
  return {
    line_id: about.line_id,
    time: about.time,
    organization_id: scope?.organization_id ?? (ownOrganization.test(named) ? named : operatorOrganizationId),
    ...placeOf(scope),
    principal: {
      kind,
      // What an operator signs with names a person; that is in the commitments.
      ...(kind === 'key' && api_key_id !== undefined && { api_key_id }),
      ...(token_id !== undefined && { token_id }),
    },
    action: name,
    resources: Object.entries(params).flatMap(([key, id]) =>
      key !== 'inbox_id' && key !== 'organization_id' && ownId.test(id) ? [id] : [],
    ),
    outcome: 'allowed',
    request_id: about.request_id,
    ...(about.commitments !== undefined &&
      Object.keys(about.commitments).length > 0 && { commitments: about.commitments }),
  };
}

/** Where a call acts, as a line says it. */
export const placeOf = (scope: Scope | undefined): Pick<Line, 'pod_id' | 'inbox_uid'> => ({
  ...(scope?.pod_id !== undefined && { pod_id: scope.pod_id }),
  ...(scope?.inbox !== undefined && { inbox_uid: scope.inbox.uid }),
});

/** Notes the refusal. What the operator asked of an organization that is not there stands in its own ledger. */
export function refuseLine(line: Line, problem: Problem | undefined, kind: string): void {
  line.outcome = problem !== undefined && [403, 404].includes(problem.status) ? 'denied' : 'failed';
  line.code = problem?.code ?? 'internal_error';
  if (kind === 'operator' && problem?.code === 'not_found') line.organization_id = operatorOrganizationId;
}

/** The messages, threads and archives an answer shows: what was read. */
export function shownIds(answer: unknown): string[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const lists = Object.values(answer).filter((member): member is unknown[] => Array.isArray(member));
  const items = [answer, ...lists.flat()].filter(
    (item): item is Record<string, unknown> => typeof item === 'object' && item !== null,
  );
  const ids = items.map(
    (item) => item['message_id'] ?? item['thread_id'] ?? item['undeliverable_id'] ?? item['archive_id'],
  );
  return [...new Set(ids.filter((id): id is string => typeof id === 'string'))].slice(0, mostResources);
}
