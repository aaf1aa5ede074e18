import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NameService } from '../../../lib/local/dns/name-service.ts';
import { addOutsideWorld } from '../../../lib/local/dns/outside-world.ts';
import { resolverOf } from '../../../lib/local/dns/resolver.ts';
import { Refusal } from '../../../lib/local/smtp/refusal.ts';
import { type Envelope, LARGEST_MAIL, SmtpServer } from '../../../lib/local/smtp/server.ts';
import { removeHome, stubCloud } from '../../support/service-endpoint.ts';

let cloud: Awaited<ReturnType<typeof stubCloud>>;
let server: SmtpServer;
let port: number;
const taken: { envelope: Envelope; size: number; hash: string; text: string }[] = [];
let failure: Error | undefined;
let hold: Promise<void> | undefined;

beforeAll(async () => {
  cloud = await stubCloud();
  const names = new NameService();
  await addOutsideWorld(names, cloud);
  server = new SmtpServer({
    cloud,
    resolve: resolverOf(names),
    taker: {
      checkRecipient: (address) => {
        if (!address.toLowerCase().endsWith('@posthorn.test')) throw new Refusal(550, 'mailbox unavailable');
      },
      async take({ envelope, size, file }) {
        await hold;
        if (failure !== undefined) throw failure;
        const hash = createHash('sha256');
        for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
        const text = size < 1_000_000 ? await readFile(file, 'latin1') : '';
        taken.push({ envelope, size, hash: hash.digest('hex'), text });
      },
    },
  });
  port = (await server.start()).port;
});
afterAll(async () => {
  await server.stop();
  await removeHome(cloud);
});
beforeEach(() => {
  taken.length = 0;
  failure = undefined;
});

