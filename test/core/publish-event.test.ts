import { expect, it } from 'vitest';
import type { PublishedEvent } from '../../lib/contract/event.ts';
import { publishEvent } from '../../lib/core/publish-event.ts';
import { inboxRef } from '../support/mail-samples.ts';

const event = {
  uid: inboxRef().uid,
  event_id: 'evt_1',
  event_type: 'message.received',
  organization_id: 'org_1',
  pod_id: 'org_1',
  inbox_id: 'ada@mail.test',
  timestamp: '2026-01-01T00:00:00.000Z',
} as const;

it('an event goes on the bus with its position and without the inside of the mailroom', async () => {
  const announced: PublishedEvent[] = [];
  const publish = publishEvent({
    log: { position: async () => 7 },
    announce: async (one) => void announced.push(one),
  });
  await publish(event);
  await publish(event);
  const { uid: _, ...shown } = event;
  expect(announced).toEqual([
    { ...shown, position: 7 },
    { ...shown, position: 7 },
  ]);
});

it('what the bus refuses is not forgotten', async () => {
  const publish = publishEvent({
    log: { position: async () => 7 },
    announce: async () => Promise.reject(new Error('no')),
  });
  await expect(publish(event)).rejects.toThrow('no');
});
