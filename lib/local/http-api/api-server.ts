import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { apiMessage } from './proxy-answer.ts';
import type { ApiAnswer } from './proxy-answer.ts';
import type { ApiRequest } from './proxy-event.ts';

/** Quotas of an HTTP API, in bytes (API Gateway developer guide, "Quotas for HTTP APIs"). */
const limits = { requestLineAndHeaderValues: 10_240, body: 10 * 1024 * 1024 };
/** How long answers in hand may take when the server goes down (milliseconds). */
const grace = 2_000;

/** The HTTP server in front of an API: reads a request within the service's limits and writes its answer. */
export class ApiServer {
  readonly #server: Server;
  readonly #answer: (request: ApiRequest) => Promise<ApiAnswer>;
  readonly #inHand = new Set<ServerResponse>();
  #stopping = false;

  constructor(answer: (request: ApiRequest) => Promise<ApiAnswer>, print: (line: string) => void) {
    this.#answer = answer;
    // Node's own bound lies above the service's, so that the answer is the service's.
    this.#server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
      this.#inHand.add(response);
      response.once('close', () => this.#done(response));
      this.#serve(request, response).catch((error: unknown) => {
        if (request.destroyed && !request.complete) return;
        print(`the HTTP API failed: ${(error as Error).stack}`);
        write(response, apiMessage(500, 'Internal Server Error'));
      });
    });
  }

  /** Listens on 127.0.0.1; answers the port. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => resolve(this.port));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Takes no more requests and lets those in hand finish for a moment. */
  stop(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve();
    this.#stopping = true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#server.closeAllConnections(), grace);
      this.#server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      if (this.#inHand.size === 0) this.#server.closeAllConnections();
    });
  }

  #done(response: ServerResponse): void {
    this.#inHand.delete(response);
    if (this.#stopping && this.#inHand.size === 0) this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (headSize(request) > limits.requestLineAndHeaderValues) {
      return refuse(request, response, apiMessage(431, 'Request Header Fields Too Large'));
    }
    // Which of two counts would be a guess (RFC 9112 §3.2).
    if ((request.headersDistinct['host'] ?? []).length !== 1) {
      return refuse(request, response, apiMessage(400, 'Bad Request'));
    }
    const body = await readBody(request);
    if (body === undefined) return refuse(request, response, apiMessage(413, 'Request Entity Too Large'));
    const [path = '', ...afterMark] = (request.url ?? '').split('?');
    const answer = await this.#answer({
      method: request.method ?? '',
      path,
      rawQuery: afterMark.join('?'),
      protocol: `HTTP/${request.httpVersion}`,
      rawHeaders: request.rawHeaders,
      body,
      sourceIp: request.socket.remoteAddress ?? '',
      port: this.port,
    });
    write(response, answer);
  }
}

function headSize({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): number {
  const requestLine = `${method} ${url} HTTP/${httpVersion}`;
  const values = rawHeaders.filter((_, place) => place % 2 === 1);
  return [requestLine, ...values].reduce((sum, text) => sum + Buffer.byteLength(text, 'latin1'), 0);
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limits.body) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limits.body) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Answers without having read everything; the connection cannot be used again. */
function refuse(request: IncomingMessage, response: ServerResponse, answer: ApiAnswer): void {
  write(response, { ...answer, headers: { ...answer.headers, connection: 'close' } });
  request.resume();
}

function write(response: ServerResponse, { status, headers, body }: ApiAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const bodiless = status === 204 || status === 304;
  response.writeHead(status, { ...headers, ...(!bodiless && { 'content-length': body.length }) });
  response.end(bodiless ? undefined : body);
}
