import { expect, it } from 'vitest';
import { run } from '../../lib/cli/run.ts';
import { fakeMailroom, message, origin } from '../sdk/fake-mailroom.ts';

const address = 'alice@mail.example.com';

/** `posthorn messages wait` on an inbox whose list answers so many messages, call by call; the last again and again. */
async function waitFor(lists: (number | 'further on')[], ...options: string[]) {
  return waitUntil(new AbortController().signal, lists, ...options);
}
async function waitUntil(interrupted: AbortSignal, lists: (number | 'further on')[], ...options: string[]) {
  const asked: unknown[] = [];
  const mailroom = fakeMailroom({
    'inboxes.messages.list': async ({ query }) => {
      const count = lists[Math.min(asked.length, lists.length - 1)]!;
      asked.push(query);
      if (count === 'further on') return { count: 0, messages: [], next_page_token: 'pt_2' };
      return { count, messages: count === 0 ? [] : [message(1)] };
    },
  });
  let [out, err] = ['', ''];
  const args = ['messages', 'wait', address, '--url', origin, '--key', JSON.stringify(mailroom.key.jwk)];
  const code = await run([...args, '--every', '0', ...options], {
    env: {},
    cwd: '/',
    stdin: (async function* () {})(),
    interrupted: () => interrupted,
    out: (content) => void (out += String(content)),
    err: (text) => void (err += text),
    fetch: mailroom.fetch,
  });
  return { code, out, err, asked };
}

it('answers the message that comes, whole', async () => {
  const { code, out, err, asked } = await waitFor([0, 0, 1], '--label', 'unread', '--subject', 'order');
  expect([code, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toHaveProperty('message_id');
  expect(asked).toHaveLength(3);
  expect(asked[0]).toMatchObject({ labels: ['unread'], subject: ['order'], limit: 1 });
});

it('finds a message that is there behind many that do not fit', async () => {
  const { code, out, asked } = await waitFor(['further on', 'further on', 1], '--timeout', '0');
  expect([code, asked.length]).toEqual([0, 3]);
  expect(JSON.parse(out)).toHaveProperty('message_id');
  expect(asked[2]).toMatchObject({ page_token: 'pt_2' });
});

it('gives up when the time is over, and says so', async () => {
  const { code, out, err } = await waitFor([0], '--timeout', '0');
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(`no message that fits came to ${address} within 0 seconds`);
});

it('waits no longer when it is interrupted', async () => {
  const soon = AbortSignal.timeout(20);
  const { code, out, err, asked } = await waitUntil(soon, [0], '--every', '3600', '--include', 'spam');
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain('interrupted');
  expect(asked.length).toBe(1);
  expect(asked[0]).toEqual({ include_spam: true, limit: 1 });
});
