import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { domainToASCII } from 'node:url';
import { join } from 'node:path';
import {
  SMTPServer,
  type SMTPServerDataStream,
  type SMTPServerOptions,
  type SMTPServerSession,
} from 'smtp-server';
import type { Cloud } from '../cloud.ts';
import type { Resolve } from '../dns/resolver.ts';
import { certificate } from './certificate.ts';
import { Refusal } from './refusal.ts';
import { spool } from './spool.ts';

/** A mail as it came over the wire, whole in a file of its own. */
export interface ArrivedMail {
  /** The bytes after DATA, dots unstuffed. Removed once the mail was taken or refused. */
  file: string;
  size: number;
  envelope: Envelope;
}
export interface Envelope {
  /** '' for the null sender. */
  from: string;
  /** As spelled by the client, except that domains are ASCII. */
  to: string[];
  /** What the client called itself, and what its address resolves to. */
  helo: string;
  clientHostname: string;
  clientAddress: string;
  /** Whether it came over TLS. */
  secure: boolean;
}

/** Who decides about mail: here SES receiving. */
export interface MailTaker {
  /** Throws a Refusal for a recipient that is not received. */
  checkRecipient(address: string, session: { secure: boolean }): void;
  /** Returns once the mail would survive the end of the process; throws a Refusal, or any error for "come again". */
  take(mail: ArrivedMail): Promise<void>;
}

/** 40 MB with headers, as SES takes. */
export const LARGEST_MAIL = 41_943_040;
/** RFC 5321 §4.5.3.1.8 asks for at least 100. */
const MOST_RECIPIENTS = 100;
const MOST_CLIENTS = 200;
/** RFC 5321 §4.5.3.2.7: a server waits five minutes for a command. */
const IDLE = 300_000;
const STOPPING = 1_500;
const HOST = '127.0.0.1';

/** Mail in: no authentication, STARTTLS offered, a 250 only for mail that is safe. */
export class SmtpServer {
  readonly #cloud: Cloud;
  readonly #taker: MailTaker;
  readonly #resolve: Resolve;
  readonly #name: string;
  readonly #spool: string;
  readonly #inHand = new Set<Promise<void>>();
  #server: SMTPServer | undefined;

  constructor(options: { cloud: Cloud; taker: MailTaker; resolve: Resolve }) {
    this.#cloud = options.cloud;
    this.#taker = options.taker;
    this.#resolve = options.resolve;
    this.#name = `inbound-smtp.${options.cloud.region}.amazonaws.com`;
    this.#spool = join(options.cloud.home, 'smtp', 'spool');
  }

