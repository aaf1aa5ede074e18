import { createTransport } from 'nodemailer';
import type { MxData } from 'dns-packet';
import type { Resolve } from '../dns/resolver.ts';

/** What became of the mail for one recipient. */
export interface Outcome {
  recipient: string;
  /** `later`: a server may take it yet. */
  result: 'taken' | 'later' | 'never';
  /** For the person at the terminal. */
  reason: string;
}

interface Handing {
  domain: string;
  recipients: string[];
  /** Envelope sender. */
  sender: string;
  message: Buffer;
  resolve: Resolve;
  region: string;
  /** To this machine's own inbound-smtp. */
  transport: SmtpTransport;
}

export type SmtpTransport = Pick<ReturnType<typeof smtpTransport>, 'sendMail' | 'close'>;

/** RFC 5321 §4.5.3.2 gives a server minutes; this one is on the same machine. */
const PATIENCE = 30_000;

/** Speaks to the mail server on that port of this machine. Keeps its connections: a new one costs a tenth of a second. */
export const smtpTransport = (port: number, region: string, maxConnections: number) =>
  createTransport({
    pool: true,
    maxConnections,
    host: '127.0.0.1',
    port,
    name: region === 'us-east-1' ? 'smtp-out.amazonses.com' : `smtp-out.${region}.amazonses.com`,
    // Opportunistic, as SES does by default: whoever offers STARTTLS gets it, whatever the certificate.
    tls: { rejectUnauthorized: false },
    connectionTimeout: PATIENCE,
    greetingTimeout: PATIENCE,
    socketTimeout: PATIENCE,
  });

/** Gives a mail to the mail server of one domain. Only this machine's own is ever spoken to. */
export async function handOver(handing: Handing): Promise<Outcome[]> {
  const { domain, recipients } = handing;
  const all = (result: Outcome['result'], reason: string) =>
    recipients.map((recipient) => ({ recipient, result, reason }));
  if (domain === 'simulator.amazonses.com') return recipients.map(simulated);
  const { servers, failure } = await mailServers(handing);
  if (failure !== undefined) return all('later', failure);
  if (servers.length === 0) return all('never', `${domain} has no MX in the local DNS`);
  if (servers[0] === '') return all('never', `${domain} takes no mail (null MX, RFC 7505)`);
  const own = `inbound-smtp.${handing.region}.amazonaws.com`;
  if (servers.includes(own)) return speak(handing);
  return all('never', `the MX of ${domain} is ${servers[0]}, and nothing leaves this machine`);
}

/** The hosts of the domain's MX, best first. */
async function mailServers({ domain, resolve }: Handing): Promise<{ servers: string[]; failure?: string }> {
  try {
    const found = (await resolve(domain, 'MX')) as { exchange: MxData['exchange']; priority: number }[];
    found.sort((a, b) => a.priority - b.priority);
    return { servers: found.map(({ exchange }) => exchange.toLowerCase().replace(/\.$/, '')) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return { servers: [] };
    return { servers: [], failure: message };
  }
}

async function speak({ recipients, sender, message, transport }: Handing): Promise<Outcome[]> {
  try {
    const answer = await transport.sendMail({ envelope: { from: sender, to: recipients }, raw: message });
    return outcomesOf(recipients, (answer.rejectedErrors ?? []) as SmtpError[]);
  } catch (error) {
    return outcomesOf(recipients, (error as SmtpError).rejectedErrors, error as SmtpError);
  }
}

type SmtpError = Error & { responseCode?: number; recipient?: string; rejectedErrors?: SmtpError[] };

/** A recipient's own refusal comes before the refusal of the whole. No answer at all is a server that may come back. */
function outcomesOf(recipients: string[], refused: SmtpError[] = [], whole?: SmtpError): Outcome[] {
  return recipients.map((recipient) => {
    const error = refused.find((one) => one.recipient === recipient) ?? whole;
    if (error === undefined) return { recipient, result: 'taken', reason: '' };
    const result = (error.responseCode ?? 0) >= 500 ? 'never' : 'later';
    return { recipient, result, reason: error.message };
  });
}

/** The mailbox simulator's bounces; its other mailboxes take everything ("Using the mailbox simulator"). */
function simulated(recipient: string): Outcome {
  const bounces = /^(bounce|suppressionlist|blocklist)(\+.*)?@/i.test(recipient);
  return { recipient, result: bounces ? 'never' : 'taken', reason: 'the mailbox simulator was asked to' };
}