/** A client that says exactly what it is told. */
class Client {
  #socket: Socket;
  #received = '';
  #heard = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1');
      this.#heard();
    });
    socket.on('close', () => this.#heard());
  }

  get socket(): Socket {
    return this.#socket;
  }

  async reply(): Promise<string> {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#received);
      if (found !== null) {
        this.#received = this.#received.slice(found[0].length);
        return found[0].trimEnd();
      }
      if (this.#socket.closed) return '';
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  async say(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`, 'latin1');
    return this.reply();
  }
}

async function client(): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  const made = new Client(socket);
  expect(await made.reply()).toMatch(/^220 inbound-smtp\.us-east-1\.amazonaws\.com ESMTP/);
  return made;
}

async function greeted(from = '<bob@sender.test>'): Promise<Client> {
  const made = await client();
  await made.say('EHLO client.test');
  expect(await made.say(`MAIL FROM:${from}`)).toMatch(/^250 2\.1\.0/);
  expect(await made.say('RCPT TO:<ann@posthorn.test>')).toMatch(/^250 2\.1\.5/);
  return made;
}

describe('a session', () => {
  it('is told what the server can do', async () => {
    const made = await client();
    const lines = (await made.say('EHLO client.test')).split('\r\n').map((line) => line.slice(4));
    expect(lines.slice(1).sort()).toEqual([
      '8BITMIME',
      'ENHANCEDSTATUSCODES',
      'PIPELINING',
      `SIZE ${LARGEST_MAIL}`,
      'STARTTLS',
    ]);
    expect(await made.say('AUTH PLAIN AAAA')).toMatch(/^500/);
    made.socket.destroy();
  });

  it('can be secured with a certificate of this home and goes on afresh', async () => {
    const made = await client();
    await made.say('EHLO client.test');
    expect(await made.say('STARTTLS')).toMatch(/^220/);
    const ca = /-----BEGIN CERTIFICATE[^]+/.exec(
      await readFile(join(cloud.home, 'smtp', 'tls.pem'), 'utf8'),
    )![0];
    const secure = tlsConnect({ socket: made.socket, ca, servername: 'localhost' });
    await once(secure, 'secureConnect');
    expect(secure.authorized).toBe(true);
    const inside = new Client(secure);
    expect(await inside.say('EHLO client.test')).not.toContain('STARTTLS');
    await inside.say('MAIL FROM:<bob@sender.test>');
    await inside.say('RCPT TO:<ann@posthorn.test>');
    await inside.say('DATA');
    expect(await inside.say('Subject: x\r\n\r\nx\r\n.')).toMatch(/^250/);
    expect(taken[0]!.envelope.secure).toBe(true);
    secure.destroy();
  });

  it('hands over the envelope as it was said', async () => {
    const made = await greeted('<>');
    await made.say('RCPT TO:<Upper.Case+Tag@Posthorn.Test>');
    await made.say('DATA');
    expect(await made.say('Subject: x\r\n\r\nx\r\n.')).toMatch(/^250 2\.6\.0/);
    expect(taken[0]!.envelope).toEqual({
      from: '',
      to: ['ann@posthorn.test', 'Upper.Case+Tag@Posthorn.Test'],
      helo: 'client.test',
      clientHostname: 'localhost',
      clientAddress: '127.0.0.1',
      secure: false,
    });
    made.socket.destroy();
  });

  it('may be said in one breath', async () => {
    const made = await client();
    const mail = [
      'MAIL FROM:<bob@sender.test>',
      'RCPT TO:<ann@posthorn.test>',
      'RCPT TO:<x@elsewhere.test>',
      'DATA',
    ].join('\r\n');
    await made.say('EHLO client.test');
    expect(await made.say(mail)).toMatch(/^250 2\.1\.0/);
    expect([await made.reply(), await made.reply(), await made.reply()]).toEqual([
      expect.stringMatching(/^250 2\.1\.5/),
      '550 5.1.1 mailbox unavailable',
      expect.stringMatching(/^354/),
    ]);
    expect(await made.say(`one\r\n.\r\n${mail}`)).toMatch(/^250 2\.6\.0/);
    for (let at = 0; at < 4; at++) await made.reply();
    expect(await made.say('two\r\n.\r\nQUIT')).toMatch(/^250 2\.6\.0/);
    expect(await made.reply()).toMatch(/^221/);
    expect(taken.map(({ text }) => text)).toEqual(['one\r\n', 'two\r\n']);
  });

  it('takes a hundred recipients and no more', async () => {
    const made = await greeted();
    const more = Array.from({ length: 100 }, (_, at) => `RCPT TO:<a${at}@posthorn.test>`).join('\r\n');
    const replies = [await made.say(more)];
    while (replies.length < 100) replies.push(await made.reply());
    expect(replies.filter((reply) => reply.startsWith('250'))).toHaveLength(99);
    expect(replies.at(-1)).toMatch(/^452 4\.5\.3/);
    made.socket.destroy();
  });

  it('is refused what SES does not speak', async () => {
    const made = await client();
    await made.say('EHLO client.test');
    expect(await made.say('MAIL FROM:<bob@sender.test> SMTPUTF8')).toMatch(/^555 5\.5\.4/);
    await made.say('MAIL FROM:<bob@sender.test> BODY=8BITMIME');
    expect(await made.say(`RCPT TO:<j${Buffer.from('ö').toString('latin1')}rg@posthorn.test>`)).toMatch(/^5/);
    made.socket.destroy();
  });
});

describe('a mail', () => {
  it('arrives byte for byte, dots and bare line ends included', async () => {
    const made = await greeted();
    await made.say('DATA');
    const bytes = Buffer.concat([
      Buffer.from('.one dot\r\n..two\r\nbare\nLF and \xe9\r\n.\rnot the end\r\n', 'latin1'),
      Buffer.from([0, 255, 13, 10]),
    ]);
    made.socket.write(bytes.toString('latin1').replace(/^\./gm, '..'), 'latin1');
    expect(await made.say('.')).toMatch(/^250/);
    expect(taken[0]!.text).toBe(bytes.toString('latin1'));
    made.socket.destroy();
  });

  it('may have lines of 10,000 characters, and is refused for a longer one', async () => {
    const made = await greeted();
    await made.say('DATA');
    expect(await made.say(`${'x'.repeat(10_000)}\r\n${'y'.repeat(10_000)}\r\n.`)).toMatch(/^250/);
    expect(taken[0]!.size).toBe(20_004);
    await made.say('MAIL FROM:<bob@sender.test>');
    await made.say('RCPT TO:<ann@posthorn.test>');
    await made.say('DATA');
    expect(await made.say(`ok\r\n${'x'.repeat(10_001)}\r\n.`)).toBe(
      '554 5.6.0 message has a line of more than 10000 characters; encode it',
    );
    expect(taken).toHaveLength(1);
    expect(await made.say('NOOP')).toMatch(/^250/);
    made.socket.destroy();
  });

  it('of 40 MB is taken and of 41 MB refused, neither held in memory', async () => {
    const line = Buffer.from(`${'A'.repeat(76)}\r\n`);
    const block = Buffer.concat(Array.from({ length: 840 }, () => line));
    const pour = async (made: Client, bytes: number) => {
      await made.say('DATA');
      const hash = createHash('sha256');
      let most = 0;
      for (let left = bytes - 2; left > 0; left -= block.length) {
        const piece = block.subarray(0, Math.min(left, block.length));
        hash.update(piece);
        if (!made.socket.write(piece)) await once(made.socket, 'drain');
        if ((left >> 16) % 64 === 0) most = Math.max(most, buffersInUse());
      }
      return { reply: await made.say('\r\n.'), hash: hash.update('\r\n').digest('hex'), most };
    };
    const before = buffersInUse();
    const made = await greeted();
    const whole = await pour(made, LARGEST_MAIL);
    expect(whole.reply).toMatch(/^250/);
    expect(taken[0]).toMatchObject({ size: LARGEST_MAIL, hash: whole.hash });
    await made.say('MAIL FROM:<bob@sender.test>');
    await made.say('RCPT TO:<ann@posthorn.test>');
    const large = await pour(made, LARGEST_MAIL + 1_048_576);
    expect(large.reply).toMatch(/^552 5\.3\.4/);
    expect(Math.max(whole.most, large.most) - before).toBeLessThan(16 * 1024 * 1024);
    expect(await made.say(`MAIL FROM:<bob@sender.test> SIZE=${LARGEST_MAIL + 1}`)).toMatch(/^552 5\.3\.4/);
    made.socket.destroy();
  }, 30_000);

  it('is not acknowledged when it could not be kept', async () => {
    failure = new Refusal(451, 'no room');
    const made = await greeted();
    await made.say('DATA');
    expect(await made.say('x\r\n.')).toBe('451 4.3.0 no room');
    failure = new Error('a bug');
    await made.say('MAIL FROM:<bob@sender.test>');
    await made.say('RCPT TO:<ann@posthorn.test>');
    await made.say('DATA');
    expect(await made.say('x\r\n.')).toMatch(/^451 4\.3\.0 Requested action aborted/);
    expect(cloud.printed.at(-1)).toContain('a bug');
    made.socket.destroy();
  });

  it('that breaks off leaves nothing behind', async () => {
    const made = await greeted();
    await made.say('DATA');
    made.socket.write('half a mail\r\n');
    const spool = join(cloud.home, 'smtp', 'spool');
    await until(async () => (await readdir(spool)).length === 1);
    made.socket.destroy();
    await until(async () => (await readdir(spool)).length === 0);
    expect(taken).toEqual([]);
  });
});

it('a stop lets the mail in hand end, hangs up on the idle, and frees the port', async () => {
  const idle = await client();
  const busy = await greeted();
  await busy.say('DATA');
  let release = () => {};
  hold = new Promise((resolve) => (release = resolve));
  busy.socket.write('x\r\n.\r\n');
  await until(async () => (await readdir(join(cloud.home, 'smtp', 'spool'))).length === 1);
  const stopped = server.stop();
  release();
  expect(await busy.reply()).toMatch(/^250/);
  expect(await idle.reply()).toMatch(/^421/);
  await stopped;
  hold = undefined;
  expect((await server.start(port)).port).toBe(port);
});

/** What is still referenced, without what only waits for the collector. */
function buffersInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().arrayBuffers;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let at = 0; at < 200; at++) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error('it never came true');
}
