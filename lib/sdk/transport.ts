import { setTimeout as wait } from 'node:timers/promises';
import { problemOf, retryAfterSeconds } from './problem-of.ts';

export interface TransportOptions {
  /** An origin, or with the path a gateway puts before `/v0`. */
  baseUrl: string;
  /** Signs and sends one attempt. */
  fetch: typeof fetch;
  /** Repeats after the first attempt, for 408, 429 and 5xx; and for a GET also when there is no answer. */
  retries?: number;
  /** Milliseconds one attempt may take. */
  timeout?: number;
  /** Waits some milliseconds. */
  pause?: (milliseconds: number) => Promise<unknown>;
}

export interface Sent {
  method: string;
  /** Begins with `/v0`, its segments percent-encoded. */
  path: string;
  query?: string;
  body?: unknown;
}

export type Transport = (sent: Sent) => Promise<unknown>;

/** The longest wait between two attempts, whatever Retry-After says; milliseconds. */
const longestPause = 60_000;

/** Sends JSON and answers JSON, repeated where that helps. Throws the `Problem` a refusal says. */
export function createTransport({
  baseUrl,
  fetch: send,
  retries = 2,
  timeout = 60_000,
  pause = wait,
}: TransportOptions): Transport {
  const base = baseUrl.replace(/\/+$/, '');
  return async ({ method, path, query, body }) => {
    const url = `${base}${path}${query ? `?${query}` : ''}`;
    const content =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    for (let attempt = 0; ; attempt++) {
      const last = attempt >= retries;
      const response = await send(url, { method, ...content, signal: AbortSignal.timeout(timeout) }).catch(
        (error: unknown) => {
          if (last || method !== 'GET')
            throw new Error(`No answer from ${base}: ${reasonOf(error)}`, { cause: error });
          return undefined;
        },
      );
      if (response?.ok) return read(response);
      if (response && (last || !worthRepeating(response.status))) throw await problemOf(response);
      await response?.body?.cancel();
      await pause(pauseBefore(attempt, response));
    }
  };
}

const worthRepeating = (status: number): boolean => status === 408 || status === 429 || status >= 500;

function pauseBefore(attempt: number, response: Response | undefined): number {
  const asked = retryAfterSeconds(response?.headers.get('retry-after') ?? null);
  const own = 2 ** attempt * (0.9 + Math.random() * 0.2);
  return Math.min((asked ?? own) * 1000, longestPause);
}

async function read(response: Response): Promise<unknown> {
  const text = await response.text();
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? cause.message : message;
}
