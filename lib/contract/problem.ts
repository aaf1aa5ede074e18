import * as z from 'zod';

interface Kind {
  status: number;
  /** The class name the wire uses. */
  name: string;
  /** What it means, for whoever reads the catalogue. */
  means: string;
  /** What helps, where a refusal says nothing more to the point. */
  fix: string;
}

/** Every way a call can be refused, by its stable code. docs/errors.md is made from it. */
export const problems = {
  validation_error: {
    status: 400,
    name: 'ValidationError',
    means:
      'The path, the query, a header or the body is not what the route takes; `errors` names each field.',
    fix: 'Change the fields that errors names, and call again.',
  },
  missing_authorization: {
    status: 401,
    name: 'UnauthorizedError',
    means: 'The request is not signed, and no bearer came with it.',
    fix: 'Sign the request (RFC 9421) with a registered key.',
  },
  invalid_signature: {
    status: 401,
    name: 'UnauthorizedError',
    means: 'The signature is malformed, covers too little, or is not the key’s over this request.',
    fix: 'Sign method, URL, body and the covered headers exactly as they are sent.',
  },
  signature_expired: {
    status: 401,
    name: 'UnauthorizedError',
    means: 'The signature was made too long ago, or in the future, by the server’s clock.',
    fix: 'Set the clock right, and sign each attempt anew.',
  },
  nonce_used: {
    status: 401,
    name: 'UnauthorizedError',
    means: 'A write with this signature came before: it is a replay.',
    fix: 'Sign every call anew with a fresh nonce.',
  },
  unknown_api_key: {
    status: 401,
    name: 'UnauthorizedError',
    means: 'No key like this: never registered, revoked, or expired.',
    fix: 'Use a key that is registered and valid.',
  },
  invalid_token_type: {
    status: 401,
    name: 'UnauthorizedError',
    means: 'A bearer key where the organization does not take bearer keys.',
    fix: 'Sign the request, or mint a token with POST /v0/auth/token, or have bearer_keys switched on.',
  },
  missing_permission: {
    status: 403,
    name: 'ForbiddenError',
    means: 'What is asked lies in the key’s scope, but the key may not do it.',
    fix: 'Use a key that has the permission.',
  },
  permission_escalation: {
    status: 403,
    name: 'ForbiddenError',
    means: 'A key would make, or change, a key that may do more than itself.',
    fix: 'Ask for no more than the calling key has: its permissions, its scope, its end.',
  },
  unrestricted_key_required: {
    status: 403,
    name: 'ForbiddenError',
    means: 'Only a key of the whole organization without permissions of its own may do this.',
    fix: 'Use an unrestricted key of the organization, not a minted token.',
  },
  already_exists: {
    status: 403,
    name: 'IsTakenError',
    means: 'The organization has something of this name already.',
    fix: 'Choose another name.',
  },
  resource_taken: {
    status: 403,
    name: 'IsTakenError',
    means: 'Somebody else has this name.',
    fix: 'Choose another name.',
  },
  limit_exceeded: {
    status: 403,
    name: 'LimitExceededError',
    means:
      'A limit of the organization, or of the thing itself, is reached; `resource` and `limit` say which.',
    fix: 'Remove something first, or ask the operator for a higher limit.',
  },
  domain_not_verified: {
    status: 403,
    name: 'ForbiddenError',
    means: 'The domain’s DNS records are not in place yet.',
    fix: 'Create the records, and have the domain verified.',
  },
  account_suspended: {
    status: 403,
    name: 'ForbiddenError',
    means: 'The operator has suspended the organization.',
    fix: 'Ask the operator to resume it.',
  },
  quarantined: {
    status: 403,
    name: 'ForbiddenError',
    means: 'A virus was found in the mail; nothing of it is handed out.',
    fix: 'Ask the operator, who has the raw mail.',
  },
  not_found: {
    status: 404,
    name: 'NotFoundError',
    means: 'It is not there, or not in the key’s scope: both look the same.',
    fix: 'Check the id, and that the key reaches it.',
  },
  method_not_allowed: {
    status: 405,
    name: 'MethodNotAllowedError',
    means: 'The path is there, with other methods; `Allow` names them.',
    fix: 'Use one of the methods in Allow.',
  },
  conflict: {
    status: 409,
    name: 'ConflictError',
    means: 'It contradicts something that is there, such as another call under the same Idempotency-Key.',
    fix: 'Look at what is there; use a new key for a new call.',
  },
  race_condition: {
    status: 409,
    name: 'ConflictError',
    means: 'Others change the same thing at the same time.',
    fix: 'Repeat the call.',
  },
  cannot_delete: {
    status: 409,
    name: 'ConflictError',
    means: 'Something hangs on it still.',
    fix: 'Delete what is in it first.',
  },
  resource_deleting: {
    status: 409,
    name: 'ConflictError',
    means: 'It is being deleted.',
    fix: 'Wait until it is gone.',
  },
  payload_too_large: {
    status: 413,
    name: 'PayloadTooLargeError',
    means: 'The body is larger than 6 MB, which is what Lambda takes.',
    fix: 'Send less at once.',
  },
  unsupported_media_type: {
    status: 415,
    name: 'UnsupportedMediaTypeError',
    means: 'The body is not JSON.',
    fix: 'Send JSON with Content-Type: application/json.',
  },
  unprocessable: {
    status: 422,
    name: 'UnprocessableError',
    means: 'The call is well formed, but cannot be carried out as it is.',
    fix: 'Change what the message names.',
  },
  rate_limit_exceeded: {
    status: 429,
    name: 'RateLimitError',
    means: 'More requests a minute than the key or its organization may make.',
    fix: 'Wait as long as Retry-After says.',
  },
  request_header_fields_too_large: {
    status: 431,
    name: 'HeaderTooLargeError',
    means: 'The headers are larger than API Gateway takes, 10,240 bytes with the request line.',
    fix: 'Send fewer or shorter headers.',
  },
  internal_error: {
    status: 500,
    name: 'InternalError',
    means: 'Something went wrong on our side.',
    fix: 'Try again; if it stays, tell the operator the request_id.',
  },
  service_unavailable: {
    status: 503,
    name: 'ServiceUnavailableError',
    means: 'Something that is needed does not answer.',
    fix: 'Try again after Retry-After.',
  },
} as const satisfies Record<string, Kind>;
export type ProblemCode = keyof typeof problems;

