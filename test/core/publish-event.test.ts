import { beforeEach, describe, expect, it } from 'vitest';
import { announced as types, published, type PublishedEvent } from '../../lib/contract/event.ts';
import type { Nudge } from '../../lib/core/nudge.ts';
import { publishChanges, type Change, type LoggedEvent, type Place } from '../../lib/core/publish-event.ts';
import { inboxRef } from '../support/mail-samples.ts';

let count: number;
let places: Map<string, Place>;
let asked: string[][];
let onBus: PublishedEvent[];
let calls: number;
let settled: string[];
let sent: Nudge[];
let reported: unknown[];
/** What the bus, the log or the queue says no to, by event id, uid or group. */
let refused: Set<string>;

beforeEach(() => {
  [count, places, asked, onBus, calls] = [0, new Map(), [], [], 0];
  [settled, sent, reported, refused] = [[], [], [], new Set()];
});

const event = (uid: string | undefined = inboxRef().uid, more: Partial<LoggedEvent> = {}): LoggedEvent => ({
  ...(uid !== '' && { uid }),
  event_id: `evt_${++count}`,
  event_type: 'inbox.created',
  organization_id: 'org_1',
  pod_id: 'org_1',
  inbox_id: 'ada@mail.test',
  timestamp: '2026-01-01T00:00:00.000Z',
  ...more,
});
const nudge = (group: string): Nudge => ({
  group,
  count: 1,
  queue: 'removals',
  job: { organization_id: 'org_1', what: group },
});
const publish = (...given: (LoggedEvent | Nudge)[]) =>
  publishChanges({
    log: {
      async places(events) {
        asked.push(events.map(({ event_id }) => event_id));
        if (refused.has(events[0]!.uid ?? '')) throw new Error('the table says no');
        return events.map(({ event_id }) => {
          const place = places.get(event_id) ?? places.size + 1;
          places.set(event_id, place);
          return place;
        });
      },
      async settle(events) {
        if (events.some(({ event_id }) => refused.has(`settle ${event_id}`))) throw new Error('throttled');
        for (const { event_id } of events) {
          settled.push(event_id);
          places.set(event_id, 'announced');
        }
      },
    },
    async announce(events) {
      calls++;
      if (refused.has('bus')) throw new Error('no bus');
      onBus.push(...events.filter(({ event_id }) => !refused.has(event_id)));
      return events.map(({ event_id }) => (refused.has(event_id) ? new Error(event_id) : undefined));
    },
    async send(nudges) {
      if (refused.has('queue')) throw new Error('no queue');
      sent.push(...nudges.filter(({ group }) => !refused.has(group)));
      return nudges.map(({ group }) => (refused.has(group) ? new Error(group) : undefined));
    },
    report: (_error, about) => reported.push(about),
  })(given.map((one): Change => ('event_id' in one ? { event: one } : { nudge: one })));
const failedAt = async (...given: (LoggedEvent | Nudge)[]) =>
  (await publish(...given)).map(({ at }) => at).toSorted((a, b) => a - b);
const ids = () => onBus.map(({ event_id }) => event_id);

