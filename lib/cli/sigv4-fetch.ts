import { Sha256 } from '@aws-crypto/sha256-js';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';
import type { OperatorKey } from './local-file.ts';
import { UsageError } from './usage-error.ts';

export interface SigV4Options {
  api: string;
  /** Without it: the ordinary AWS credential chain. */
  operator?: OperatorKey;
  fetch?: typeof fetch;
  env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** A `fetch` that signs with SigV4 for API Gateway (`execute-api`). It takes text bodies. */
export function createSigV4Fetch({
  api,
  operator,
  fetch: send = fetch,
  env = process.env,
  now = Date.now,
}: SigV4Options): typeof fetch {
  const signer = new SignatureV4({
    service: 'execute-api',
    region: operator?.region ?? regionOf(api, env),
    credentials: operator
      ? { accessKeyId: operator.access_key_id, secretAccessKey: operator.secret_access_key }
      : defaultProvider(),
    sha256: Sha256,
  });
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init.method ?? 'GET';
    const request = {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port && { port: Number(url.port) }),
      path: url.pathname,
      query: queryBag(url.searchParams),
      headers: { ...Object.fromEntries(new Headers(init.headers)), host: url.host },
      ...(init.body != null && { body: init.body }),
    };
    const { headers } = await signer.sign(request, { signingDate: new Date(now()) });
    // fetch sets Host itself, to the same.
    const { host: _, ...sent } = headers;
    return send(url.href, { ...init, method, headers: sent });
  };
}

function queryBag(parameters: URLSearchParams): Record<string, string[]> {
  return Object.fromEntries([...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name)]));
}

function regionOf(api: string, env: Readonly<Record<string, string | undefined>>): string {
  const named =
    /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com/.exec(new URL(api).hostname)?.[1] ??
    env['AWS_REGION'] ??
    env['AWS_DEFAULT_REGION'];
  if (named === undefined) throw new UsageError(`Which Region is ${api} in? Set AWS_REGION`);
  return named;
}
