import { randomBytes } from 'node:crypto';
import type { Caller, Cloud } from '../cloud.ts';
import { AwsError } from '../aws-error.ts';
import type { CorsConfiguration } from './api-properties.ts';
import { corsHeaders, preflight } from './cors.ts';
import { decodedPath } from './decoded-path.ts';
import { apiMessage, proxyAnswer } from './proxy-answer.ts';
import type { ApiAnswer } from './proxy-answer.ts';
import { headersOf, proxyEvent } from './proxy-event.ts';
import type { ApiRequest } from './proxy-event.ts';
import { RouteTable } from './route-table.ts';
import type { Match } from './route-table.ts';
import type { Throttle } from './throttle.ts';

/** What an API needs from Lambda. */
export interface Invoker {
  invoke(
    functionArn: string,
    event: unknown,
    caller: Caller,
    options: { type: 'sync' | 'event' },
  ): Promise<{ payload?: string; functionError?: string }>;
}

/** A request whose SigV4 signature (service `execute-api`) is to be checked. */
export interface SignedRequest {
  method: string;
  /** As sent, percent-encoded, without query. */
  path: string;
  /** As sent, without the question mark. */
  rawQuery: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface ApiGiven {
  cloud: Cloud;
  lambda: Invoker;
  /** Who signed the request; `undefined` when nobody did or the signature is wrong. */
  verifySignature(request: SignedRequest): Promise<Caller | undefined> | Caller | undefined;
}

interface Integration {
  functionArn: string;
  /** Milliseconds. */
  timeout: number;
}

/** One HTTP API: its routes, and what happens to a request from its first byte to the function's answer. */
export class Api {
  readonly id: string;
  readonly routes = new RouteTable();
  readonly integrations = new Map<string, Integration>();
  /** Set by its `$default` stage; without it the API serves nothing. */
  throttle: Throttle | undefined;
  readonly #cors: CorsConfiguration | undefined;
  readonly #given: ApiGiven;

  constructor(id: string, cors: CorsConfiguration | undefined, given: ApiGiven) {
    this.id = id;
    this.#cors = cors;
    this.#given = given;
  }

  /** Answers a request. Never rejects for what the function does. */
  async answer(request: ApiRequest): Promise<ApiAnswer> {
    const headers = headersOf(request.rawHeaders);
    const origin = headers['origin'];
    if (this.#cors === undefined) return this.#route(request, headers);
    if (request.method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
      return preflight(this.#cors, origin);
    }
    const answer = await this.#route(request, headers);
    // With a CORS configuration the API's own headers replace the function's.
    const own = Object.entries(answer.headers).filter(([name]) => !name.startsWith('access-control-'));
    return { ...answer, headers: { ...Object.fromEntries(own), ...corsHeaders(this.#cors, origin) } };
  }

  async #route(request: ApiRequest, headers: Record<string, string>): Promise<ApiAnswer> {
    if (this.throttle === undefined) return apiMessage(404, 'Not Found');
    const path = decodedPath(request.path);
    if (path === undefined) return apiMessage(400, 'Bad Request');
    const match = this.routes.find(request.method, path);
    if (match === undefined) return apiMessage(404, 'Not Found');
    if (!this.throttle.admit()) return apiMessage(429, 'Too Many Requests');
    let caller: Caller | undefined;
    if (match.route.iam) {
      caller = await this.#given.verifySignature({ ...request, headers });
      if (caller === undefined || !this.#mayInvoke(caller, request.method, path))
        return apiMessage(403, 'Forbidden');
    }
    return this.#integrate(request, match, path, caller);
  }

  #mayInvoke(caller: Caller, method: string, path: string): boolean {
    try {
      const resource = `${this.#arn()}/$default/${method}${path}`;
      this.#given.cloud.authorize({ caller, action: 'execute-api:Invoke', resource });
      return true;
    } catch (error) {
      if (error instanceof AwsError) return false;
      throw error;
    }
  }

  async #integrate(
    request: ApiRequest,
    match: Match,
    path: string,
    caller: Caller | undefined,
  ): Promise<ApiAnswer> {
    const { cloud, lambda } = this.#given;
    const integration = this.integrations.get(match.route.integrationId)!;
    const requestId = `${randomBytes(11).toString('base64url')}=`;
    const event = proxyEvent(request, {
      apiId: this.id,
      account: cloud.account,
      region: cloud.region,
      routeKey: match.route.key,
      path,
      parameters: match.parameters,
      requestId,
      now: Math.floor(cloud.clock.now()),
      caller,
    });
    const sourceArn = `${this.#arn()}/${sourceOf(match.route.key, request.method)}`;
    const service: Caller = {
      kind: 'service',
      service: 'apigateway.amazonaws.com',
      sourceArn,
      sourceAccount: cloud.account,
    };
    const call = lambda.invoke(integration.functionArn, event, service, { type: 'sync' });
    const answer = await this.#await(call, integration.timeout);
    return { ...answer, headers: { ...answer.headers, 'apigw-requestid': requestId } };
  }

  async #await(call: ReturnType<Invoker['invoke']>, timeout: number): Promise<ApiAnswer> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), timeout);
    try {
      const result = await Promise.race([call, late]);
      if (result === undefined) return apiMessage(503, 'Service Unavailable');
      if (result.functionError !== undefined) return apiMessage(500, 'Internal Server Error');
      return proxyAnswer(result.payload ?? 'null') ?? this.#unusable();
    } catch (error) {
      return this.#refused(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #unusable(): ApiAnswer {
    this.#given.cloud.print(`${this.id}: a function's answer has not the form of payload format 2.0`);
    return apiMessage(500, 'Internal Server Error');
  }

  /** Lambda did not take the call: for its size, or for want of a permission. */
  #refused(error: unknown): ApiAnswer {
    if (error instanceof AwsError && error.status === 413) return apiMessage(413, 'Request Entity Too Large');
    this.#given.cloud.print(`${this.id}: the function could not be called: ${(error as Error).message}`);
    return apiMessage(500, 'Internal Server Error');
  }

  #arn(): string {
    const { region, account } = this.#given.cloud;
    return `arn:aws:execute-api:${region}:${account}:${this.id}`;
  }
}

/** The part of the source ARN that a permission names: stage, method and the route's path as it is written. */
function sourceOf(routeKey: string, method: string): string {
  return routeKey === '$default' ? '$default/$default' : `$default/${method}${routeKey.split(' ')[1]}`;
}
