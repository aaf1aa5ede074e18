/** Structured lines: one JSON object each, as CloudWatch Logs Insights reads them. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

// What must never stand in a log: secrets, signatures, mail, and URLs that open without a key.
const secret =
  /^(authorization|cookie|signature|signature-input|x-amz-security-token|body|headers|raw|text|html|subject|preview|extracted_.*|d|k|secret|.*secret.*|.*token.*|.*password.*|private.*|proof|nonce|url|.*_url)$/i;
const longest = 2048;
const deepest = 6;

/** A log that writes to `write`, by default the function's standard output. */
export function createLog(write: (line: string) => void = writeLine, now: () => number = Date.now): Log {
  const line =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      write(
        JSON.stringify({
          level,
          time: new Date(now()).toISOString(),
          message,
          ...(clean(fields, 0) as object),
        }),
      );
  return { info: line('info'), error: line('error') };
}

const writeLine = (line: string): void => void process.stdout.write(`${line}\n`);

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > longest ? `${value.slice(0, longest)}…` : value;
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol')
    return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= deepest) return '…';
  if (value instanceof Error) return describe(value, depth);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.slice(0, 20).map((item) => clean(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      secret.test(name) ? '[removed]' : clean(member, depth + 1),
    ]),
  );
}

/** Only these members of an error: an AWS SDK error also carries the response, and with it the mail. */
function describe(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    name,
    message: clean(message, depth),
    stack: clean(stack, depth),
    ...(cause !== undefined && { cause: clean(cause, depth + 1) }),
  };
}
