import { beforeEach, describe, expect, it } from 'vitest';
import { eventList, eventsQuery } from '../../lib/contract/event-list.ts';
import { listEvents, type EventStore, type StoredEvent } from '../../lib/core/list-events.ts';
import { callIn, inboxRef, keyPrincipal, ulidAt } from '../support/mail-samples.ts';
import { plainTokens } from '../support/memory-ports.ts';

const inbox = inboxRef();
let log: StoredEvent[];
beforeEach(() => {
  log = [];
});
const happen = (more: Partial<StoredEvent> = {}) => {
  const position = log.length + 1;
  const event: StoredEvent = {
    uid: inbox.uid,
    event_id: `evt_${ulidAt(1_000_000 + position)}`,
    event_type: 'inbox.updated',
    organization_id: inbox.organization_id,
    pod_id: inbox.pod_id,
    inbox_id: inbox.inbox_id,
    timestamp: '2026-01-01T00:00:00.000Z',
    position,
    ...more,
  };
  log.push(event);
  return event;
};
const labeled = (added: string[], removed: string[] = []) =>
  happen({
    event_type: 'message.labeled',
    thread_id: 'thr_1',
    message_id: 'msg_1',
    labels: added,
    added,
    removed,
  });

const events: EventStore = {
  async list(_, { start, ascending, limit }) {
    const sorted = ascending ? log : log.toReversed();
    const from = start === undefined ? 0 : sorted.findIndex(({ event_id }) => event_id.endsWith(start));
    return { events: sorted.slice(from, from + limit), more: sorted.length > from + limit };
  },
  async after(_, position, limit) {
    const behind = log.filter((one) => one.position! > position);
    return { events: behind.slice(0, limit), more: behind.length > limit };
  },
};
const list = async (query: Record<string, string> = {}, permissions?: object) =>
  eventList.parse(
    await listEvents({ events, tokens: plainTokens })({
      ...callIn(inbox, keyPrincipal(permissions && { permissions })),
      path: { inbox_id: inbox.inbox_id },
      query: eventsQuery.parse(Object.fromEntries(Object.entries(query).map(([name, one]) => [name, [one]]))),
      body: undefined,
    }),
  );
/** Every page of a list, as the ids in it. */
async function pages(query: Record<string, string>): Promise<string[][]> {
  const all: string[][] = [];
  let page_token: string | undefined;
  do {
    const page = await list({ ...query, ...(page_token && { page_token }) });
    all.push(page.events.map(({ event_id, label }) => label ?? event_id));
    page_token = page.next_page_token;
  } while (page_token !== undefined && all.length < 50);
  return all;
}

describe('the log of an inbox', () => {
  it('is listed newest first, and oldest first when asked', async () => {
    const ids = [happen(), happen(), happen()].map(({ event_id }) => event_id);
    expect((await pages({ limit: '2' })).flat()).toEqual(ids.toReversed());
    expect((await pages({ limit: '2', ascending: 'true' })).flat()).toEqual(ids);
    expect(await list()).toMatchObject({ count: 3, limit: 50 });
    expect(await list()).not.toHaveProperty('next_page_token');
  });

  it('shows an event with everything its type says, when it happened and when it was written', async () => {
    const event = happen({
      event_type: 'message.refused',
      size: 7,
      reason: 'storage_limit',
      from: 'bob@sender.test',
    });
    const { uid, ...shown } = event;
    expect((await list()).events).toEqual([
      {
        ...shown,
        inbox_uid: uid,
        event_at: event.timestamp,
        created_at: '2025-07-12T18:57:36.768Z',
      },
    ]);
  });

  it('shows a change of labels as a change for each', async () => {
    const { event_id } = labeled(['a', 'b'], ['c']);
    const { events: items } = await list();
    expect(items.map((item) => [item.event_id, item.event_type, item.label])).toEqual([
      [`${event_id}_2`, 'label.removed', 'c'],
      [`${event_id}_1`, 'label.added', 'b'],
      [event_id, 'label.added', 'a'],
    ]);
    expect(items[0]).not.toHaveProperty('added');
    expect(items[0]).toMatchObject({ message_id: 'msg_1', position: 1 });
  });

  it.each([['false'], ['true']])(
    'never fills a page with more than its limit, ascending %s',
    async (ascending) => {
      labeled(['a', 'b', 'c']);
      happen();
      labeled(['d', 'e']);
      for (const limit of [1, 2, 3, 4, 5, 6]) {
        const found = await pages({ limit: String(limit), ascending });
        const order = ['a', 'b', 'c', log[1]!.event_id, 'd', 'e'];
        expect(found.flat()).toEqual(ascending === 'true' ? order : order.toReversed());
        expect(Math.max(...found.map((page) => page.length))).toBeLessThanOrEqual(limit);
      }
    },
  );

  it('is replayed from a position, oldest first, in pages', async () => {
    const ids = Array.from({ length: 5 }, () => happen().event_id);
    labeled(['a', 'b']);
    expect(await pages({ after_position: '2', limit: '2' })).toEqual([
      [ids[2], ids[3]],
      [ids[4], 'a'],
      ['b'],
    ]);
    expect(await pages({ after_position: '6' })).toEqual([[]]);
  });

  it('hides what hides from the caller', async () => {
    happen({ event_type: 'message.received.spam', labels: ['received', 'spam'], subject: 'Buy' });
    labeled(['trash']);
    happen();
    const may = { message_read: true, label_spam_read: true };
    expect((await list({}, { message_read: true })).events.map(({ position }) => position)).toEqual([3]);
    expect((await list({}, may)).events.map(({ position }) => position)).toEqual([3, 1]);
    expect((await list()).events).toHaveLength(3);
  });

  it('takes no token of another list', async () => {
    for (let n = 0; n < 3; n++) happen();
    const { next_page_token } = await list({ limit: '1' });
    await expect(list({ limit: '1', after_position: '0', page_token: next_page_token! })).rejects.toThrow(
      'page_token',
    );
    await expect(list({ after_position: 'x' })).rejects.toThrow('whole number');
  });
});
