import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { UseCases } from '../contract/call.ts';
import { Problem, notFound } from '../contract/problem.ts';
import { routes, type RouteName } from '../contract/routes.ts';
import type { Authenticate } from './caller.ts';
import { openDeed, settleDeed, settleRefused, type Deeds, type Ulids } from './deeds.ts';
import { answerAgain, answerProblem, answerValue, type HttpAnswer } from './http-answer.ts';
import { readRequest } from './http-request.ts';
import { keepAnswer, letGo, reserve, type Reservations } from './idempotency.ts';
import { readJsonBody } from './json-body.ts';
import { shownIds } from './ledger-line.ts';
import { createLog, type Log } from './log.ts';
import { readQuery } from './query.ts';
import type { Rates } from './rates.ts';
import { routeTable } from './route-table.ts';
import { checkScope } from './scope.ts';
import { validAll } from './validation.ts';
import type { Visit } from './visit.ts';

export interface HttpDoor<Names extends RouteName> extends Ulids {
  /** One for each route this function answers. */
  useCases: UseCases<Names>;
  authenticate: Authenticate;
  deeds: Deeds;
  /** How often callers may call; without it as often as they like. */
  rates?: Rates;
  /** Needed where a route takes an Idempotency-Key. */
  reservations?: Reservations;
  /** Does the work with credentials that reach the caller's organization alone. */
  within?: <T>(organizationId: string, work: () => Promise<T>) => Promise<T>;
  log?: Log;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

type Step = MiddlewareObj<Visit, unknown>;
type AnyUseCase = (call: unknown) => Promise<unknown>;

/**
 * The Lambda handler of some routes behind an HTTP API (payload format 2.0). A stranger learns nothing: who
 * calls is settled before the route is.
 */
export function httpDoor<Names extends RouteName>(
  door: HttpDoor<Names>,
): (event: APIGatewayProxyEventV2, context: Context) => Promise<HttpAnswer> {
  const { useCases, authenticate, rates, reservations, log = createLog(), now = Date.now } = door;
  const match = routeTable(Object.keys(useCases) as Names[]);
  // No early timeout: a second answer while the first is still at work would free the function to freeze it.
  const chain = middy<Visit, unknown>({ timeoutEarlyInMillis: 0 })
    .use(logged(log, now))
    .use(authenticated(authenticate))
    .use(rated(rates))
    .use(answered(reservations))
    .use(routed(door))
    .use(parsed)
    .use(reserved(reservations))
    .use(refused(log, door))
    .handler(async (visit: Visit) => {
      if (visit.earlier !== undefined) return undefined;
      const work = () => carryOut(useCases[visit.matched!.name as Names] as unknown as AnyUseCase, visit);
      const organization = visit.caller!.principal.scope?.organization_id;
      return door.within === undefined || organization === undefined
        ? work()
        : door.within(organization, work);
    });
  return (event, context) => {
    const request = readRequest(event);
    const visit: Visit = { event, request, started: now(), match: match(request.method, request.path) };
    return chain(visit, context) as Promise<HttpAnswer>;
  };
}

function carryOut(useCase: AnyUseCase, { matched, input, caller, scope, deed }: Visit): Promise<unknown> {
  const { params } = matched!;
  return useCase({
    path: params,
    ...input,
    principal: caller!.principal,
    deed,
    ...(scope !== undefined && { scope }),
    ...('inbox_id' in params && { inbox: caller!.inbox }),
  });
}

function logged(log: Log, now: () => number): Step {
  const write: NonNullable<Step['after']> = ({ event: { request, started, match, caller }, response }) =>
    log.info('answer', {
      request_id: request.id,
      method: request.method,
      ...(match.outcome === 'route' && { route: match.matched.name }),
      status: (response as HttpAnswer).statusCode,
      milliseconds: now() - started,
      organization_id: caller?.principal.scope?.organization_id,
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
    const { inbox_id: inbox, pod_id: pod } = found?.params ?? {};
    const changes = found === undefined ? request.method !== 'GET' : routes[found.name].ledger === 'change';
    visit.caller = await authenticate(
      request,
      {
        purpose: changes ? 'write' : 'read',
        ...(inbox !== undefined && { inbox }),
        ...(pod !== undefined && { pod }),
      },
      event,
    );
  },
});

const rated = (rates: Rates | undefined): Step => ({
  before: async ({ event: visit }) => {
    const { principal, limits } = visit.caller!;
    const { scope, api_key_id } = principal;
    if (rates === undefined || limits === undefined || scope === undefined || api_key_id === undefined)
      return;
    const { organization_id } = scope;
    visit.standing = await rates.spend({ organization_id, api_key_id }, limits);
  },
});

const routed = (door: { deeds: Deeds } & Ulids): Step => ({
  before: async ({ event: visit }) => {
    if (visit.match.outcome === 'none') throw notFound('Route');
    if (visit.match.outcome === 'method') throw notAllowed(visit.match.allow);
    visit.matched = visit.match.matched;
    await openDeed(visit, door);
    const scope = checkScope(visit.caller!, visit.matched);
    if (scope === undefined) return;
    visit.scope = scope;
    const { line } = visit.deed!;
    if (line === undefined) return;
    if (scope.pod_id !== undefined) line.pod_id = scope.pod_id;
    if (scope.inbox !== undefined) line.inbox_uid = scope.inbox.uid;
  },
  after: async ({ event: visit, response }) => {
    const { deed, earlier, matched } = visit;
    if (deed?.line !== undefined && !deed.written) {
      if (earlier !== undefined) deed.line.code = 'repeated';
      else if (matched!.route.ledger === 'read') {
        const { line } = deed;
        line.resources.push(...shownIds(response).filter((id) => !line.resources.includes(id)));
      }
    }
    await settleDeed(visit, door.deeds);
  },
});

const notAllowed = (allow: string[]): Problem =>
  new Problem('method_not_allowed', 'this path does not take the method', {
    fix: `Use ${allow.join(' or ')}.`,
  });

const parsed: Step = {
  before: ({ event: visit }) => {
    const { route } = visit.matched!;
    const body = readBody(visit);
    const { query, body: read } = validAll({
      ...(route.query && { query: { schema: route.query, value: readQuery(visit.request.query) } }),
      ...(route.body && body !== undefined && { body: { schema: route.body, value: body } }),
    });
    visit.input = { query, body: read };
  },
};

function readBody({ request, matched }: Visit): unknown {
  const { route } = matched!;
  if (route.body === undefined) return undefined;
  const body = readJsonBody(request);
  if (body !== undefined || route.bodyOptional) return body;
  throw new Problem('validation_error', 'the body is missing', {
    fix: 'Send a JSON object.',
    errors: [{ code: 'missing_body', path: [], message: 'the body is missing' }],
  });
}

/** An earlier call with the same Idempotency-Key has the answer; otherwise this one holds the key from here on. */
const reserved = (reservations: Reservations | undefined): Step => ({
  before: async ({ event: visit }) => {
    if (reservations === undefined || visit.matched!.route.idempotent !== true) return;
    const earlier = await reserve(visit, reservations);
    if (earlier !== undefined) visit.earlier = earlier;
  },
});

const answered = (reservations: Reservations | undefined): Step => ({
  after: async (step) => {
    const { matched, request, standing, earlier, deed } = step.event;
    const answer =
      earlier === undefined
        ? answerValue(matched!.route, step.response, request.id, standing)
        : answerAgain(earlier, request.id, standing);
    step.response = answer;
    if (reservations !== undefined && earlier === undefined && deed?.reservation !== undefined)
      await keepAnswer(deed.reservation, answer, reservations);
  },
});

const refused = (log: Log, { deeds, reservations }: { deeds: Deeds; reservations?: Reservations }): Step => ({
  onError: async (step) => {
    const visit = step.event;
    const problem = await toProblem(step.error, visit, deeds, reservations).catch((error: unknown) => error);
    if (!(problem instanceof Problem) || problem.code === 'internal_error')
      log.error('failed', { request_id: visit.request.id, error: problem });
    else log.info('refused', { request_id: visit.request.id, code: problem.code });
    const shown =
      problem instanceof Problem
        ? problem
        : new Problem('internal_error', 'something went wrong on our side', {
            fix: 'Try again; if it stays, tell the operator the request_id.',
          });
    step.response = answerProblem(shown, visit.request.id, {
      ...(visit.standing && { standing: visit.standing }),
      ...(shown.code === 'method_not_allowed' &&
        visit.match.outcome === 'method' && { allow: visit.match.allow }),
    });
  },
});

/** The refusal to answer with: also a refused write spends its nonce, and says so when it was spent before. */
async function toProblem(
  error: unknown,
  visit: Visit,
  deeds: Deeds,
  reservations: Reservations | undefined,
): Promise<unknown> {
  const { reservation } = visit.deed ?? {};
  // Whether a failure that nobody foresaw changed something is not known: then the hold stays until it ends.
  if (reservation !== undefined && error instanceof Problem && !visit.deed!.written)
    await letGo(reservation, reservations);
  await settleRefused(visit, error, deeds);
  return error;
}
