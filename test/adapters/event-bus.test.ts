import type { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { eventBus } from '../../lib/adapters/event-bus.ts';
import { randomUsername } from '../../lib/adapters/usernames.ts';
import { normalizeUsername } from '../../lib/core/address.ts';

const event = {
  event_id: 'evt_1',
  event_type: 'message.received',
  organization_id: 'o',
  pod_id: 'o',
  inbox_id: 'i',
  timestamp: '2026-01-01T00:00:00.000Z',
  position: 3,
} as const;

it('an event is one entry, and one the bus refuses is an error', async () => {
  const sent: unknown[] = [];
  const answers: object[] = [
    { FailedEntryCount: 0 },
    { FailedEntryCount: 1, Entries: [{ ErrorCode: 'Throttled', ErrorMessage: 'slow down' }] },
  ];
  const client = {
    send: async ({ input }: PutEventsCommand) => {
      sent.push(input);
      return answers.shift();
    },
  } as unknown as EventBridgeClient;
  await eventBus('bus', client)(event);
  expect(sent).toEqual([
    {
      Entries: [
        {
          EventBusName: 'bus',
          Source: 'posthorn',
          DetailType: 'message.received',
          Detail: JSON.stringify(event),
          Time: new Date(event.timestamp),
        },
      ],
    },
  ]);
  await expect(eventBus('bus', client)(event)).rejects.toThrow('Throttled slow down');
});

it('a random username is one that would be taken, and hardly ever the same', () => {
  const names = Array.from({ length: 500 }, randomUsername);
  for (const name of names) expect(normalizeUsername(name)).toBe(name);
  expect(new Set(names).size).toBeGreaterThan(495);
});