/** Where the catalogue is published; each code is an anchor there. */
export const errorDocs = 'docs/errors.md';

export interface FieldError {
  code: string;
  path: (string | number)[];
  message: string;
}

/** What may stand in a problem's body beside the message. */
export interface ProblemDetail {
  /** What the caller can do about it, in one sentence. */
  fix?: string;
  /** For a validation error: one entry a field. */
  errors?: FieldError[];
  /** For a taken name: at most three free ones. */
  suggestions?: string[];
  /** For a limit: what of, and how much. */
  resource?: string;
  limit?: number;
  /** For a rate: the window it is counted in. */
  window?: 'minute';
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
  docs: z.string().optional(),
  errors: z
    .array(
      z.object({ code: z.string(), path: z.array(z.union([z.string(), z.number()])), message: z.string() }),
    )
    .optional(),
  suggestions: z.array(z.string()).max(3).optional(),
  resource: z.string().optional(),
  limit: z.number().optional(),
  window: z.string().optional(),
  request_id: z.string().optional(),
});

/** Out of scope and absent look the same to the caller: 404. */
export const notFound = (what: string): Problem => new Problem('not_found', `${what} not found`);

/** One wrong field of a call. */
export const invalidField = (path: (string | number)[], message: string, fix?: string): Problem =>
  new Problem('validation_error', `${path.join('.')}: ${message}`, {
    ...(fix !== undefined && { fix }),
    errors: [{ code: 'custom', path, message }],
  });

/**
 * Runs every check and, where some find fields wrong, throws one refusal that names all of them. Anything but a
 * validation error is thrown as it comes.
 */
export function checkAll<const Checks extends readonly (() => unknown)[]>(
  ...checks: Checks
): { -readonly [Key in keyof Checks]: ReturnType<Checks[Key]> } {
  const refusals: Problem[] = [];
  const values = checks.map((check) => {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'validation_error') throw error;
      refusals.push(error);
      return undefined;
    }
  });
  const [first, ...others] = refusals;
  if (first === undefined) return values as { -readonly [Key in keyof Checks]: ReturnType<Checks[Key]> };
  if (others.length === 0) throw first;
  const errors = refusals.flatMap(
    ({ detail, message }) => detail.errors ?? [{ code: 'custom', path: [], message }],
  );
  throw new Problem('validation_error', `${first.message} (and ${errors.length - 1} more)`, {
    ...(first.detail.fix !== undefined && { fix: first.detail.fix }),
    errors,
  });
}
