import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LocalFile } from '../../lib/cli/local-file.ts';
import { createClient, type Client } from '../../lib/sdk/client.ts';
import { onceARun } from './once-a-run.ts';

/** The project's folder, where a person types `npm start`. */
export const project = resolve(import.meta.dirname, '../..');

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Everything it said, standard error too. */
  output: string;
}

/** A command of the project as a person runs it: a process of its own, started in the project's folder. */
export class Command {
  readonly ended: Promise<Ended>;
  readonly child: ChildProcess;
  output = '';
  #heard: () => void = () => {};

  constructor(args: readonly string[], { node = process.execPath }: { node?: string } = {}) {
    this.child = spawn(node, args, { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#heard();
      });
    }
    this.ended = new Promise((done) => {
      this.child.once('close', (code, signal) => {
        done({ code, signal, output: this.output });
        this.#heard();
      });
    });
  }

  /** Returns when it has said so; throws what it said when it ends without. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`it ended without saying "${text}":\n${this.output}`);
      }
      await new Promise<void>((heard) => (this.#heard = heard));
    }
  }

  async signal(name: NodeJS.Signals): Promise<Ended> {
    this.child.kill(name);
    return this.ended;
  }
}

/** What `<home>/local.json` holds. */
export interface WholeLocalFile extends LocalFile {
  dns: { host: string; port: number };
  pid: number;
}

export const readLocal = (home: string) =>
  JSON.parse(readFileSync(join(home, 'local.json'), 'utf8')) as WholeLocalFile;

/** A running `npm start` on a home, on free ports. */
export interface Posthorn {
  command: Command;
  local: WholeLocalFile;
  /** Signs with the key of local.json; no repeats, so that a failed call is seen. */
  client: Client;
}

export const startArgs = (home: string, ...more: string[]) => [
  'bin/local.ts',
  '--port=0',
  '--smtp-port=0',
  '--dns-port=0',
  '--home',
  home,
  ...more,
];

/** Starts the mailroom and returns when it says that it runs. */
export async function startPosthorn(home: string, ...more: string[]): Promise<Posthorn> {
  const command = new Command(startArgs(home, ...more));
  await command.says('Stop it with Ctrl-C.');
  const local = readLocal(home);
  return { command, local, client: createClient({ baseUrl: local.api, key: local.key, retries: 0 }) };
}

export const temporaryHome = () => mkdtemp(join(process.env['POSTHORN_TEST_HOMES'] ?? tmpdir(), 'home-'));

/**
 * A home that was started and stopped before, and copies of it: they start sooner than a fresh one, where receiving
 * is first activated at SES's rate of one request a second.
 */
export async function usedHome(): Promise<{ copy(): Promise<string> }> {
  const used = await onceARun('used-home', async () => {
    const home = await temporaryHome();
    const { command } = await startPosthorn(home);
    await command.signal('SIGTERM');
    return home;
  });
  return {
    async copy() {
      const another = await temporaryHome();
      await cp(used, another, { recursive: true });
      return another;
    },
  };
}
