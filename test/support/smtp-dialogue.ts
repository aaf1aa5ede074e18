import { connect } from 'node:net';

export interface Dialogue {
  from: string;
  to: string[];
  data: Buffer;
  /** Parameters of MAIL FROM, such as `BODY=8BITMIME`. */
  parameters?: string;
}

/**
 * Sends one mail over a bare socket, MAIL, RCPT and DATA in one packet (RFC 2920), and answers the last line of each
 * reply from the first of them on. It ends at the first reply that leaves nothing to send.
 */
export async function smtpDialogue(
  { host, port }: { host: string; port: number },
  mail: Dialogue,
): Promise<string[]> {
  const socket = connect({ host, port, noDelay: true });
  const replies = linesOf(socket)[Symbol.asyncIterator]();
  const reply = async (): Promise<string> => {
    for (;;) {
      const { value, done } = await replies.next();
      if (done === true) throw new Error('the server hung up');
      if (value[3] !== '-') return value;
    }
  };
  try {
    await reply();
    socket.write('EHLO sender.test\r\n');
    await reply();
    const { from, to, parameters = '' } = mail;
    const commands = [
      `MAIL FROM:<${from}> ${parameters}`.trimEnd(),
      ...to.map((one) => `RCPT TO:<${one}>`),
      'DATA',
    ];
    socket.write(commands.map((line) => `${line}\r\n`).join(''));
    const said: string[] = [];
    for (const _ of commands) said.push(await reply());
    if (!said.at(-1)!.startsWith('354')) return said;
    socket.write(stuffed(mail.data));
    socket.write('\r\n.\r\n');
    return [...said, await reply()];
  } finally {
    socket.destroy();
  }
}

async function* linesOf(socket: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of socket) {
    const lines = (rest + chunk.toString('latin1')).split('\r\n');
    rest = lines.pop()!;
    yield* lines;
  }
}

/** RFC 5321 §4.5.2; the final CRLF is the terminator's. */
const stuffed = (data: Buffer): Buffer =>
  Buffer.from(
    data
      .toString('latin1')
      .replace(/(^|\r\n)\./g, '$1..')
      .replace(/\r\n$/, ''),
    'latin1',
  );
