import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Route } from '../contract/route.ts';
import { Problem } from '../contract/problem.ts';

export type HttpAnswer = APIGatewayProxyStructuredResultV2 & {
  statusCode: number;
  headers: Record<string, string>;
};

/** Lambda's limit is 6 MB of its own JSON, in which the body is one escaped string. */
const maxAnswer = 5.9 * 1024 * 1024;

const headersOf = (requestId: string): Record<string, string> => ({
  'cache-control': 'no-store',
  'x-request-id': requestId,
});

/** The answer of a call that went well: what the response schema names, and nothing else. */
export function answerValue(route: Route, value: unknown, requestId: string): HttpAnswer {
  const shown = route.response === undefined ? undefined : fit(route.response, value);
  if (shown === undefined) return { statusCode: 204, headers: headersOf(requestId) };
  const pending = typeof shown === 'object' && shown !== null && 'pending' in shown && shown.pending === true;
  const answer = answerJson(pending ? 202 : 200, shown, requestId);
  if (sizeOf(answer) <= maxAnswer) return answer;
  throw new Problem('unprocessable', 'the answer is larger than 6 MB', {
    fix: 'Ask for fewer at once, with a smaller limit.',
  });
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

/** The answer of a refusal, with the headers HTTP wants beside it. */
export function answerProblem(problem: Problem, requestId: string, allow?: readonly string[]): HttpAnswer {
  const { fix, errors, suggestions, retry_after } = problem.detail;
  const { name, code, message } = problem;
  const answer = answerJson(
    problem.status,
    { name, code, message, fix, errors, suggestions, request_id: requestId },
    requestId,
  );
  if (retry_after !== undefined) answer.headers['retry-after'] = String(Math.ceil(retry_after));
  if (allow !== undefined) answer.headers['allow'] = allow.join(', ');
  if (problem.status === 401) Object.assign(answer.headers, challenge);
  return answer;
}

/** RFC 9110 §11.6.1 wants a challenge with every 401; RFC 9421 §5 says what is to be signed. */
const challenge = {
  'www-authenticate': 'Signature realm="posthorn"',
  'accept-signature': 'sig=("@method" "@target-uri" "content-digest");created',
};

const answerJson = (statusCode: number, body: unknown, requestId: string): HttpAnswer => ({
  statusCode,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headersOf(requestId) },
  body: JSON.stringify(body),
});
