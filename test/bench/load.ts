/** The load generator: a process of its own, so that its work is not counted as the mailroom's. */
import { connect, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { createClient, type Client } from '../../lib/sdk/client.ts';
import type { Key } from '../../lib/sdk/signing-fetch.ts';

export interface LoadPlace {
  api: string;
  smtp: { host: string; port: number };
  key: Key;
}
export interface Order {
  what: 'provision' | 'receive' | 'list' | 'get' | 'update';
  times: number;
  /** At once: calls in flight, or SMTP connections. */
  parallel: number;
  /** Seconds after which no new one is begun. */
  within: number;
}
export interface Report {
  /** Milliseconds of each. */
  latencies: number[];
  /** Milliseconds from the first's beginning to the last's end. */
  took: number;
}

const inbox = 'bench@posthorn.test';
let client: Client;
let place: LoadPlace;
let made = 0;

process.on('message', (message: LoadPlace | Order) => {
  void (async () => {
    if ('api' in message) {
      place = message;
      client = createClient({ baseUrl: message.api, key: message.key, retries: 0 });
      await client.inboxes.create({ username: 'bench' });
      return process.send!({ latencies: [], took: 0 });
    }
    process.send!(message.what === 'receive' ? await receive(message) : await repeat(message));
  })().catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function repeat({ what, times, parallel, within }: Order): Promise<Report> {
  const { messages } = await client.inboxes.messages.list(inbox, { limit: 20 });
  const acts: Record<Exclude<Order['what'], 'receive'>, (n: number) => Promise<unknown>> = {
    provision: (n) => client.inboxes.create({ username: `bench-${made}-${n}` }),
    list: () => client.inboxes.messages.list(inbox, { limit: 20 }),
    get: (n) => client.inboxes.messages.get(inbox, messages[n % messages.length]!.message_id),
    update: (n) =>
      client.inboxes.messages.update(inbox, messages[n % messages.length]!.message_id, {
        add_labels: [`l${n % 5}-${made % 3}`],
      }),
  };
  made++;
  return inParallel({ times, parallel, within }, acts[what as 'list']);
}

async function inParallel(
  { times, parallel, within }: Omit<Order, 'what'>,
  act: (n: number) => Promise<unknown>,
): Promise<Report> {
  const latencies: number[] = [];
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (next < times && performance.now() - began < within * 1000) {
        const n = next++;
        const from = performance.now();
        await act(n);
        latencies.push(performance.now() - from);
      }
    }),
  );
  return { latencies, took: performance.now() - began };
}

/** Sends mails over so many connections; a mail's latency runs from the first byte of its MAIL until it can be listed. */
async function receive({ times, parallel, within }: Order): Promise<Report> {
  const round = made++;
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  const began = performance.now();
  const connections = await Promise.all(Array.from({ length: parallel }, () => Connection.open(place.smtp)));
  let next = 0;
  let sending = true;
  const senders = Promise.all(
    connections.map(async (connection) => {
      while (next < times && performance.now() - began < within * 1000) {
        const subject = `mail-${round}-${next++}`;
        sentAt.set(subject, performance.now());
        await connection.send(inbox, mailOf(subject));
        // One at a time: the next when this one can be read.
        if (parallel === 1) while (sentAt.has(subject)) await wait(1);
      }
      connection.close();
    }),
  ).finally(() => (sending = false));
  while (sending || sentAt.size > 0) {
    for await (const { subject } of newest(sentAt.size)) {
      const from = sentAt.get(subject ?? '');
      if (from === undefined) continue;
      latencies.push(performance.now() - from);
      sentAt.delete(subject!);
    }
    // The watcher must not be the load.
    await wait(parallel === 1 ? 2 : 50);
  }
  await senders;
  return { latencies, took: performance.now() - began };
}

/** As many of the newest messages as may be missing. */
async function* newest(missing: number) {
  let seen = 0;
  for await (const message of client.inboxes.messages.all(inbox, {
    limit: Math.min(100, Math.max(missing, 1)),
  })) {
    yield message;
    if (++seen >= missing + 20) return;
  }
}

/** 12.6 KB with an attachment of 8 KB. */
function mailOf(subject: string): string {
  const base64 = Buffer.alloc(8_192, subject).toString('base64').replace(/.{76}/g, '$&\r\n');
  return [
    `From: Alice <alice@sender.test>\r\nTo: ${inbox}\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@sender.test>`,
    `Date: ${new Date().toUTCString()}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n`,
    `--b\r\nContent-Type: text/plain\r\n\r\n${'A line of text that is about as long as lines are.\r\n'.repeat(16)}`,
    `--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="a.bin"`,
    `Content-Transfer-Encoding: base64\r\n\r\n${base64}\r\n--b--`,
  ].join('\r\n');
}

/** An SMTP session that sends one mail after another, its commands pipelined. */
class Connection {
  readonly #socket: Socket;
  readonly #lines: Interface;
  readonly #waiting: { replies: number; done: PromiseWithResolvers<void> }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = createInterface(socket).on('line', (line) => {
      if (line[3] === '-') return;
      const [first] = this.#waiting;
      if (first === undefined) return;
      if (!/^[23]/.test(line)) return first.done.reject(new Error(line));
      if (--first.replies > 0) return;
      this.#waiting.shift();
      first.done.resolve();
    });
  }

  static async open({ host, port }: LoadPlace['smtp']): Promise<Connection> {
    const connection = new Connection(connect({ host, port, noDelay: true }));
    await connection.#reply(1);
    await connection.#say('EHLO sender.test\r\n', 1);
    return connection;
  }

  async send(to: string, mail: string): Promise<void> {
    await this.#say(`MAIL FROM:<alice@sender.test>\r\nRCPT TO:<${to}>\r\nDATA\r\n`, 3);
    await this.#say(`${mail}\r\n.\r\n`, 1);
  }

  close(): void {
    this.#lines.close();
    this.#socket.destroy();
  }

  async #say(text: string, replies: number): Promise<void> {
    this.#socket.write(text);
    await this.#reply(replies);
  }

  #reply(replies: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ replies, done });
    return done.promise;
  }
}
