import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { answerMessage } from './dns-message.ts';
import type { NameService } from './name-service.ts';

const HOST = '127.0.0.1';
const IDLE = 10_000;
const MOST_CONNECTIONS = 100;
/** Rounds to find a port that is free for UDP and TCP alike. */
const ATTEMPTS = 20;

/** DNS on this machine: UDP with truncation, and TCP on the same port. */
export class DnsServer {
  readonly #names: NameService;
  readonly #connections = new Set<Socket>();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;

  constructor(names: NameService) {
    this.#names = names;
  }

  /** Listens on 127.0.0.1; port 0 takes any that is free. */
  async start(port = 0): Promise<{ host: string; port: number }> {
    for (let attempt = 1; ; attempt++) {
      try {
        return { host: HOST, port: await this.#listen(port) };
      } catch (error) {
        await this.stop();
        // The port the system gave for TCP may be taken for UDP.
        if (port !== 0 || attempt === ATTEMPTS || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
          throw error;
      }
    }
  }

  async stop(): Promise<void> {
    const [udp, tcp] = [this.#udp, this.#tcp];
    this.#udp = this.#tcp = undefined;
    for (const connection of this.#connections) connection.destroy();
    if (tcp?.listening === true) await new Promise((resolve) => tcp.close(resolve));
    if (udp !== undefined) await new Promise<void>((resolve) => udp.close(resolve));
  }

  async #listen(port: number): Promise<number> {
    const tcp = createServer((socket) => this.#serve(socket));
    tcp.maxConnections = MOST_CONNECTIONS;
    tcp.listen(port, HOST);
    await once(tcp, 'listening');
    this.#tcp = tcp;
    const bound = (tcp.address() as { port: number }).port;
    const udp = createSocket('udp4');
    this.#udp = udp;
    udp.bind(bound, HOST);
    await once(udp, 'listening');
    udp.on('message', (message, from) => {
      const reply = answerMessage(this.#names, message, 'udp');
      // A client that is gone is no reason to stop: the error of a send has nobody to go to.
      if (reply !== undefined) udp.send(reply, from.port, from.address, () => {});
    });
    udp.on('error', () => {});
    return bound;
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket);
    let pending = Buffer.alloc(0);
    socket.setTimeout(IDLE, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const length = pending.readUInt16BE(0);
        const reply = answerMessage(this.#names, pending.subarray(2, 2 + length), 'tcp');
        pending = pending.subarray(2 + length);
        if (reply === undefined) return void socket.destroy();
        const frame = Buffer.alloc(2);
        frame.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([frame, reply]));
      }
    });
  }
}
