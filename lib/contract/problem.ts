import * as z from 'zod';

/** Every way a call can be refused: its stable code, HTTP status and the class name the wire uses. */
export const problems = {
  validation_error: { status: 400, name: 'ValidationError' },
  missing_authorization: { status: 401, name: 'UnauthorizedError' },
  invalid_signature: { status: 401, name: 'UnauthorizedError' },
  signature_expired: { status: 401, name: 'UnauthorizedError' },
  nonce_used: { status: 401, name: 'UnauthorizedError' },
  unknown_api_key: { status: 401, name: 'UnauthorizedError' },
  missing_permission: { status: 403, name: 'ForbiddenError' },
  permission_escalation: { status: 403, name: 'ForbiddenError' },
  already_exists: { status: 403, name: 'IsTakenError' },
  resource_taken: { status: 403, name: 'IsTakenError' },
  limit_exceeded: { status: 403, name: 'LimitExceededError' },
  domain_not_verified: { status: 403, name: 'ForbiddenError' },
  account_suspended: { status: 403, name: 'ForbiddenError' },
  quarantined: { status: 403, name: 'ForbiddenError' },
  not_found: { status: 404, name: 'NotFoundError' },
  method_not_allowed: { status: 405, name: 'MethodNotAllowedError' },
  conflict: { status: 409, name: 'ConflictError' },
  race_condition: { status: 409, name: 'ConflictError' },
  resource_deleting: { status: 409, name: 'ConflictError' },
  payload_too_large: { status: 413, name: 'PayloadTooLargeError' },
  unsupported_media_type: { status: 415, name: 'UnsupportedMediaTypeError' },
  unprocessable: { status: 422, name: 'UnprocessableError' },
  rate_limit_exceeded: { status: 429, name: 'RateLimitError' },
  internal_error: { status: 500, name: 'InternalError' },
  service_unavailable: { status: 503, name: 'ServiceUnavailableError' },
} as const;
export type ProblemCode = keyof typeof problems;

/** What may stand in a problem's body beside the message. */
export interface ProblemDetail {
  /** What the caller can do about it, in one sentence. */
  fix?: string;
  /** For a validation error: one entry a field. */
  errors?: { code: string; path: (string | number)[]; message: string }[];
  /** For a taken name: at most three free ones. */
  suggestions?: string[];
  /** Seconds after which a repeat makes sense (`Retry-After`). */
  retry_after?: number;
}

/** A refusal. The edge turns it into the body, the SDK turns the body back into the same `Problem`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly detail: ProblemDetail;

  constructor(code: ProblemCode, message: string, detail: ProblemDetail = {}) {
    super(message);
    this.name = problems[code].name;
    this.code = code;
    this.detail = detail;
  }

  get status(): number {
    return problems[this.code].status;
  }
}

/** The body of every refusal. */
export const problemBody = z.object({
  name: z.string(),
  code: z.string(),
  message: z.string(),
  fix: z.string().optional(),
  errors: z
    .array(
      z.object({ code: z.string(), path: z.array(z.union([z.string(), z.number()])), message: z.string() }),
    )
    .optional(),
  suggestions: z.array(z.string()).max(3).optional(),
  request_id: z.string().optional(),
});

/** Out of scope and absent look the same to the caller: 404. */
export const notFound = (what: string): Problem => new Problem('not_found', `${what} not found`);
