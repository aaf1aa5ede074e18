import { existsSync, readFileSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFailed, vi } from 'vitest';
import { readOptions } from '../../lib/local/serve.ts';
import {
  Command,
  project,
  readLocal,
  startArgs,
  startPosthorn,
  temporaryHome,
  usedHome,
} from '../support/posthorn-process.ts';
import { smtpClient } from '../support/smtp-client.ts';
import { thorough } from '../support/thorough.ts';

vi.setConfig({ testTimeout: 60_000 });

let used: Awaited<ReturnType<typeof usedHome>>;
let home: string;
const commands: Command[] = [];

beforeAll(async () => {
  used = await usedHome();
});
beforeEach(async () => {
  home = await used.copy();
});
afterEach(async () => {
  await Promise.all(commands.splice(0).map((command) => command.signal('SIGKILL')));
  await rm(home, { recursive: true });
});

const start = async (...more: string[]) => {
  const posthorn = await startPosthorn(home, ...more);
  commands.push(posthorn.command);
  onTestFailed(() => console.log(posthorn.command.output));
  return posthorn;
};

const emptyHome = async () => {
  await rm(home, { recursive: true });
  home = await temporaryHome();
};

/** A start that is expected to end by itself. */
const failedStart = (args: string[]) => {
  const command = new Command(args);
  commands.push(command);
  return command.ended;
};

const port = expect.toSatisfy((value) => Number.isInteger(value) && value > 0 && value < 65_536, 'a port');

const mailTo = async (
  { local }: { local: { smtp: { host: string; port: number } } },
  to: string,
  subject: string,
) => {
  const sender = smtpClient(local.smtp);
  await sender.send({ to, subject });
  sender.close();
};

describe('npm start', () => {
  it('writes local.json as documented, for its owner only; another domain works end to end', async () => {
    await emptyHome();
    const posthorn = await start('--domain', 'Agents.Example.TEST');
    const { local, command } = posthorn;
    expect(local).toEqual({
      api: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      aws: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      smtp: { host: '127.0.0.1', port },
      dns: { host: '127.0.0.1', port },
      domain: 'agents.example.test',
      organization_id: expect.stringMatching(/^org_/),
      key: {
        api_key_id: expect.stringMatching(/^key_/),
        private_jwk: {
          kty: 'OKP',
          crv: 'Ed25519',
          x: expect.stringMatching(/^[\w-]{43}$/),
          d: expect.stringMatching(/^[\w-]{43}$/),
        },
      },
      operator: {
        access_key_id: expect.stringMatching(/^AKIA/),
        secret_access_key: expect.stringMatching(/.{40}/),
        region: 'us-east-1',
      },
      pid: command.child.pid,
    });
    const mode = (path: string) => statSync(join(home, path)).mode & 0o777;
    expect(mode('local.json')).toBe(0o600);
    expect(mode('keys.json')).toBe(0o600);
    expect(mode('.')).toBe(0o700);
    expect(command.output).toContain(`${local.api}/v0`);
    expect(command.output).toContain(`127.0.0.1:${local.smtp.port}`);
    expect((await fetch(`${local.api}/health`)).status).toBe(200);
    const { email, dns } = await posthorn.client.inboxes.create({ username: 'otter' });
    expect(email).toBe('otter@agents.example.test');
    expect(dns!.length).toBeGreaterThan(0);
    expect(dns!.filter(({ status }) => status !== 'VALID')).toEqual([]);
    await mailTo(posthorn, 'otter@agents.example.test', 'elsewhere');
    await expect(mailTo(posthorn, 'otter@posthorn.test', 'not here')).rejects.toThrow(/550/);
    await vi.waitFor(
      async () => expect((await posthorn.client.inboxes.messages.list(email)).messages).toHaveLength(1),
      20_000,
    );
  });

  it.each(thorough ? (['SIGINT', 'SIGTERM'] as const) : (['SIGINT'] as const))(
    'runs once on a home; %s ends it within 5 s with code 0, whoever is connected; then it goes on where it was',
    async (signal) => {
      const posthorn = await start();
      const second = await failedStart(startArgs(home));
      expect(second.output).toBe(
        `${home} is in use by process ${posthorn.command.child.pid}; stop that one, or start with another --home\n`,
      );
      expect(second.code).toBe(1);
      expect(readLocal(home)).toEqual(posthorn.local);
      expect((await posthorn.client.inboxes.create({ username: 'otter' })).email).toBe('otter@posthorn.test');
      await mailTo(posthorn, 'otter@posthorn.test', 'before the end');
      const { smtp, api, dns, aws } = posthorn.local;
      const ports = [smtp.port, dns.port, Number(new URL(api).port), Number(new URL(aws).port)];
      // Connected and silent; and one who stops in the middle of a mail.
      const sockets = ports.map((to) => connect(to, '127.0.0.1').on('error', () => {}));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      const halfway = sockets[0]!.setEncoding('latin1');
      let heard = '';
      halfway.on('data', (text: string) => void (heard += text));
      await vi.waitFor(() => expect(heard).toContain('220 '));
      halfway.write(
        'EHLO sender.test\r\nMAIL FROM:<alice@sender.test>\r\nRCPT TO:<postmaster@posthorn.test>\r\nDATA\r\n',
      );
      await vi.waitFor(() => expect(heard).toContain('354 '), 5_000);
      halfway.write('Subject: half\r\n\r\nof a mail');
      await (await fetch(`${api}/health`)).text();
      const began = performance.now();
      const { code, output } = await posthorn.command.signal(signal);
      expect(performance.now() - began).toBeLessThan(5_000);
      expect(code).toBe(0);
      expect(output.trimEnd().split('\n').at(-1)).toBe('Stopping.');
      for (const socket of sockets) socket.destroy();
      // After kill -9 it does too, in the crashes.
      const last = await start();
      const { organization_id, key, operator } = posthorn.local;
      expect(last.local).toMatchObject({ organization_id, key, operator, pid: last.command.child.pid });
      await vi.waitFor(async () => {
        const { messages } = await last.client.inboxes.messages.list('otter@posthorn.test');
        expect(messages.map(({ subject }) => subject)).toEqual(['before the end']);
      }, 20_000);
    },
  );
});

