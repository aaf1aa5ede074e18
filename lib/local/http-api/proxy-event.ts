import { isUtf8 } from 'node:buffer';
import type { Caller } from '../cloud.ts';

/** One request to the API, before it is an event. */
export interface ApiRequest {
  method: string;
  /** As sent, percent-encoded, without query. */
  path: string;
  /** As sent, without the question mark. */
  rawQuery: string;
  /** `HTTP/1.1` */
  protocol: string;
  /** Names and values in turn, as sent. */
  rawHeaders: readonly string[];
  body: Buffer;
  sourceIp: string;
  /** Port of this server. */
  port: number;
}

export interface EventDetails {
  apiId: string;
  account: string;
  region: string;
  routeKey: string;
  /** Decoded. */
  path: string;
  parameters: Record<string, string>;
  requestId: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** Who signed, on a route with IAM authorization. */
  caller: Caller | undefined;
}

/** Headers of one connection only (RFC 9110 §7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Headers with lower-case names, those that came twice joined by a comma. */
export function headersOf(rawHeaders: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let place = 0; place < rawHeaders.length; place += 2) {
    const name = rawHeaders[place]!.toLowerCase();
    const value = rawHeaders[place + 1]!;
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return headers;
}

/** Splits off the cookies and leaves out what ends at this connection. */
function handedOn(rawHeaders: readonly string[]): { headers: Record<string, string>; cookies: string[] } {
  const all = Object.entries(headersOf(rawHeaders));
  const headers = Object.fromEntries(all.filter(([name]) => name !== 'cookie' && !hopByHop.has(name)));
  const cookies = rawHeaders
    .filter((_, place) => place % 2 === 1 && rawHeaders[place - 1]!.toLowerCase() === 'cookie')
    .flatMap((value) => value.split(/;\s*/))
    .filter((cookie) => cookie !== '');
  return { headers, cookies };
}

/** The event of payload format 2.0 (API Gateway developer guide, "Lambda proxy integrations for HTTP APIs"). */
export function proxyEvent(request: ApiRequest, details: EventDetails): Record<string, unknown> {
  const { headers, cookies } = handedOn(request.rawHeaders);
  const forwarded = headers['x-forwarded-for'];
  const query = queryParameters(request.rawQuery);
  const isBase64Encoded = request.body.length > 0 && !isText(headers, request.body);
  return {
    version: '2.0',
    routeKey: details.routeKey,
    rawPath: details.path,
    rawQueryString: request.rawQuery,
    ...(cookies.length > 0 && { cookies }),
    headers: {
      ...headers,
      'content-length': String(request.body.length),
      'x-forwarded-for': forwarded === undefined ? request.sourceIp : `${forwarded}, ${request.sourceIp}`,
      'x-forwarded-port': String(request.port),
      'x-forwarded-proto': 'http',
    },
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    requestContext: contextOf(request, details, headers['user-agent'] ?? ''),
    ...(Object.keys(details.parameters).length > 0 && { pathParameters: details.parameters }),
    ...(request.body.length > 0 && { body: request.body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    isBase64Encoded,
  };
}

function contextOf(request: ApiRequest, details: EventDetails, userAgent: string): unknown {
  const { apiId, account, region, caller } = details;
  return {
    accountId: account,
    apiId,
    ...(caller !== undefined && { authorizer: { iam: identityOf(caller, account) } }),
    domainName: `${apiId}.execute-api.${region}.amazonaws.com`,
    domainPrefix: apiId,
    http: {
      method: request.method,
      path: details.path,
      protocol: request.protocol,
      sourceIp: request.sourceIp,
      userAgent,
    },
    requestId: details.requestId,
    routeKey: details.routeKey,
    stage: '$default',
    time: commonLogTime(details.now),
    timeEpoch: details.now,
  };
}

function identityOf(caller: Caller, accountId: string): unknown {
  const { accessKeyId, arn } =
    caller.kind === 'role' || caller.kind === 'operator' ? caller : { accessKeyId: '', arn: '' };
  const userId = caller.kind === 'role' ? `${accessKeyId}:${arn.split('/').at(-1)}` : accessKeyId;
  return {
    accessKey: accessKeyId,
    accountId,
    callerId: userId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: arn,
    userId,
  };
}

function queryParameters(query: string): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    joined[name] = joined[name] === undefined ? value : `${joined[name]},${value}`;
  }
  return joined;
}

/** Content that comes as it is and not in base64; form data, for one, does not. */
const textTypes =
  /^(text\/|application\/(json|javascript|xml)\s*(;|$)|application\/[\w.-]+\+(json|xml)\s*(;|$))/i;

function isText(headers: Record<string, string>, body: Buffer): boolean {
  if (headers['content-encoding'] !== undefined) return false;
  return textTypes.test(headers['content-type'] ?? '') && isUtf8(body);
}

/** `12/Mar/2020:19:03:58 +0000` */
function commonLogTime(now: number): string {
  const [, day, month, year, time] = new Date(now).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}
