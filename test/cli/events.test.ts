import { expect, it } from 'vitest';
import { run } from '../../lib/cli/run.ts';
import { fakeMailroom, inboxEvent, origin } from '../sdk/fake-mailroom.ts';

const address = 'alice@mail.example.com';
const event = (position: number | undefined, more: object = {}) => ({
  ...inboxEvent,
  event_id: `evt_${position}`,
  position,
  ...more,
});

/** `posthorn events tail` on a log that answers these pages, one after the other; a call too many is interrupted. */
async function tail(pages: ReturnType<typeof event>[][], ...options: string[]) {
  const interruption = new AbortController();
  const asked: any[] = [];
  const mailroom = fakeMailroom({
    'inboxes.events.list': async ({ query }) => {
      asked.push(query);
      const events = pages[asked.length - 1] ?? [];
      if (asked.length >= pages.length) interruption.abort();
      return { count: events.length, events };
    },
  });
  let [out, err] = ['', ''];
  const args = [
    'events',
    'tail',
    address,
    '--url',
    origin,
    '--key',
    JSON.stringify(mailroom.key.jwk),
    ...options,
  ];
  const code = await run(args, {
    env: {},
    cwd: '/',
    stdin: (async function* () {})(),
    interrupted: () => interruption.signal,
    out: (content) => void (out += String(content)),
    err: (text) => void (err += text),
    fetch: mailroom.fetch,
  });
  return { code, out, err, asked };
}

it('shows the last events oldest first, then those behind them, until it is interrupted', async () => {
  const pages = [[event(3), event(undefined), event(2)], [], [event(4), event(5)], [event(6)]];
  const { code, out, err, asked } = await tail(pages, '--json', '--every', '0', '--last', '5');
  expect([code, err]).toEqual([0, '']);
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).position),
  ).toEqual([2, 3, 4, 5, 6]);
  expect(asked).toEqual([
    { limit: 5 },
    { after_position: 3, limit: 100 },
    { after_position: 3, limit: 100 },
    { after_position: 5, limit: 100 },
  ]);
});

it('with --once ends with what there is', async () => {
  const { code, asked } = await tail([[event(3)], [event(4)], []], '--once');
  expect([code, asked.length]).toEqual([0, 2]);
});

it('with --after begins behind a position', async () => {
  const { asked } = await tail([[event(8)], []], '--once', '--after', '7');
  expect(asked).toEqual([{ after_position: 7, limit: 100 }]);
});

it('writes a line an event, and nothing a sender put there for the terminal', async () => {
  const evil = event(1, { subject: 'Hi\u001b[2J\u202ethere' });
  const label = event(2, { event_type: 'label.added', label: 'todo', from: undefined, subject: undefined });
  const steering = event(3, { ...label, label: 'x\u001b]0;pwned\u0007', event_at: inboxEvent.event_at });
  const turning = event(4, { from: 'a\u202eb@sender.test', subject: undefined });
  const { out } = await tail([[turning, steering, label, evil]], '--once');
  const lines = out.trimEnd().split('\n');
  expect(lines[2]).toBe(`${inboxEvent.event_at}  label.added               msg_1  x ]0;pwned`);
  expect(lines[3]).toMatch(/  a b@sender\.test$/);
  expect(lines[0]).toBe(
    `${inboxEvent.event_at}  message.received          msg_1  bob@sender.test  Hi [2J there`,
  );
  expect(lines[1]).toBe(`${inboxEvent.event_at}  label.added               msg_1  todo`);
});

it('says what is refused', async () => {
  const { code, err } = await tail([[]], '--every', 'soon');
  expect([code, err]).toEqual([2, 'soon is not a whole number\n']);
});
