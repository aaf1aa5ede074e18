import { resolve4, resolve6 } from 'node:dns/promises';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import type { Answer, PostWebhook } from '../core/deliver-webhook.ts';
import {
  canonicalAddress,
  checkedAddresses,
  NotPublic,
  type AddressRules,
  type Resolve,
} from '../core/public-address.ts';

export interface WebhookClientOptions {
  /** Milliseconds for everything: the name, the connection, the answer. */
  timeout: number;
  /** Also http and https to this machine: on the local cloud only. */
  allowLoopback: boolean;
  resolve?: Resolve;
  /** Further certificates that are trusted, in PEM; for tests. */
  ca?: string;
}

/** Bytes of an answer's head, and of its body, that are read; nobody needs more than the status. */
const largestHead = 16 * 1024;
const largestBody = 4 * 1024;
/** Addresses of a name that are tried, and how long each has to take the connection (milliseconds). */
const mostAddresses = 3;
const connectPatience = 4_000;
/** How long the body of an answer is waited for once its status is known (milliseconds). */
const bodyPatience = 1_000;

/**
 * POSTs to endpoints that anybody may name: the name is resolved here and the connection goes to what was checked, so
 * that a second answer of DNS cannot lead elsewhere. No redirects, no proxy, no connection used twice, a certificate
 * that is good for the name. Never throws for what an endpoint does.
 */
export function webhookClient(options: WebhookClientOptions): PostWebhook {
  const rules = { resolve: options.resolve ?? resolveName, allowLoopback: options.allowLoopback };
  return async ({ url, headers, body }) => {
    const over = new AbortController();
    const timeout = new Refused('timeout');
    const timer = setTimeout(() => over.abort(timeout), options.timeout);
    const attempt = async (): Promise<Answer> => {
      const target = new URL(url);
      const socket = await connect(target, rules, options, over.signal);
      return post(target, socket, headers, body, over.signal);
    };
    const late = new Promise<never>((_, reject) => {
      atEnd(over.signal, () => reject(timeout));
    });
    try {
      return await Promise.race([attempt(), late]);
    } catch (error) {
      return { reason: reasonOf(error) };
    } finally {
      clearTimeout(timer);
      over.abort(timeout);
    }
  };
}

/** Done when the try is over, also when it is already: nothing of it goes on after the answer. */
function atEnd(over: AbortSignal, end: () => void): void {
  if (over.aborted) end();
  else over.addEventListener('abort', end, { once: true });
}

class Refused extends Error {
  override name = 'Refused';
}

/** Both families from DNS alone: the machine's own hosts file and search list name what is not public. */
const resolveName: Resolve = async (name) => {
  const none = (error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENODATA' || error.code === 'ENOTFOUND') return [];
    throw error;
  };
  const [four, six] = await Promise.allSettled([resolve4(name).catch(none), resolve6(name).catch(none)]);
  if (four.status === 'rejected' && (six.status === 'rejected' || six.value.length === 0)) throw four.reason;
  return [four, six].flatMap((family) => (family.status === 'fulfilled' ? family.value : []));
};

/** A connection to one of the checked addresses, with TLS where the URL says so. */
async function connect(
  { protocol, hostname, port }: URL,
  rules: AddressRules,
  { allowLoopback, ca }: WebhookClientOptions,
  over: AbortSignal,
): Promise<net.Socket> {
  const secure = protocol === 'https:';
  if (!secure && !(allowLoopback && protocol === 'http:')) throw new Refused('not an https URL');
  const addresses = await checkedAddresses(hostname, rules);
  if (!secure && !addresses.every((address) => /^(127\.|::1$)/.test(address)))
    throw new Refused('not an https URL');
  const socket = await firstOf(addresses, Number(port) || (secure ? 443 : 80), over);
  // What is said goes to an address that was checked, whatever else has gone wrong.
  const reached = socket.remoteAddress;
  if (reached === undefined || !addresses.map(canonicalAddress).includes(canonicalAddress(reached)))
    throw new NotPublic('not a public address');
  if (!secure) return socket;
  const name = hostname.replace(/^\[|\]$/g, '');
  const secured = tls.connect({
    socket,
    // An address is no server name (RFC 6066 §3), and is looked for in the certificate all the same.
    ...(net.isIP(name) === 0 ? { servername: name } : { host: name }),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    ...(ca !== undefined && { ca: [...tls.rootCertificates, ca] }),
  });
  atEnd(over, () => secured.destroy());
  await opened(secured, 'secureConnect');
  return secured;
}

