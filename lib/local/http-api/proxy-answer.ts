/** What goes back to the client. */
export interface ApiAnswer {
  status: number;
  headers: Record<string, string | string[]>;
  body: Buffer;
}

/** An answer of the API itself, such as `{"message":"Not Found"}`. */
export function apiMessage(status: number, message: string): ApiAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ message })),
  };
}

/** The length is the API's own to say, and the others belong to one connection (RFC 9110 §7.6.1). */
const dropped = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Reads what a function answered in payload format 2.0 (JSON). A value without `statusCode` is the body of a 200;
 * `undefined` for a form that the API cannot use, for which it says 500.
 */
export function proxyAnswer(payload: string): ApiAnswer | undefined {
  const value: unknown = JSON.parse(payload);
  if (typeof value !== 'object' || value === null || !('statusCode' in value)) {
    const body = Buffer.from(typeof value === 'string' ? value : payload);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  return structured(value);
}

interface Structured {
  statusCode: unknown;
  headers?: unknown;
  cookies?: unknown;
  body?: unknown;
  isBase64Encoded?: unknown;
}

function structured({
  statusCode,
  headers,
  cookies = [],
  body = '',
  isBase64Encoded,
}: Structured): ApiAnswer | undefined {
  const status = typeof statusCode === 'string' ? Number(statusCode) : statusCode;
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599)
    return undefined;
  if (typeof body !== 'string' && body !== null) return undefined;
  const lower = lowerCased(headers ?? {});
  if (lower === undefined || !isTexts(cookies)) return undefined;
  return {
    status,
    headers: {
      'content-type': 'text/plain;charset=UTF-8',
      ...lower,
      ...(cookies.length > 0 && { 'set-cookie': cookies }),
    },
    body: Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

function lowerCased(headers: unknown): Record<string, string> | undefined {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return undefined;
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers) as [string, unknown][]) {
    if (!['string', 'number', 'boolean'].includes(typeof value)) return undefined;
    if (!dropped.has(name.toLowerCase())) result[name.toLowerCase()] = String(value);
  }
  return result;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
