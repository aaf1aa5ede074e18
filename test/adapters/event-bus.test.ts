import type { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { eventBus } from '../../lib/adapters/event-bus.ts';
import { randomUsername } from '../../lib/adapters/usernames.ts';
import type { PublishedEvent } from '../../lib/contract/event.ts';
import { normalizeUsername } from '../../lib/core/address.ts';

const event = (n: number): PublishedEvent => ({
  version: '1',
  event_id: `evt_${n}`,
  event_type: 'message.received',
  organization_id: 'o',
  pod_id: 'o',
  inbox_id: 'i',
  timestamp: '2026-01-01T00:00:00.000Z',
  position: n,
});
const busThat = (answer: object, sent: unknown[] = []) =>
  eventBus('bus', {
    send: async ({ input }: PutEventsCommand) => {
      sent.push(input);
      return answer;
    },
  } as unknown as EventBridgeClient);

it('events are entries of one call', async () => {
  const sent: unknown[] = [];
  const bus = busThat({ FailedEntryCount: 0, Entries: [{ EventId: 'a' }, { EventId: 'b' }] }, sent);
  expect(await bus([event(1), event(2)])).toEqual([undefined, undefined]);
  const entry = (n: number) => ({
    EventBusName: 'bus',
    Source: 'posthorn',
    DetailType: 'message.received',
    Detail: JSON.stringify(event(n)),
    Time: new Date('2026-01-01T00:00:00.000Z'),
  });
  expect(sent).toEqual([{ Entries: [entry(1), entry(2)] }]);
});

it('each entry the bus refuses is an error of its own', async () => {
  const bus = busThat({
    FailedEntryCount: 1,
    Entries: [
      { EventId: 'a' },
      { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' },
      { EventId: 'c' },
    ],
  });
  const [a, b, c] = await bus([event(1), event(2), event(3)]);
  expect([a, c]).toEqual([undefined, undefined]);
  expect(b?.message).toBe('the bus refused evt_2: ThrottlingException slow down');
});

it('an entry without an answer is not taken for sent', async () => {
  expect((await busThat({})([event(1)]))[0]?.message).toContain('no answer');
});

it('a random username is one that would be taken, and hardly ever the same', () => {
  const names = Array.from({ length: 500 }, randomUsername);
  for (const name of names) expect(normalizeUsername(name)).toBe(name);
  expect(new Set(names).size).toBeGreaterThan(495);
});