describe('events', () => {
  it('go on the bus with their place and the inbox behind the address, and leave the outbox', async () => {
    const one = event();
    expect(await failedAt(one)).toEqual([]);
    const { uid, ...rest } = one;
    expect(onBus).toEqual([{ version: '1', ...rest, inbox_uid: uid, position: 1 }]);
    expect(settled).toEqual([one.event_id]);
  });

  it('say what their type says and nothing else', async () => {
    await publish(event(undefined, { subject: 'a secret', stored_bytes: 7 }));
    expect(onBus[0]).not.toHaveProperty('subject');
    expect(onBus[0]).not.toHaveProperty('stored_bytes');
  });

  it('of no inbox stand in the log of their organization', async () => {
    const one = event('', { event_type: 'webhook.disabled', webhook_id: 'wh_1', reason: 'gone' });
    await publish(one, event('inb_a'));
    expect(asked).toEqual([['evt_1'], ['evt_2']]);
    expect(onBus[0]).toMatchObject({ event_type: 'webhook.disabled', webhook_id: 'wh_1', reason: 'gone' });
    expect(onBus[0]).not.toHaveProperty('inbox_uid');
  });

  it('are numbered by log at once and announced ten at a time in the order of the stream', async () => {
    const events = Array.from({ length: 25 }, (_, n) => event(n % 3 === 0 ? 'inb_a' : 'inb_b'));
    expect(await failedAt(...events)).toEqual([]);
    expect(asked.map(({ length }) => length)).toEqual([9, 16]);
    expect(calls).toBe(3);
    expect(ids()).toEqual(events.map(({ event_id }) => event_id));
  });

  it('told of twice are announced once, in one batch and in the next', async () => {
    const one = event();
    await publish(one, one);
    await publish(one);
    expect(ids()).toEqual([one.event_id]);
  });

  it('that are not of the form of their type are reported, and hold up nothing', async () => {
    const bad = event(undefined, { event_type: 'inbox.expiring' });
    const unheard = event(undefined, { event_type: 'domain.verified' });
    expect(await failedAt(bad, unheard, event())).toEqual([]);
    expect(ids()).toEqual(['evt_3']);
    expect(settled).toEqual(['evt_3']);
    expect(reported).toEqual([
      { event_id: 'evt_1', event_type: 'inbox.expiring' },
      { event_id: 'evt_2', event_type: 'domain.verified' },
    ]);
  });

  it('whose row is gone are nobody’s any more', async () => {
    places.set('evt_1', 'gone');
    expect(await failedAt(event())).toEqual([]);
    expect(calls).toBe(0);
  });
});

describe('what fails', () => {
  it('on the bus comes again from there, with its place; what went out does not go out twice', async () => {
    const events = [event(), event('inb_b'), event()];
    refused.add('evt_2');
    expect(await failedAt(...events)).toEqual([1]);
    expect(ids()).toEqual(['evt_1', 'evt_3']);
    const place = places.get('evt_2');
    refused.clear();
    expect(await failedAt(...events.slice(1))).toEqual([]);
    expect(ids()).toEqual(['evt_1', 'evt_3', 'evt_2']);
    expect(onBus[2]!.position).toBe(place);
  });

  it('holds back what comes later in its log, and only there', async () => {
    const events = Array.from({ length: 24 }, (_, n) => event(n % 2 === 0 ? 'inb_a' : 'inb_b'));
    refused.add(events[0]!.event_id);
    expect(await failedAt(...events)).toEqual([0]);
    const of = (uid: string) =>
      events.filter((one) => one.uid === uid && ids().includes(one.event_id)).length;
    // The four that stood in the same call of the bus are out; the later ones wait.
    expect([of('inb_a'), of('inb_b')]).toEqual([4, 12]);
    refused.clear();
    expect(await failedAt(...events)).toEqual([]);
    expect(ids().toSorted()).toEqual(events.map(({ event_id }) => event_id).toSorted());
  });

  it('in one log’s numbering leaves the others alone', async () => {
    refused.add('inb_a');
    expect(await failedAt(event('inb_b'), event('inb_a'), event('inb_b'), event('inb_a'))).toEqual([1]);
    expect(ids()).toEqual(['evt_1', 'evt_3']);
  });

  it('with all of the bus fails the first of each log', async () => {
    refused.add('bus');
    expect(await failedAt(event('inb_a'), event('inb_b'))).toEqual([0, 1]);
    expect(settled).toEqual([]);
  });

  it('when it leaves the outbox comes again', async () => {
    refused.add('settle evt_1');
    expect(await failedAt(event(), event())).toEqual([0, 1]);
  });
});

describe('nudges', () => {
  it('are sent, and only those the queue refused come again', async () => {
    refused.add('b');
    expect(await failedAt(nudge('a'), event(), nudge('b'), nudge('c'))).toEqual([2]);
    expect(sent.map(({ group }) => group)).toEqual(['a', 'c']);
    expect(ids()).toEqual(['evt_1']);
    refused.add('queue');
    expect(await failedAt(event(), nudge('a'), nudge('c'))).toEqual([1, 2]);
    expect(ids()).toEqual(['evt_1', 'evt_2']);
  });
});

it('every type that is announced has a form, which demands its version and its place', () => {
  for (const type of types) {
    const { required } = published[type].toJSONSchema() as { required: string[] };
    expect(required).toEqual(expect.arrayContaining(['version', 'event_type', 'event_id', 'position']));
  }
});