/** Tries the addresses one after the other; what the last one says is the reason. */
async function firstOf(addresses: string[], port: number, over: AbortSignal): Promise<net.Socket> {
  let failure: unknown;
  for (const host of addresses.slice(0, mostAddresses)) {
    over.throwIfAborted();
    // An address and no name: nothing is looked up any more.
    const socket = net.connect({ host, port });
    const patience = setTimeout(() => socket.destroy(new Refused('timeout')), connectPatience);
    atEnd(over, () => (clearTimeout(patience), socket.destroy()));
    try {
      await opened(socket, 'connect');
      return socket;
    } catch (error) {
      failure = error;
    } finally {
      clearTimeout(patience);
    }
  }
  throw failure;
}

const opened = (socket: net.Socket, event: 'connect' | 'secureConnect'): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once(event, resolve);
    // Kept for good: a socket that breaks later must not bring the function down.
    socket.on('error', reject);
    socket.once('close', () => reject(new Refused('connection closed')));
  });

function post(
  { host, pathname, search, hostname }: URL,
  socket: net.Socket,
  headers: Record<string, string>,
  body: string,
  over: AbortSignal,
): Promise<Answer> {
  over.throwIfAborted();
  return new Promise((resolve, reject) => {
    const request = http.request({
      createConnection: () => socket,
      method: 'POST',
      host: hostname,
      path: pathname + search,
      setHost: false,
      maxHeaderSize: largestHead,
      headers: {
        ...headers,
        host,
        'user-agent': 'Posthorn-Webhooks/1',
        accept: '*/*',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      },
    });
    atEnd(over, () => request.destroy());
    request.on('error', reject);
    request.on('response', (response) => {
      const after = response.headers['retry-after'];
      const answer = { status: response.statusCode ?? 0, ...(after !== undefined && { retryAfter: after }) };
      const finish = (): void => resolve(answer);
      // The status is the answer. A little of the body is taken, so that an honest server can end what it says.
      let read = 0;
      response.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read >= largestBody) finish();
      });
      for (const end of ['end', 'error', 'close'] as const) response.on(end, finish);
      const patience = setTimeout(finish, bodyPatience);
      atEnd(over, () => clearTimeout(patience));
    });
    // A switch of protocols is no answer to a POST.
    request.on('upgrade', () => reject(new Refused('not an HTTP answer')));
    request.end(body);
  });
}

const reasons: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed',
  EPIPE: 'connection closed',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'not reachable',
  ENETUNREACH: 'not reachable',
  EADDRNOTAVAIL: 'not reachable',
  HPE_HEADER_OVERFLOW: 'the head of the answer is over 16 KB',
};

/** Why there was no answer, in few words: the owner of the webhook reads it, so it says nothing of this side. */
function reasonOf(error: unknown): string {
  if (error instanceof Refused || error instanceof NotPublic) return error.message;
  const { code = '' } = error as NodeJS.ErrnoException;
  const known = reasons[code];
  if (known !== undefined) return known;
  if (code.startsWith('HPE_')) return 'not an HTTP answer';
  if (/CERT|TLS|SSL|EPROTO|ALTNAME|SIGNATURE|SELF_SIGNED/.test(code)) return `no secure connection (${code})`;
  if (/^E(SERVFAIL|REFUSED|TIMEOUT|CONNREFUSED|CANCELLED|BADRESP|FORMERR)$/.test(code))
    return 'DNS did not answer';
  return 'failed';
}
