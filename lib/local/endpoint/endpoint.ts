import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { AwsError } from '../aws-error.ts';
import type { Caller, Service, ServiceResponse } from '../cloud.ts';
import { AnswerBoxes } from './answer-boxes.ts';
import { errorResponse, protocolOf, signatureDenial } from './denial.ts';
import { drained } from './drain.ts';
import { bufferedPayload, s3Payload, type Payload } from './payload.ts';
import { SignatureError } from './signature-error.ts';
import { isSigned, signatureParts, type SignatureParts, type WireRequest } from './signature-parts.ts';
import { verifySignature, type SignatureRules } from './verify-signature.ts';

/** A call made with a function's key while that instance ran no invocation: on Lambda it would be frozen. */
export interface StrayCall {
  functionName: string;
  service: string;
  /** Method and path, and the operation where the protocol names it in a header. */
  request: string;
}

export interface EndpointOptions extends SignatureRules {
  services: readonly Service[];
  /** Whether the instance that holds this key, or assumed this session, is running an invocation, or starting. */
  isActive(accessKeyId: string, token?: string): boolean;
  onStrayCall(call: StrayCall): void;
  print(line: string): void;
}

/** The one AWS endpoint: verifies who calls and hands the call to the service its signature names. */
export class Endpoint {
  readonly answerBoxes = new AnswerBoxes();
  /** Services, by their names in a credential scope, that answer every call with 503: tests put them here. */
  readonly outages = new Set<string>();
  readonly #options: EndpointOptions;
  readonly #services: Map<string, Service>;
  readonly #server: Server;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#services = new Map(
      options.services.flatMap((service) => service.scopes.map((scope) => [scope, service])),
    );
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      // A caller that hangs up in the middle of a body is its own failure: whoever reads the body sees it end.
      request.on('error', () => undefined);
      void this.#serve(request, response);
    });
  }

  /** Listens on 127.0.0.1; 0 is any free port. */
  async listen(port = 0): Promise<void> {
    await new Promise<void>((done, fail) => {
      this.#server.once('error', fail);
      this.#server.listen(port, '127.0.0.1', () => done());
    });
  }

  /** Such as `http://127.0.0.1:4566`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every connection, also those with a call in hand. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    // The SDK corrects its own clock by this header, and would sign with the machine's time.
    outgoing.setHeader('date', new Date(this.#options.clock.now()).toUTCString());
    try {
      const response = await this.#answer(wireRequest(incoming), incoming);
      if (!incoming.complete) await drained(incoming);
      await send(response, incoming, outgoing);
    } catch (error) {
      // The client went away, or a body broke off half-way: there is no status left to send.
      outgoing.destroy(error as Error);
    }
  }

  async #answer(request: WireRequest, incoming: IncomingMessage): Promise<ServiceResponse> {
    if (request.path.startsWith(AnswerBoxes.prefix)) return this.#putAnswer(request, incoming);
    let scope: string | undefined;
    try {
      const parts = isSigned(request) ? signatureParts(request) : undefined;
      scope = parts?.service;
      return await this.#call(request, parts, incoming);
    } catch (error) {
      const protocol = protocolOf(request, scope);
      if (error instanceof SignatureError) {
        return errorResponse(signatureDenial(error, protocol), protocol, request.method);
      }
      if (error instanceof AwsError) return errorResponse(error, protocol, request.method);
      this.#options.print(`the local ${scope ?? 'endpoint'} failed: ${(error as Error).stack}`);
      const failure = new AwsError('InternalFailure', (error as Error).message, { status: 500 });
      return errorResponse(failure, protocol, request.method);
    }
  }

  async #call(request: WireRequest, parts: SignatureParts | undefined, incoming: IncomingMessage) {
    if (parts === undefined && protocolOf(request, undefined) !== 's3') {
      throw new SignatureError('missing', 'Request is missing Authentication Token');
    }
    // Only S3 takes calls of nobody in particular; its bucket policy decides.
    const service = this.#service(parts?.service ?? 's3');
    const { caller, body } =
      parts === undefined
        ? { caller: { kind: 'anonymous' } as Caller, body: incoming }
        : await this.#verified(request, parts, incoming);
    const { method, path, rawQuery, headers } = request;
    return service.handle({ method, path, query: new URLSearchParams(rawQuery), headers, body, caller });
  }

  async #verified(request: WireRequest, parts: SignatureParts, incoming: IncomingMessage) {
    const active = parts.presigned || this.#options.isActive(parts.accessKeyId, parts.token);
    const payload = await payloadOf(request, parts, incoming);
    const { caller } = verifySignature(request, payload.hash, this.#options);
    if (caller.kind === 'role' && !active) {
      const { functionName = caller.roleArn } = caller;
      const target = request.headers['x-amz-target'] ?? '';
      const call = {
        functionName,
        service: parts.service,
        request: `${request.method} ${request.path} ${target}`.trim(),
      };
      this.#options.onStrayCall(call);
      const message = `${functionName} called ${call.service} after its invocation had returned: Lambda had frozen it`;
      throw new AwsError('CallOutsideInvocation', message, { status: 403 });
    }
    return { caller, body: payload.body };
  }

  #service(scope: string): Service {
    const service = this.#services.get(scope);
    if (this.outages.has(scope)) {
      throw new AwsError('ServiceUnavailable', `${scope} is out of order on purpose`, { status: 503 });
    }
    if (service !== undefined) return service;
    const message = `the local cloud has no service '${scope}'; it has ${[...this.#services.keys()].join(', ')}`;
    throw new AwsError('UnknownService', message, { status: 404 });
  }

  async #putAnswer(request: WireRequest, incoming: IncomingMessage): Promise<ServiceResponse> {
    if (request.method !== 'PUT') return { status: 405 };
    return { status: this.answerBoxes.put(request.path, await text(incoming)) ? 200 : 403 };
  }
}

async function payloadOf(
  request: WireRequest,
  parts: SignatureParts,
  incoming: IncomingMessage,
): Promise<Payload> {
  if (parts.service !== 's3') return bufferedPayload(incoming, parts.service);
  const inQuery = new URLSearchParams(request.rawQuery).get('X-Amz-Content-Sha256') ?? undefined;
  return s3Payload(incoming, request.headers['x-amz-content-sha256'] ?? inQuery, parts.presigned);
}

/** The request as it came. A repeated header's values are joined by commas, as SigV4 joins them. */
export function wireRequest(incoming: IncomingMessage): WireRequest {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(incoming.headersDistinct)) headers[name] = values!.join(',');
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    rawQuery: mark < 0 ? '' : url.slice(mark + 1),
    headers,
  };
}

async function send(
  response: ServiceResponse,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { status, headers = {}, body = '' } = response;
  const whole = typeof body === 'string' ? Buffer.from(body) : Buffer.isBuffer(body) ? body : undefined;
  outgoing.statusCode = status;
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
  // What was too much to read of a refused upload would be taken for the next request on this connection.
  if (!incoming.complete) outgoing.setHeader('connection', 'close');
  if (whole === undefined) return pipeline(body as NodeJS.ReadableStream, outgoing);
  const bodiless = incoming.method === 'HEAD' || status === 204 || status === 304;
  if (!bodiless && !outgoing.hasHeader('content-length')) outgoing.setHeader('content-length', whole.length);
  outgoing.end(bodiless ? undefined : whole);
}
