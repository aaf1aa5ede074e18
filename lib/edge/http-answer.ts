import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Route } from '../contract/route.ts';
import { Problem, errorDocs, problems } from '../contract/problem.ts';
import type { RateStanding } from './rates.ts';

export type HttpAnswer = APIGatewayProxyStructuredResultV2 & {
  statusCode: number;
  headers: Record<string, string>;
};

/** Lambda's limit is 6 MB of its own JSON, in which the body is one escaped string. */
const maxAnswer = 5.9 * 1024 * 1024;

const headersOf = (requestId: string, standing?: RateStanding): Record<string, string> => ({
  'cache-control': 'no-store',
  'x-request-id': requestId,
  ...(standing && {
    'ratelimit-limit': String(standing.limit),
    'ratelimit-remaining': String(standing.remaining),
    'ratelimit-reset': String(standing.reset),
  }),
});

/** The answer of a call that went well: what the response schema names, and nothing else. */
export function answerValue(
  route: Route,
  value: unknown,
  requestId: string,
  standing?: RateStanding,
): HttpAnswer {
  const headers = headersOf(requestId, standing);
  const shown = route.response === undefined ? undefined : fit(route.response, value);
  if (shown === undefined) return { statusCode: 204, headers };
  const pending = typeof shown === 'object' && shown !== null && 'pending' in shown && shown.pending === true;
  const answer = answerJson(pending ? 202 : 200, JSON.stringify(shown), headers);
  if (sizeOf(answer) <= maxAnswer) return answer;
  throw new Problem('unprocessable', 'the answer is larger than 6 MB', {
    fix: 'Ask for fewer at once, with a smaller limit.',
  });
}

/** What an earlier call with the same Idempotency-Key was answered. */
export function answerAgain(
  { statusCode, body }: { statusCode: number; body: string },
  requestId: string,
  standing?: RateStanding,
): HttpAnswer {
  const headers = { ...headersOf(requestId, standing), 'idempotent-replayed': 'true' };
  return body === '' ? { statusCode, headers } : answerJson(statusCode, body, headers);
}

function fit(schema: NonNullable<Route['response']>, value: unknown): unknown {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  // Only where it does not fit: the values are a tenant's.
  throw new Error(
    `The answer does not fit its schema: ${read.error.issues.map(({ path, code }) => `${path.join('.')} ${code}`).join(', ')}`,
  );
}

/** Escaping at most doubles a text, so that small answers need not be written twice. */
function sizeOf(answer: HttpAnswer): number {
  const size = Buffer.byteLength(answer.body ?? '');
  return size * 2 < maxAnswer ? size : Buffer.byteLength(JSON.stringify(answer));
}

/** What only some refusals are answered with. */
export interface RefusalHeaders {
  /** Methods the path takes. */
  allow?: readonly string[];
  /** Where the caller stands; a rate that is used up says so itself. */
  standing?: RateStanding;
  /** Milliseconds since the epoch. */
  now?: number;
}

/** The answer of a refusal, with the headers HTTP wants beside it. */
export function answerProblem(
  problem: Problem,
  requestId: string,
  { allow, standing, now = Date.now() }: RefusalHeaders = {},
): HttpAnswer {
  const { name, code, message, status, detail } = problem;
  const { fix = problems[code].fix, errors, suggestions, resource, limit, window, retry_after } = detail;
  const docs = `${errorDocs}#${code}`;
  const answer = answerJson(
    status,
    JSON.stringify({
      ...{ name, code, message, fix, docs, errors, suggestions, resource, limit, window },
      request_id: requestId,
    }),
    headersOf(requestId, standing ?? usedUp(problem)),
  );
  if (retry_after !== undefined) answer.headers['retry-after'] = String(Math.ceil(retry_after));
  if (allow !== undefined) answer.headers['allow'] = allow.join(', ');
  // The time lets a client whose clock is wrong see by how much (RFC 9110 §6.6.1).
  if (status === 401) Object.assign(answer.headers, challenge, { date: new Date(now).toUTCString() });
  return answer;
}

function usedUp({ code, detail: { limit, retry_after } }: Problem): RateStanding | undefined {
  if (code !== 'rate_limit_exceeded' || limit === undefined || retry_after === undefined) return undefined;
  return { limit, remaining: 0, reset: Math.ceil(retry_after) };
}

/** RFC 9110 §11.6.1 wants a challenge with every 401, one for each scheme; RFC 9421 §5 says what is to be signed. */
const challenge = {
  'www-authenticate': 'Signature realm="posthorn", Bearer realm="posthorn"',
  'accept-signature': 'sig=("@method" "@target-uri" "content-digest");created',
};

const answerJson = (statusCode: number, body: string, headers: Record<string, string>): HttpAnswer => ({
  statusCode,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body,
});
