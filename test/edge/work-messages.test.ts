import { describe, expect, it } from 'vitest';
import { busEvent } from '../../lib/edge/bus-event.ts';
import { deliveryJob } from '../../lib/edge/delivery-job.ts';

const detail = {
  ...{
    version: '1',
    event_id: 'evt_1',
    event_type: 'inbox.created',
    organization_id: 'org_1',
    pod_id: 'pod_1',
  },
  ...{ inbox_id: 'ada@x.test', inbox_uid: 'inb_1', timestamp: '2026-01-31T12:00:00.000Z', position: 1 },
};
const fromBus = (more: object, type = 'inbox.created') =>
  JSON.stringify({
    version: '0',
    id: 'x',
    source: 'posthorn',
    'detail-type': type,
    detail: { ...detail, ...more },
  });

describe('an event from the bus', () => {
  it('is read by the form of its type', () => {
    expect(busEvent(fromBus({ stray: 1 }))).toEqual(detail);
  });

  it.each([
    ['of a type nobody knows', fromBus({}, 'inbox.painted')],
    ['of another version', fromBus({ version: '2' })],
    ['without a position', fromBus({ position: undefined })],
    ['that says it is of another type', fromBus({ event_type: 'inbox.updated' })],
    ['that is no JSON', 'Hello'],
    ['without a detail', JSON.stringify({ 'detail-type': 'inbox.created' })],
  ])('%s is refused', (_, body) => {
    expect(() => busEvent(body)).toThrow();
  });
});

describe('a job of a delivery', () => {
  const job = { organization_id: 'org_1', webhook_id: 'wh_1', event: '01jk', attempt: 1 };

  it('is read with the inboxes it names', () => {
    expect(deliveryJob(JSON.stringify(job))).toEqual(job);
    const both = { ...job, webhook_uid: 'inb_1', uid: 'inb_2' };
    expect(deliveryJob(JSON.stringify({ ...both, stray: 1 }))).toEqual(both);
  });

  it.each([{ attempt: 0 }, { attempt: 1.5 }, { event: undefined }, { webhook_id: 7 }])(
    'with %j is refused',
    (more) => {
      expect(() => deliveryJob(JSON.stringify({ ...job, ...more }))).toThrow();
    },
  );
});
