import { Problem, problemBody, problems, type ProblemCode, type ProblemDetail } from '../contract/problem.ts';

/** What a status means when the answer does not say it: API Gateway and proxies answer in bodies of their own. */
const byStatus: Record<number, ProblemCode> = {
  401: 'missing_authorization',
  403: 'missing_permission',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'service_unavailable',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'unprocessable',
  429: 'rate_limit_exceeded',
  502: 'service_unavailable',
  503: 'service_unavailable',
  504: 'service_unavailable',
};

/** The refusal an answer stands for: the same `Problem` the server threw, its `cause` naming the request. */
export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  const body = problemBody.safeParse(parse(text));
  const detail: ProblemDetail = {};
  const retryAfter = retryAfterSeconds(response.headers.get('retry-after'));
  if (retryAfter !== undefined) detail.retry_after = retryAfter;
  const cause = { status: response.status, request_id: response.headers.get('x-request-id') ?? undefined };
  if (!body.success)
    return Object.assign(
      new Problem(codeOf(response.status), `${response.status} ${said(text) || response.statusText}`, detail),
      { cause },
    );
  const { code, message, fix, errors, suggestions, resource, limit, window } = body.data;
  Object.assign(
    detail,
    fix && { fix },
    errors && { errors },
    suggestions && { suggestions },
    resource !== undefined && { resource },
    limit !== undefined && { limit },
    window === 'minute' && { window },
  );
  return Object.assign(
    new Problem(code in problems ? (code as ProblemCode) : codeOf(response.status), message, detail),
    { cause },
  );
}

const codeOf = (status: number): ProblemCode =>
  byStatus[status] ?? (status >= 500 ? 'internal_error' : 'validation_error');

function said(text: string): string {
  const body = parse(text);
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : text;
  return String(message).slice(0, 500);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds of a Retry-After, which may also be a date (RFC 9110 §10.2.3). */
export function retryAfterSeconds(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}

/** Whether an error is a refusal by the server. */
export const isProblem = (error: unknown): error is Problem => error instanceof Problem;
