import nodemailer from 'nodemailer';

export interface SmtpClient {
  /** Returns with the server's 250; throws what the server said instead, or that it is gone. */
  send(mail: TestMail): Promise<void>;
  close(): void;
}

export interface TestMail {
  to: string | string[];
  from?: string;
  subject?: string;
  text?: string;
  /** The mail as it goes over the wire, instead of what follows. */
  raw?: string;
  attachments?: { filename: string; content: Buffer }[];
}

/** A sender at sender.test, which authenticates from this machine, with so many connections at once. */
export function smtpClient({ host, port }: { host: string; port: number }, connections = 1): SmtpClient {
  const transport = nodemailer.createTransport({
    ...{ host, port, name: 'sender.test', ignoreTLS: true },
    ...{ pool: true, maxConnections: connections, maxMessages: Infinity },
  });
  return {
    async send({ from = 'alice@sender.test', raw, ...mail }) {
      const content = { subject: 'A test', text: 'Hello.', ...mail };
      await transport.sendMail(
        raw === undefined ? { from, ...content } : { envelope: { from, to: mail.to }, raw },
      );
    },
    close: () => transport.close(),
  };
}
