import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';

export interface Sent {
  method?: string;
  /** Absolute, encoded as a client sends it. */
  url: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  iam?: { userArn: string };
}

/** The event an HTTP API makes of a request (payload format 2.0): the path decoded, the query not. */
export function apiEvent({ method = 'GET', url, headers = {}, body, iam }: Sent): APIGatewayProxyEventV2 {
  const { pathname, search, host } = new URL(url);
  const rawPath = decodeURIComponent(pathname);
  return {
    version: '2.0',
    routeKey: 'ANY /v0/{proxy+}',
    rawPath,
    rawQueryString: search.slice(1),
    headers: {
      host,
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    },
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: host,
      domainPrefix: 'api',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'req-1',
      routeKey: 'ANY /v0/{proxy+}',
      stage: '$default',
      time: '',
      timeEpoch: 0,
      ...(iam && { authorizer: { iam } }),
    },
    isBase64Encoded: body !== undefined && typeof body !== 'string',
    ...(body !== undefined && {
      body: typeof body === 'string' ? body : Buffer.from(body).toString('base64'),
    }),
  };
}

export const lambdaContext = { awsRequestId: 'lambda-1', getRemainingTimeInMillis: () => 10_000 } as Context;

type Door = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

/** A `fetch` that ends in a door instead of a network. */
export const doorFetch =
  (door: Door, iam?: { userArn: string }): typeof fetch =>
  async (input, init = {}) => {
    const headers = Object.fromEntries(new Headers(init.headers));
    const event = apiEvent({
      method: init.method ?? 'GET',
      url: String(input),
      headers,
      ...(init.body != null && { body: init.body as string }),
      ...(iam && { iam }),
    });
    const answer = await door(event, lambdaContext);
    return new Response(answer.body ?? null, {
      status: answer.statusCode ?? 200,
      headers: answer.headers as Record<string, string>,
    });
  };
