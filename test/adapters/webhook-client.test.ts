import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { webhookClient, type WebhookClientOptions } from '../../lib/adapters/webhook-client.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return (server.address() as AddressInfo).port;
}

const endpoint = (listener: http.RequestListener): Promise<number> => listen(http.createServer(listener));
/** A server that says these bytes to whatever comes. */
const raw = (say: (socket: net.Socket) => void): Promise<number> =>
  listen(net.createServer((socket) => socket.once('data', () => say(socket))));

const client = (options: Partial<WebhookClientOptions> = {}) =>
  webhookClient({ timeout: 2_000, allowLoopback: true, ...options });
const post = (port: number, options: Partial<WebhookClientOptions> = {}) =>
  client(options)({ url: `http://127.0.0.1:${port}/hook?a=b`, headers: { 'x-own': 'yes' }, body: '{"é":1}' });

describe('a POST', () => {
  it('says what it is, and hears the status', async () => {
    let seen: { method?: string; url?: string; headers: http.IncomingHttpHeaders; body: string } | undefined;
    const port = await endpoint((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (chunk: Buffer) => parts.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        seen = { method, url, headers, body: Buffer.concat(parts).toString() };
        response.writeHead(503, { 'retry-after': '120' }).end('later');
      });
    });
    expect(await post(port)).toEqual({ status: 503, retryAfter: '120' });
    expect(seen).toMatchObject({ method: 'POST', url: '/hook?a=b', body: '{"é":1}' });
    expect(seen!.headers).toEqual({
      host: `127.0.0.1:${port}`,
      'x-own': 'yes',
      'user-agent': 'Posthorn-Webhooks/1',
      accept: '*/*',
      'content-type': 'application/json',
      'content-length': '8',
      connection: 'close',
    });
  });

  it('follows no redirect', async () => {
    let visits = 0;
    const elsewhere = await endpoint((_, response) => {
      visits++;
      response.end();
    });
    const port = await endpoint((_, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${elsewhere}/` }).end(),
    );
    expect(await post(port)).toEqual({ status: 307 });
    expect(visits).toBe(0);
  });

  it('opens a connection each time and closes it', async () => {
    let connections = 0;
    const server = http.createServer((_, response) => response.end('ok'));
    const ended: Promise<unknown>[] = [];
    server.on('connection', (socket: net.Socket) => {
      connections++;
      ended.push(once(socket, 'close'));
    });
    const port = await listen(server);
    await post(port);
    await post(port);
    await Promise.all(ended);
    expect(connections).toBe(2);
  });

  it('takes a little of a body without end, and hangs up', async () => {
    let sent = 0;
    const port = await endpoint((_, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024);
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', pour);
      pour();
    });
    const start = performance.now();
    expect(await post(port)).toEqual({ status: 200 });
    expect(performance.now() - start).toBeLessThan(1_000);
    const after = sent;
    await wait(50);
    expect(sent - after).toBeLessThan(8 * 1024 * 1024);
  });

  it('does not wait for the end of a body that comes byte by byte', async () => {
    const port = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
      const timer = setInterval(() => socket.write('.'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await post(port, { timeout: 1_500 })).toEqual({ status: 200 });
  });
});

describe('an endpoint that does not answer', () => {
  it.each<[string, string, (socket: net.Socket) => void]>([
    ['resets', 'connection closed', (socket) => socket.resetAndDestroy()],
    ['hangs up', 'connection closed', (socket) => socket.end()],
    ['hangs up within the head', 'connection closed', (socket) => socket.end('HTTP/1.1 200 OK\r\nx-')],
    ['speaks something else', 'not an HTTP answer', (socket) => socket.write('220 mail.test ESMTP\r\n')],
    [
      'says a head without end',
      'the head of the answer is over 16 KB',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n${'x-y: z\r\n'.repeat(10_000)}`),
    ],
    ['is silent', 'timeout', () => undefined],
    [
      'says the head byte by byte',
      'timeout',
      (socket) => {
        const text = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
        let at = 0;
        const timer = setInterval(() => socket.write(text[at++ % text.length]!), 40);
        socket.on('close', () => clearInterval(timer));
      },
    ],
    [
      'goes on saying that it will',
      'timeout',
      (socket) => {
        const timer = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 20);
        socket.on('close', () => clearInterval(timer));
      },
    ],
    [
      'changes to another protocol',
      'not an HTTP answer',
      (socket) =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ],
  ])('because it %s: %s', async (_, reason, say) => {
    const port = await raw(say);
    expect(await post(port, { timeout: 400 })).toEqual({ reason });
  });

  it('because nobody listens there', async () => {
    const server = net.createServer();
    const port = await listen(server);
    await closing.pop()!();
    expect(await post(port)).toEqual({ reason: 'connection refused' });
  });

  it('because DNS says nothing in time', async () => {
    const resolve = () => new Promise<string[]>(() => undefined);
    const answer = await client({ timeout: 100, resolve })({
      url: 'https://hook.test/',
      headers: {},
      body: '',
    });
    expect(answer).toEqual({ reason: 'timeout' });
  });

  it('in time is let alone: what DNS says afterwards leads nowhere', async () => {
    let connections = 0;
    const server = net.createServer(() => connections++);
    const port = await listen(server);
    const dns = Promise.withResolvers<string[]>();
    const answer = await client({ timeout: 100, resolve: () => dns.promise })({
      url: `http://hook.test:${port}/`,
      headers: {},
      body: '{}',
    });
    expect(answer).toEqual({ reason: 'timeout' });
    dns.resolve(['127.0.0.1', '127.0.0.2']);
    // A connection that were begun now would be there before this one.
    await once(net.connect(port, '127.0.0.1'), 'connect');
    await wait(20);
    expect(connections).toBe(1);
  });

  it('because a header is none', async () => {
    const answer = await client()({ url: 'http://127.0.0.1:1/', headers: { a: 'b\r\nc: d' }, body: '' });
    expect(answer).toHaveProperty('reason');
  });
});