describe('options', () => {
  it('have the documented defaults', () => {
    expect(readOptions([])).toEqual({
      port: 8025,
      'smtp-port': 2525,
      'dns-port': 5354,
      domain: 'posthorn.test',
      home: '.posthorn',
      durable: false,
    });
  });
});

describe('a start that cannot be', () => {
  it('says which option is wrong and what there is, and no more', async () => {
    const { code, output } = await failedStart(['bin/local.ts', '--port', 'eighty']);
    expect(code).toBe(1);
    expect(output).toMatch(/^--port: /);
    expect(output).toContain('npm start -- [options]');
    expect(output).not.toMatch(/\n\s+at /);
  });

  it.each([
    [['--port', '65536'], /^--port: /],
    [['--smtp-port', ''], /^--smtp-port: /],
    [['--dns-port', '-1'], /--dns-port/],
    [['--domain', 'no_domain'], /^--domain: /],
    [['--home', ''], /^--home: /],
    [['--colour'], /--colour/],
    [['elsewhere'], /elsewhere/],
  ])('names the wrong option of %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  it('says which file is spoilt, and does not replace the key', async () => {
    await writeFile(join(home, 'local.json'), '{"organization_id":');
    const { code, output } = await failedStart(startArgs(home));
    expect(output).toContain(`${join(home, 'local.json')} cannot be read; move it away`);
    expect(code).toBe(1);
  });

  // npm brings Node 24; the machine's own may be older.
  const old = ['/usr/bin/node', '/usr/local/bin/node'].find(
    (path) =>
      existsSync(path) &&
      Number(execFileSync(path, ['-p', 'process.versions.node']).toString().split('.')[0]) < 24,
  );
  it.skipIf(old === undefined)('on an older Node is one clear sentence', async () => {
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    for (const args of [scripts.start.split(' ').slice(1), ['bin/posthorn.js', 'inboxes', 'list']]) {
      const command = new Command(args, { node: old! });
      const { code, output } = await command.ended;
      expect(output).toMatch(/^Posthorn needs Node 24, and this is \d+\.\d+\.\d+: .*\n$/);
      expect(code).toBe(2);
    }
  });
});
