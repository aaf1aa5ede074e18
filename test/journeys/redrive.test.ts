import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { breakFunctions } from '../support/broken-functions.ts';
import { posthornHere } from '../support/posthorn-here.ts';
import { sharedMailroom } from '../support/mailroom.ts';
import { waitingEvents } from '../support/unannounced.ts';

const mailroom = sharedMailroom({ odds: 'calm', expects: { deadLetters: true } });
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'posthorn-'));
  const { api, aws, operator } = mailroom.cloud;
  await writeFile(join(home, 'local.json'), JSON.stringify({ api, aws, operator }));
});
afterAll(() => rm(home, { recursive: true }));

/** `npx posthorn redrive …` against the running cloud; answers what it prints. */
async function redrive(...words: string[]) {
  const { code, out, err } = await posthornHere(home, 'redrive', ...words);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
}
/** What is in the dead-letter queues, by function; those that are empty are left out. */
async function deadLetters(): Promise<Record<string, number>> {
  const { dead_letters } = (await redrive()) as { dead_letters: { queue: string; messages: number }[] };
  return Object.fromEntries(
    dead_letters.flatMap(({ queue, messages }) => (messages > 0 ? [[queue, messages]] : [])),
  );
}
/** What needs no time of the cloud to come true, only some of the machine. */
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 50 });

/** Lets time pass until there are dead letters of a function. */
async function failed(name: string): Promise<void> {
  for (let time = 1; !(name in (await deadLetters())); time++) {
    expect(time, `no dead letters of ${name}`).toBeLessThan(30);
    await mailroom.pass(5);
  }
}

it('lists every dead-letter queue of the deployment, all empty', async () => {
  const { dead_letters } = await redrive('--list');
  expect(dead_letters).toHaveLength(6);
  expect(await deadLetters()).toEqual({});
});

it('a mail that failed every time comes back, and is there once however often it is moved', async () => {
  const inbox = await mailroom.inbox();
  // What is left behind would be taken in after ten minutes, by the other one.
  const { mend } = breakFunctions(mailroom, { functions: ['receivemail', 'rundue'], action: 's3:GetObject' });
  await mailroom.send({ to: inbox, subject: 'at last' });
  await failed('receive-mail');
  expect((await mailroom.client().inboxes.messages.list(inbox)).messages).toEqual([]);
  mend();
  expect(await redrive('receive-mail')).toEqual({
    queue: 'receive-mail',
    moved: 1,
    to: expect.stringContaining('intakequeue'),
  });
  const arrived = () => mailroom.client().inboxes.messages.list(inbox);
  await soon(async () => expect((await arrived()).messages).toHaveLength(1));
  expect(await redrive('receive-mail')).toMatchObject({ moved: 0 });
  await soon(async () => expect(await mailroom.queued((id) => id.startsWith('intake'))).toBe(0));
  expect((await arrived()).messages.map(({ subject }) => subject)).toEqual(['at last']);
  expect(await deadLetters()).toEqual({});
});

it('events nobody could announce are told of again by themselves; what was left of them is cleared away', async () => {
  const { mend } = breakFunctions(mailroom, { functions: ['publishevent'], action: 'events:PutEvents' });
  const inbox = await mailroom.inbox();
  await failed('publish-event');
  expect(await waitingEvents(mailroom.dynamodb(), mailroom.tableName)).toBeGreaterThan(0);
  mend();
  const { deleted } = await redrive('publish-event');
  expect(deleted).not.toEqual([]);
  expect(await deadLetters()).toEqual({});
  await mailroom.eventually(async () =>
    expect(await waitingEvents(mailroom.dynamodb(), mailroom.tableName)).toBe(0),
  );
  const { events } = await mailroom.client().inboxes.events.list(inbox, { after_position: 0 });
  expect(events.map(({ event_type, position }) => [event_type, position])).toEqual([['inbox.created', 1]]);
});
