import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { UseCases } from '../contract/call.ts';
import { Problem, notFound } from '../contract/problem.ts';
import type { RouteName } from '../contract/routes.ts';
import type { Authenticate, Nonces } from './caller.ts';
import { answerProblem, answerValue, type HttpAnswer } from './http-answer.ts';
import { readRequest } from './http-request.ts';
import { readJsonBody } from './json-body.ts';
import { createLog, type Log } from './log.ts';
import { readQuery } from './query.ts';
import { routeTable } from './route-table.ts';
import { checkScope } from './scope.ts';
import { spendAfterwards, spendBefore } from './single-use.ts';
import { valid } from './validation.ts';
import type { Visit } from './visit.ts';

export interface HttpDoor<Names extends RouteName> {
  /** One for each route this function answers. */
  useCases: UseCases<Names>;
  authenticate: Authenticate;
  /** Needed where callers sign: single use of the nonces of writes. */
  nonces?: Nonces;
  log?: Log;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

type Step = MiddlewareObj<Visit, unknown>;
type AnyUseCase = (call: unknown) => Promise<unknown>;

/** Reads that are not GETs: what was remembered for 5 seconds may answer them. */
const alsoReads: ReadonlySet<RouteName> = new Set<RouteName>(['inboxes.messages.batchGet']);

/**
 * The Lambda handler of some routes behind an HTTP API (payload format 2.0). A stranger learns nothing: who
 * calls is settled before the route is.
 */
export function httpDoor<Names extends RouteName>(
  door: HttpDoor<Names>,
): (event: APIGatewayProxyEventV2, context: Context) => Promise<HttpAnswer> {
  const { useCases, authenticate, nonces, log = createLog(), now = Date.now } = door;
  const match = routeTable(Object.keys(useCases) as Names[]);
  // No early timeout: a second answer while the first is still at work would free the function to freeze it.
  const chain = middy<Visit, unknown>({ timeoutEarlyInMillis: 0 })
    .use(logged(log, now))
    .use(authenticated(authenticate))
    .use(routed(nonces))
    .use(parsed)
    .use(encoded)
    .use(refused(log, nonces))
    .handler(async ({ matched, input, caller }: Visit) => {
      const { name, params } = matched!;
      const { principal, inbox, once } = caller!;
      const useCase = useCases[name as Names] as unknown as AnyUseCase;
      return useCase({
        path: params,
        ...input,
        principal,
        ...('inbox_id' in params && { inbox }),
        ...(once && { once }),
      });
    });
  return (event, context) => {
    const request = readRequest(event);
    const visit: Visit = { event, request, started: now(), match: match(request.method, request.path) };
    return chain(visit, context) as Promise<HttpAnswer>;
  };
}

function logged(log: Log, now: () => number): Step {
  const write: NonNullable<Step['after']> = ({ event: { request, started, match, caller }, response }) =>
    log.info('answer', {
      request_id: request.id,
      method: request.method,
      ...(match.outcome === 'route' && { route: match.matched.name }),
      status: (response as HttpAnswer).statusCode,
      milliseconds: now() - started,
      organization_id: caller?.principal.organization_id,
      api_key_id: caller?.principal.api_key_id,
    });
  return {
    after: (step) => void write(step),
    onError: (step) => void write(step),
  };
}

const authenticated = (authenticate: Authenticate): Step => ({
  before: async ({ event: visit }) => {
    const { request, match, event } = visit;
    const found = match.outcome === 'route' ? match.matched : undefined;
    const inbox = found?.params['inbox_id'];
    const read = request.method === 'GET' || (found !== undefined && alsoReads.has(found.name));
    visit.caller = await authenticate(
      request,
      { purpose: read ? 'read' : 'write', ...(inbox !== undefined && { inbox }) },
      event,
    );
  },
});

const routed = (nonces: Nonces | undefined): Step => ({
  before: async ({ event: visit }) => {
    if (visit.match.outcome === 'none') throw notFound('Route');
    if (visit.match.outcome === 'method') throw notAllowed(visit.match.allow);
    visit.matched = visit.match.matched;
    await spendBefore(visit, nonces);
    checkScope(visit.caller!, visit.matched);
  },
});

const notAllowed = (allow: string[]): Problem =>
  new Problem('method_not_allowed', 'this path does not take the method', {
    fix: `Use ${allow.join(' or ')}.`,
  });

const parsed: Step = {
  before: ({ event: visit }) => {
    const { route } = visit.matched!;
    const query = route.query && valid(route.query, readQuery(visit.request.query));
    visit.input = { query, body: readBody(visit) };
  },
};

function readBody({ request, matched }: Visit): unknown {
  const { route } = matched!;
  if (route.body === undefined) return undefined;
  const body = readJsonBody(request);
  if (body !== undefined) return valid(route.body, body);
  if (route.bodyOptional) return undefined;
  throw new Problem('validation_error', 'the body is missing', {
    fix: 'Send a JSON object.',
    errors: [{ code: 'missing_body', path: [], message: 'the body is missing' }],
  });
}

const encoded: Step = {
  after: (step) => {
    const { matched, request } = step.event;
    step.response = answerValue(matched!.route, step.response, request.id);
  },
};

const refused = (log: Log, nonces: Nonces | undefined): Step => ({
  after: async ({ event: visit }) => {
    await spendAfterwards(visit, nonces);
  },
  onError: async (step) => {
    const visit = step.event;
    const problem = await toProblem(step.error, visit, nonces).catch((error: unknown) => error);
    if (!(problem instanceof Problem) || problem.code === 'internal_error')
      log.error('failed', { request_id: visit.request.id, error: problem });
    else log.info('refused', { request_id: visit.request.id, code: problem.code });
    const shown =
      problem instanceof Problem
        ? problem
        : new Problem('internal_error', 'something went wrong on our side', {
            fix: 'Try again; if it stays, tell the operator the request_id.',
          });
    step.response = answerProblem(
      shown,
      visit.request.id,
      shown.code === 'method_not_allowed' && visit.match.outcome === 'method' ? visit.match.allow : undefined,
    );
  },
});

/** The refusal to answer with: also a refused write spends its nonce, and says so when it was spent before. */
async function toProblem(error: unknown, visit: Visit, nonces: Nonces | undefined): Promise<unknown> {
  if (error instanceof Problem && error.code !== 'nonce_used') await spendAfterwards(visit, nonces);
  return error;
}
