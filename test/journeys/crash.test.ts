import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFailed, vi } from 'vitest';
import { crashRounds, kept } from '../support/crash-rounds.ts';
import { startPosthorn, usedHome, type Command } from '../support/posthorn-process.ts';
import { smtpClient } from '../support/smtp-client.ts';
import { untold, waitingIn } from '../support/unannounced.ts';
import { thorough } from '../support/thorough.ts';

let used: Awaited<ReturnType<typeof usedHome>>;
let home: string;
const commands: Command[] = [];
vi.setConfig({ testTimeout: 120_000 });

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

const start = async (...options: string[]) => {
  const posthorn = await startPosthorn(home, ...options);
  commands.push(posthorn.command);
  onTestFailed(() => console.log(posthorn.command.output));
  return posthorn;
};

/** How long the mailroom may take to work off what was waiting, on a busy machine (milliseconds). */
const patience = 60_000;

describe('kill -9 under load', () => {
  it('loses and doubles no mail that got its 250 and no inbox that was answered, again and again', async () => {
    const size = thorough ? { rounds: 3, most: 40 } : { rounds: 1, most: 15, connections: 3 };
    const promised = await crashRounds({ home, seed: 2026, ...size });
    const posthorn = await start();
    const { messages, ...wrong } = await kept(posthorn.client, promised, patience);
    expect(wrong).toEqual({ lost: [], doubled: [], inboxesLost: [] });
    expect(messages).toBeGreaterThanOrEqual(promised.accepted.size);
    // And each is announced, wherever between the 250 and the bus the process died.
    await vi.waitFor(async () => expect(await waitingIn(posthorn)).toBe(0), {
      timeout: patience,
      interval: 200,
    });
    expect(await untold(posthorn, promised)).toEqual([]);
  });

  if (thorough)
    it('with --durable too', async () => {
      const options = ['--durable'];
      const promised = await crashRounds({ home, seed: 7, rounds: 1, most: 30, options });
      const { client } = await start(...options);
      const { messages: _, ...wrong } = await kept(client, promised, patience);
      expect(wrong).toEqual({ lost: [], doubled: [], inboxesLost: [] });
    });
});

describe('kill -9', () => {
  it('right after the 250, before any function has run, and again while it starts, loses nothing', async () => {
    const first = await start();
    await first.client.inboxes.create({ username: 'otter' });
    const sender = smtpClient(first.local.smtp);
    await sender.send({ to: 'otter@posthorn.test', subject: 'just in time', text: 'Every byte of it.' });
    first.command.child.kill('SIGKILL');
    sender.close();
    await first.command.ended;
    const second = startPosthorn(home).catch(() => undefined);
    // It holds the lock by then, and is deploying.
    const pid = await vi.waitFor(async () => {
      const found = Number(await readFile(join(home, 'lock.pid'), 'utf8'));
      expect(found).not.toBe(first.command.child.pid);
      return found;
    }, 20_000);
    process.kill(pid, 'SIGKILL');
    await second;
    const { client, local } = await start();
    expect(local.key).toEqual(first.local.key);
    expect((await client.inboxes.get('otter@posthorn.test')).email).toBe('otter@posthorn.test');
    const message = await vi.waitFor(async () => {
      const { messages } = await client.inboxes.messages.list('otter@posthorn.test');
      expect(messages).toHaveLength(1);
      return messages[0]!;
    }, patience);
    const whole = await client.inboxes.messages.get('otter@posthorn.test', message.message_id);
    expect(whole).toMatchObject({
      subject: 'just in time',
      text: expect.stringContaining('Every byte of it.'),
    });
  });
});