  /** Listens on 127.0.0.1; port 0 takes any that is free. */
  async start(port = 0): Promise<{ host: string; port: number }> {
    // What lies here was never acknowledged: its sender still has it.
    await rm(this.#spool, { recursive: true, force: true });
    await mkdir(this.#spool, { recursive: true });
    const tls = await certificate(join(this.#cloud.home, 'smtp', 'tls.pem'), this.#name);
    this.#server = new SMTPServer(this.#options(tls));
    const listener = this.#server.listen(port, HOST);
    // A port that is taken is the caller's to hear of.
    this.#server.on('error', (error) => void (listener.listening && this.#complain(error)));
    await once(listener, 'listening');
    return { host: HOST, port: (listener.address() as { port: number }).port };
  }

  /** Finishes the mails in hand (at most 1.5 s), then hangs up. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const patience = new Promise<void>((resolve) => setTimeout(resolve, STOPPING).unref());
    await Promise.race([Promise.allSettled(this.#inHand), patience]);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #options(tls: { key: string; cert: string }): SMTPServerOptions & { [option: string]: unknown } {
    return {
      ...tls,
      name: this.#name,
      banner: 'Posthorn local',
      size: LARGEST_MAIL,
      rejectOversized: true,
      maxRecipients: MOST_RECIPIENTS,
      maxClients: MOST_CLIENTS,
      socketTimeout: IDLE,
      closeTimeout: 50,
      disabledCommands: ['AUTH', 'WIZ', 'SHELL', 'KILL'],
      hideENHANCEDSTATUSCODES: false,
      // SES takes no SMTPUTF8.
      hideSMTPUTF8: true,
      resolver: {
        reverse: (address: string, callback: (error: Error | null, names?: string[]) => void) =>
          this.#reverse(address, callback),
      },
      onMailFrom: ({ address, args }, _session, callback) => callback(asciiOnly(address, args)),
      onRcptTo: ({ address }, session, callback) => callback(this.#checkRecipient(address, session)),
      onData: (stream, session, callback) => {
        const work = this.#receive(stream, session).then(
          () => callback(null),
          (error: Error) => callback(error instanceof Refusal ? error : this.#complain(error)),
        );
        this.#inHand.add(work);
        void work.finally(() => this.#inHand.delete(work));
      },
    };
  }

  #checkRecipient(address: string, session: SMTPServerSession): Error | undefined {
    const unspeakable = asciiOnly(address, false);
    if (unspeakable !== undefined) return unspeakable;
    try {
      this.#taker.checkRecipient(asciiAddress(address), { secure: session.secure });
      return undefined;
    } catch (error) {
      return error instanceof Refusal ? error : this.#complain(error as Error);
    }
  }

  async #receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const file = join(this.#spool, randomUUID());
    const { mailFrom, rcptTo } = session.envelope;
    const envelope: Envelope = {
      from: mailFrom === false ? '' : asciiAddress(mailFrom.address),
      to: rcptTo.map(({ address }) => asciiAddress(address)),
      helo: session.hostNameAppearsAs,
      clientHostname: session.clientHostname,
      clientAddress: session.remoteAddress,
      secure: session.secure,
    };
    const { size } = await spool(stream, file, LARGEST_MAIL);
    try {
      await this.#taker.take({ file, size, envelope });
    } finally {
      await rm(file, { force: true });
    }
  }

  #reverse(address: string, callback: (error: Error | null, names?: string[]) => void): void {
    const name = address.includes(':')
      ? `1.${'0.'.repeat(31)}ip6.arpa`
      : `${address.split('.').reverse().join('.')}.in-addr.arpa`;
    this.#resolve(name, 'PTR').then(
      (names: string[]) => callback(null, names),
      (error: Error) => callback(error),
    );
  }

  /** A client that hangs up is no news; anything else is a bug here, which costs the sender only a retry. */
  #complain(error: Error): Refusal {
    const { code } = error as NodeJS.ErrnoException;
    const gone = [
      'ECONNRESET',
      'ECONNECTION',
      'EPIPE',
      'ERR_STREAM_PREMATURE_CLOSE',
      'ERR_SSL_WRONG_VERSION_NUMBER',
    ];
    if (!gone.includes(code ?? '')) this.#cloud.print(`smtp: ${error.stack ?? error.message}`);
    return new Refusal(451, 'Requested action aborted: local error in processing');
  }
}

/** SES receives no internationalized mail (RFC 6531): it offers no SMTPUTF8. */
function asciiOnly(address: string, args: object | false): Refusal | undefined {
  if (args !== false && 'SMTPUTF8' in args) return new Refusal(555, 'SMTPUTF8 is not supported');
  const local = address.slice(0, address.lastIndexOf('@'));
  return /[^\x20-\x7e]/.test(local) ? new Refusal(553, 'non-ASCII addresses are not supported') : undefined;
}

/** smtp-server turns xn-- domains into Unicode; SES leaves them. */
function asciiAddress(address: string): string {
  const at = address.lastIndexOf('@');
  if (at < 0 || /^[\x20-\x7e]*$/.test(address)) return address;
  return `${address.slice(0, at)}@${domainToASCII(address.slice(at + 1)) || address.slice(at + 1)}`;
}
