import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFailed } from 'vitest';
import type { Client } from '../../lib/sdk/client.ts';
import { badWeather, type Weather } from '../../lib/local/weather.ts';
import { openCloud } from '../support/local-cloud.ts';
import { smtpClient } from '../support/smtp-client.ts';

const first = Number(process.env['SOAK_SEED'] ?? Date.now() % 100_000);
const mailsPerSeed = 500;
const inboxCount = 5;
/** Mails of one conversation. */
const chain = 5;
const connections = 8;

interface Plan {
  subject: string;
  to: string[];
  raw: string;
  /** SMTP sessions that bring the same bytes. */
  times: number;
}

/** Conversations of five mails, each reply naming those before it; some to several inboxes, some sent twice. */
function plans(inboxes: string[], random: () => number): Plan[] {
  return Array.from({ length: mailsPerSeed }, (_, n) => {
    const talk = Math.floor(n / chain);
    const subject = `mail-${n}`;
    const before = Array.from({ length: n % chain }, (__, k) => `<${talk * chain + k}@sender.test>`);
    const to = talk % 4 === 0 ? inboxes : [inboxes[talk % inboxes.length]!];
    const raw = [
      `From: Alice <alice@sender.test>`,
      `To: ${to.join(', ')}`,
      `Subject: ${subject}`,
      `Message-ID: <${n}@sender.test>`,
      ...(before.length === 0 ? [] : [`In-Reply-To: ${before.at(-1)}`, `References: ${before.join(' ')}`]),
      'Date: Sat, 21 Nov 2026 10:00:00 +0000',
      '',
      `This is ${subject}.`,
      '',
    ].join('\r\n');
    return { subject, to, raw, times: random() < 0.2 ? 2 : 1 };
  });
}

/** Sends every plan in an order of the weather's making; a mail that got no 250 is sent again, as its sender would. */
async function sendAll(
  smtp: { host: string; port: number },
  all: Plan[],
  random: () => number,
): Promise<void> {
  const sender = smtpClient(smtp, connections);
  const waiting = all
    .flatMap((plan) => Array.from({ length: plan.times }, () => plan))
    .map((plan) => ({ plan, rank: random() }))
    .sort((a, b) => a.rank - b.rank);
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { to, raw } = next.plan;
        for (;;) if (await sender.send({ to, raw }).then(() => true, retried)) break;
      }
    }),
  );
  sender.close();
}

const retried = (error: Error & { responseCode?: number }): false => {
  if (Math.floor((error.responseCode ?? 0) / 100) === 4) return false;
  throw error;
};

async function found(client: Client, inboxes: string[]): Promise<{ key: string; thread: string }[]> {
  const list: { key: string; thread: string }[] = [];
  for (const inbox of inboxes) {
    for await (const { subject, thread_id } of client.inboxes.messages.all(inbox, { limit: 100 })) {
      list.push({ key: `${inbox} ${subject}`, thread: thread_id });
    }
  }
  return list;
}

it.each([first, first + 1, first + 2, first + 3])(
  '500 mails in bad weather, seed %i: each there once, in its thread',
  async (seed) => {
    const rain = badWeather(seed, {
      duplicate: 0.15,
      reorder: 0.3,
      delay: 0.1,
      'index-lag': 0.1,
      'transaction-conflict': 0.05,
      throttle: 0.03,
      'partial-batch': 0.05,
      'instance-death': 0.01,
    });
    let raining = false;
    const weather: Weather = { ...rain, strikes: (misfortune) => raining && rain.strikes(misfortune) };
    const { random } = badWeather(seed + 1, {});
    const open = await openCloud({ weather });
    onTestFailed(() => console.log(open.printed.slice(-30).join('\n')));
    try {
      const client = await open.client();
      const names = Array.from({ length: inboxCount }, (_, n) => `inbox-${n}`);
      const inboxes = await Promise.all(
        names.map(async (username) => (await client.inboxes.create({ username })).email),
      );
      const all = plans(inboxes, random);
      const expected = all.flatMap(({ subject, to }) => to.map((inbox) => `${inbox} ${subject}`)).sort();
      raining = true;
      await sendAll(open.cloud.smtp, all, random);
      const end = performance.now() + 120_000;
      // What a dead instance held comes back with its visibility timeout, so the clock runs ahead.
      while ((await quietly(found(client, inboxes)))?.length !== expected.length && performance.now() < end) {
        await wait(50);
        open.cloud.clock.advance(2_000);
      }
      raining = false;
      // Whatever was delivered twice has had its time to show.
      for (let step = 0; step < 30; step++) {
        open.cloud.clock.advance(30_000);
        await wait(20);
      }
      const there = await found(client, inboxes);
      expect(there.map(({ key }) => key).sort()).toEqual(expected);
      const threads = new Map<string, Set<string>>();
      for (const { key, thread } of there) {
        const [inbox, subject] = key.split(' ') as [string, string];
        const talk = `${inbox} ${Math.floor(Number(subject.slice(5)) / chain)}`;
        threads.set(talk, (threads.get(talk) ?? new Set()).add(thread));
      }
      expect([...threads].filter(([, ids]) => ids.size !== 1)).toEqual([]);
      expect(new Set([...threads.values()].map((ids) => [...ids][0])).size).toBe(threads.size);
      expect(open.cloud.iam.refusals).toEqual([]);
      expect(open.cloud.services.lambda.strayCalls).toEqual([]);
    } finally {
      await open.close();
    }
  },
);

/** In the rain a list may be refused; it is asked for again. */
const quietly = <T>(work: Promise<T>): Promise<T | undefined> => work.catch(() => undefined);