describe('an endpoint that is not public', () => {
  const tried = async (url: string, resolve?: (name: string) => Promise<string[]>) => {
    const post = webhookClient({ timeout: 1_000, allowLoopback: false, ...(resolve && { resolve }) });
    return post({ url, headers: {}, body: '{}' });
  };
  const leadsTo =
    (...addresses: string[]) =>
    () =>
      Promise.resolve(addresses);

  it.each([
    ...[
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://0177.0.0.1/',
      'https://0x7f.1/',
      'https://127.1/',
    ],
    ...[
      'https://[::1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[::ffff:a9fe:a9fe]/',
      'https://[64:ff9b::7f00:1]/',
    ],
    ...[
      'https://169.254.169.254/latest/meta-data/',
      'https://169.254.170.2/v2/credentials',
      'https://10.0.0.1/',
    ],
    ...['https://[fd00:ec2::254]/latest/', 'https://0/', 'https://[::]/', 'https://192.168.1.1:8443/'],
  ])('is refused by its address: %s', async (url) => {
    expect(await tried(url, leadsTo())).toEqual({ reason: 'not a public address' });
  });

  it('is refused without TLS, wherever it is', async () => {
    expect(await tried('http://8.8.8.8/')).toEqual({ reason: 'not an https URL' });
    expect(await tried('ftp://8.8.8.8/')).toEqual({ reason: 'not an https URL' });
    expect(
      await client({ resolve: leadsTo('8.8.8.8') })({ url: 'http://hook.test/', headers: {}, body: '' }),
    ).toEqual({
      reason: 'not an https URL',
    });
  });

  it.each([['127.0.0.1'], ['169.254.169.254'], ['::ffff:10.0.0.1'], ['64:ff9b::a00:1'], ['fd00::1']])(
    'is refused by its name, which leads to %s beside a public address',
    async (address) => {
      expect(await tried('https://hook.test/', leadsTo('8.8.8.8', address))).toEqual({
        reason: 'not a public address',
      });
    },
  );

  it('is asked of DNS once: a second answer leads nowhere', async () => {
    let [visits, asked] = [0, 0];
    const port = await endpoint((_, response) => {
      visits++;
      response.end();
    });
    const resolve = () => Promise.resolve(asked++ === 0 ? ['127.0.0.1'] : ['169.254.169.254']);
    const url = `http://hook.test:${port}/`;
    const post = client({ resolve });
    expect(await post({ url, headers: {}, body: '{}' })).toEqual({ status: 200 });
    expect({ asked, visits }).toEqual({ asked: 1, visits: 1 });
    expect(await post({ url, headers: {}, body: '{}' })).toEqual({ reason: 'not a public address' });
    expect({ asked, visits }).toEqual({ asked: 2, visits: 1 });
  });
});

describe('TLS', async () => {
  const attributes = [{ name: 'commonName', value: 'hook.test' }];
  const pems = await generate(attributes, {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'hook.test' }] }],
  } as never);
  const secure = async (listener: http.RequestListener) => {
    const server = https.createServer({ key: pems.private, cert: pems.cert }, listener);
    const names: (string | false | undefined)[] = [];
    server.on('secureConnection', (socket) =>
      names.push((socket as unknown as { servername?: string }).servername),
    );
    server.on('tlsClientError', () => undefined);
    return { port: await listen(server), names };
  };
  const call = (port: number, name: string, options: Partial<WebhookClientOptions> = {}) =>
    client({ resolve: () => Promise.resolve(['127.0.0.1']), ...options })({
      url: `https://${name}:${port}/`,
      headers: {},
      body: '{}',
    });

  it('asks for the name of the URL, in SNI and Host, and accepts its certificate alone', async () => {
    let host: string | undefined;
    const { port, names } = await secure((request, response) => {
      host = request.headers.host;
      response.end();
    });
    expect(await call(port, 'hook.test', { ca: pems.cert })).toEqual({ status: 200 });
    expect({ host, names }).toEqual({ host: `hook.test:${port}`, names: ['hook.test'] });
    expect(await call(port, 'other.test', { ca: pems.cert })).toEqual({
      reason: 'no secure connection (ERR_TLS_CERT_ALTNAME_INVALID)',
    });
    expect(await call(port, 'hook.test')).toEqual({
      reason: 'no secure connection (DEPTH_ZERO_SELF_SIGNED_CERT)',
    });
  });

  it('is not left out because the environment says so', async () => {
    const { port } = await secure((_, response) => void response.end());
    process.env['https_proxy'] = process.env['HTTPS_PROXY'] = `http://127.0.0.1:${port}`;
    try {
      expect(await call(port, 'hook.test', { ca: pems.cert })).toEqual({ status: 200 });
    } finally {
      delete process.env['https_proxy'];
      delete process.env['HTTPS_PROXY'];
    }
  });
});
