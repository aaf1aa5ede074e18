import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Webhook } from 'svix';

/** One request that came, as it was. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  body: any;
}

type Behaviour = (received: Received, response: ServerResponse, socket: Socket) => void;

/** An endpoint for webhooks; each path behaves in its own way, by default it says 200. */
export interface WebhookReceiver {
  received: Received[];
  /** What was told, in the order it came. */
  readonly heard: any[];
  /** The URL of a path. */
  url(path: string): string;
  on(path: string, behaviour: Behaviour): void;
  /** Those of a path, in the order they came. */
  of(path: string): Received[];
  close(): Promise<void>;
}

export async function openReceiver(): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const behaviours = new Map<string, Behaviour>();
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const one = { path: request.url!, headers: request.headers, text, body: JSON.parse(text) };
      received.push(one);
      const behaviour = behaviours.get(one.path);
      if (behaviour === undefined) response.end('ok');
      else behaviour(one, response, request.socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    received,
    get heard() {
      return received.map(({ body }) => body);
    },
    url: (path) => `http://127.0.0.1:${port}${path}`,
    on: (path, behaviour) => void behaviours.set(path, behaviour),
    of: (path) => received.filter((one) => one.path === path),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Verifies with svix, at this time (milliseconds). Throws what svix throws. */
export function verified({ text, headers }: Received, secret: string, now: number): unknown {
  const real = Date.now;
  Date.now = () => now;
  try {
    return new Webhook(secret).verify(text, headers as Record<string, string>);
  } finally {
    Date.now = real;
  }
}
