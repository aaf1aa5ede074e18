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
  messageId?: string;
  attachments?: { filename: string; content: Buffer }[];
}

/** A sender at sender.test, which authenticates from this machine, with so many connections at once. */
export function smtpClient({ host, port }: { host: string; port: number }, connections = 1): SmtpClient {
  const transport = nodemailer.createTransport({
    ...{ host, port, name: 'sender.test', ignoreTLS: true },
    ...{ pool: true, maxConnections: connections, maxMessages: Infinity },
  });
  return {
    async send({ from = 'alice@sender.test', ...mail }) {
      await transport.sendMail({ from, subject: 'A test', text: 'Hello.', ...mail });
    },
    close: () => transport.close(),
  };
}
