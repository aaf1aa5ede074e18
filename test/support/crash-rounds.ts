import { setTimeout as wait } from 'node:timers/promises';
import { badWeather } from '../../lib/local/weather.ts';
import type { Client } from '../../lib/sdk/client.ts';
import { startPosthorn, type Posthorn } from './posthorn-process.ts';
import { smtpClient } from './smtp-client.ts';

export interface CrashRounds {
  home: string;
  seed: number;
  rounds: number;
  /** 250s in one round before kill -9, at most. */
  most: number;
  options?: string[];
  /** Who sends at once; 8 unless told. */
  connections?: number;
}

/** What was promised before the process died. */
export interface Promised {
  /** Subjects of mails that got their 250, with the inboxes each is for. */
  accepted: Map<string, string[]>;
  /** Subjects of mails whose sender heard nothing: there or not, but not twice. */
  unknown: Set<string>;
  /** Addresses whose provision was answered with 200. */
  provisioned: Set<string>;
}

/**
 * Starts the mailroom, sends mail at full speed and provisions, kills it with -9 at a random moment, and again, all on
 * one home. The seed makes the moments the same again, as far as a machine can.
 */
export async function crashRounds({
  home,
  seed,
  rounds,
  most,
  options = [],
  connections = 8,
}: CrashRounds): Promise<Promised> {
  const { random } = badWeather(seed, {});
  const promised: Promised = { accepted: new Map(), unknown: new Set(), provisioned: new Set() };
  for (let round = 0; round < rounds; round++) {
    const posthorn = await startPosthorn(home, ...options);
    try {
      await oneRound(
        posthorn,
        `${seed}-${round}`,
        { after: 1 + Math.floor(random() * most), jitter: random() * 30, connections },
        promised,
      );
    } finally {
      await posthorn.command.signal('SIGKILL');
    }
  }
  return promised;
}

async function oneRound(
  posthorn: Posthorn,
  name: string,
  { after, jitter, connections }: { after: number; jitter: number; connections: number },
  promised: Promised,
): Promise<void> {
  const { command, local, client } = posthorn;
  const inboxes = await Promise.all(
    ['a', 'b', 'c'].map(
      async (letter) => (await client.inboxes.create({ username: `${letter}-${name}` })).email,
    ),
  );
  for (const address of inboxes) promised.provisioned.add(address);
  const enough = Promise.withResolvers<void>();
  let accepted = 0;
  let dead = false;
  const sender = smtpClient(local.smtp, connections);
  const sending = Array.from({ length: connections }, async (_, worker) => {
    for (let n = 0; !dead; n++) {
      const subject = `${name}-${worker}-${n}`;
      const to = n % 5 === 0 ? inboxes : [inboxes[n % inboxes.length]!];
      promised.unknown.add(subject);
      try {
        await sender.send({ to, subject, text: `This is ${subject}.`, ...(n % 3 === 0 && { attachments }) });
      } catch (error) {
        if (dead) return;
        throw error;
      }
      promised.unknown.delete(subject);
      promised.accepted.set(subject, to);
      if (++accepted === after) enough.resolve();
    }
  });
  const provisioning = (async () => {
    for (let n = 0; !dead; n++) {
      const made = await client.inboxes.create({ username: `p-${name}-${n}` }).catch((error: unknown) => {
        if (!dead) throw error;
      });
      if (made !== undefined) promised.provisioned.add(made.email);
    }
  })();
  const work = Promise.all([...sending, provisioning]);
  await Promise.race([enough.promise, work]);
  await wait(jitter);
  dead = true;
  command.child.kill('SIGKILL');
  sender.close();
  await work;
}

const attachments = [{ filename: 'notes.bin', content: Buffer.alloc(9_000, 'notes') }];

export interface Kept {
  /** Mails that were acknowledged and are not there, as `inbox subject`. */
  lost: string[];
  /** Mails that are there more than once. */
  doubled: string[];
  /** Inboxes whose provision was answered and that are not there. */
  inboxesLost: string[];
  messages: number;
}

/** Compares a running mailroom with what was promised, once it has caught up or `patience` (milliseconds) is over. */
export async function kept(client: Client, promised: Promised, patience: number): Promise<Kept> {
  const found: string[] = [];
  for await (const { email } of client.inboxes.all({ limit: 100 })) found.push(email);
  const inboxesLost = [...promised.provisioned].filter((address) => !found.includes(address));
  const due = new Set<string>();
  for (const [subject, to] of promised.accepted) for (const inbox of to) due.add(`${inbox} ${subject}`);
  const receiving = [...promised.provisioned].filter((address) => /^[abc]-/.test(address));
  for (const end = Date.now() + patience; ; await wait(100)) {
    const there = new Map<string, number>();
    for (const inbox of receiving) {
      for await (const { subject } of client.inboxes.messages.all(inbox, { limit: 100 })) {
        const key = `${inbox} ${subject}`;
        there.set(key, (there.get(key) ?? 0) + 1);
      }
    }
    const lost = [...due].filter((key) => !there.has(key));
    const doubled = [...there].filter(([, times]) => times > 1).map(([key]) => key);
    if ((lost.length === 0 && inboxesLost.length === 0) || doubled.length > 0 || Date.now() > end) {
      return { lost, doubled, inboxesLost, messages: there.size };
    }
  }
}
