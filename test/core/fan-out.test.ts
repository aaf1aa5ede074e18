import { serialization } from 'agentmail';
import { describe, expect, it } from 'vitest';
import { announced, published, type Announced } from '../../lib/contract/event.ts';
import { webhookPayloads } from '../../lib/contract/webhook-payload.ts';
import type { HeardEvent } from '../../lib/core/event-body.ts';
import { fanOut } from '../../lib/core/fan-out.ts';
import type { Bodies, StoredMessage } from '../../lib/core/mail-ports.ts';
import { newThread, withMessage } from '../../lib/core/thread-state.ts';
import type { StoredWebhook, WebhookDelivery } from '../../lib/core/webhook-ports.ts';
import { inboxRef, organizationId, sampleMessage, ulidAt } from '../support/mail-samples.ts';
import { MemoryMailbox } from '../support/memory-mailbox.ts';
import { MemoryInboxes, MemoryObjects } from '../support/memory-ports.ts';
import { MemoryWebhooks, sampleWebhook } from '../support/memory-webhooks.ts';

const ada = inboxRef();
const now = Date.parse('2026-01-31T12:00:00.000Z');

function house(...webhooks: Partial<StoredWebhook>[]) {
  const [mailbox, objects, inboxes, hooks] = [
    new MemoryMailbox(),
    new MemoryObjects(),
    new MemoryInboxes(),
    new MemoryWebhooks(),
  ];
  webhooks.forEach((more, n) => hooks.rows.set(String(n), sampleWebhook(n, more)));
  const added: { deliveries: WebhookDelivery[]; payload: string | undefined }[] = [];
  const deliveries = {
    add: async (_: unknown, rows: WebhookDelivery[], payload?: string) =>
      void added.push({ deliveries: rows, payload }),
  };
  const run = fanOut({ webhooks: hooks, deliveries, mailbox, objects, inboxes, now: () => now });
  const put = (message: StoredMessage, bodies?: Bodies) => {
    const kept = mailbox.of(ada);
    kept.messages.set(message.message_id, message);
    if (bodies !== undefined) kept.bodies.set(message.message_id, bodies);
    kept.threads.set(message.thread_id, withMessage(newThread(message), message, message.created_at));
  };
  return {
    run,
    put,
    added,
    objects,
    inboxes,
    told: () => JSON.parse(added[0]!.payload ?? added[0]!.deliveries[0]!.body!),
  };
}

const event = (more: Partial<HeardEvent> = {}): HeardEvent => ({
  version: '1',
  event_id: `evt_${ulidAt(5)}`,
  event_type: 'message.received',
  organization_id: organizationId,
  pod_id: ada.pod_id,
  inbox_id: ada.inbox_id,
  inbox_uid: ada.uid,
  thread_id: `thr_${ulidAt(0)}`,
  message_id: `msg_${ulidAt(1)}`,
  timestamp: '2026-01-31T11:59:59.000Z',
  labels: ['received', 'unread'],
  from: 'bob@sender.test',
  to: [ada.inbox_id],
  subject: 'Subject',
  position: 7,
  ...more,
});

const whole: Bodies = {
  text: 'Hello ✉',
  html: '<p>Hello</p>',
  extracted_text: 'Hello',
  headers: { Subject: 'Subject' },
};

describe('a mail that came', () => {
  it('is told whole, once for all who hear it', async () => {
    const { run, put, added, told } = house({}, { inbox: { uid: ada.uid, inbox_id: ada.inbox_id } });
    put(sampleMessage(1, { body: 'row', reply_to: ['desk@sender.test'] }), whole);
    await run(event());
    expect(added).toHaveLength(1);
    expect(added[0]!.deliveries).toEqual([
      {
        organization_id: organizationId,
        webhook_id: sampleWebhook(0).webhook_id,
        event_id: `evt_${ulidAt(5)}`,
        event_type: 'message.received',
        uid: ada.uid,
        inbox_id: ada.inbox_id,
        state: 'pending',
        attempt_count: 0,
        attempts: [],
        next_attempt_at: '2026-01-31T12:00:00.000Z',
        created_at: '2026-01-31T12:00:00.000Z',
      },
      expect.objectContaining({ webhook_id: sampleWebhook(1).webhook_id, webhook_uid: ada.uid }),
    ]);
    const payload = told();
    expect(payload).toMatchObject({
      type: 'event',
      event_type: 'message.received',
      event_id: `evt_${ulidAt(5)}`,
      position: 7,
      inbox_uid: ada.uid,
      message: {
        ...whole,
        from: 'sender1@sender.test',
        from_: 'sender1@sender.test',
        reply_to: ['desk@sender.test'],
      },
      thread: { message_count: 1, last_message_id: `msg_${ulidAt(1)}` },
    });
    expect(payload.message).not.toHaveProperty('uid');
    expect(payload).not.toHaveProperty('labels');
  });

  it('is read by the published client', async () => {
    const { run, put, told } = house({});
    put(sampleMessage(1, { body: 'row' }), whole);
    await run(event());
    const read = serialization.MessageReceivedEvent.parse(told(), { unrecognizedObjectKeys: 'passthrough' });
    expect(read).toMatchObject({
      ok: true,
      value: { eventType: 'message.received', message: { text: 'Hello ✉', threadId: `thr_${ulidAt(0)}` } },
    });
  });

  it('is told without what is over 64 KB, and what is left out is said', async () => {
    const { run, put, told } = house({});
    const long = 'é'.repeat(33_000);
    put(sampleMessage(1, { body: 'row' }), { text: long, html: '<p>short</p>', headers: { 'X-Long': long } });
    await run(event());
    const { message } = told();
    expect(message).toMatchObject({ html: '<p>short</p>', text_truncated: true });
    expect(message).not.toHaveProperty('text');
    expect(message).not.toHaveProperty('headers');
  });

  it('stays below 256 KB, whatever its parts are', async () => {
    const { run, put, added, told } = house({});
    const part = 'x'.repeat(65_000);
    const bodies = { text: part, html: part, extracted_text: part, extracted_html: part };
    put(sampleMessage(1, { body: 'row', preview: 'y'.repeat(10_000) }), bodies);
    await run(event());
    expect(added[0]!.payload!.length).toBeLessThan(256 * 1024);
    expect(told().message).toMatchObject({ text: part, text_truncated: true });
  });

  it('is read from the bucket where its bodies lie there, and names none of its URLs', async () => {
    const { run, put, told, objects } = house({});
    const message = sampleMessage(1, { body: 'object', large: ['html'] });
    put(message);
    await objects.putBodies(message, { text: 'small' }, []);
    await run(event());
    expect(told().message).toMatchObject({ text: 'small', text_truncated: true });
    expect(told().message).not.toHaveProperty('html_url');
  });

  it('is not told when it has been deleted', async () => {
    const { run, added } = house({});
    await run(event());
    expect(added).toEqual([]);
  });
});

describe('who hears', () => {
  const hears = async (webhook: Partial<StoredWebhook>, more: Partial<HeardEvent> = {}) => {
    const { run, put, added } = house(webhook);
    put(sampleMessage(1));
    await run(event(more));
    return added.length === 1;
  };
  const spam = { event_type: 'message.received.spam', labels: ['received', 'spam'] } as const;

  it('is who asked for the type, and is enabled', async () => {
    expect(await hears({})).toBe(true);
    expect(await hears({ enabled: false })).toBe(false);
    expect(await hears({ event_types: ['inbox.created'] })).toBe(false);
  });

  it('is never told of hidden mail for having asked for mail', async () => {
    for (const label of ['spam', 'blocked', 'unauthenticated'] as const) {
      const hidden = { event_type: `message.received.${label}` as const, labels: ['received', label] };
      expect(await hears({}, hidden)).toBe(false);
      expect(await hears({ event_types: [`message.received.${label}`] }, hidden)).toBe(true);
    }
  });

  it('has asked for each of the labels that hide a mail', async () => {
    const both = { ...spam, labels: ['received', 'spam', 'unauthenticated'] };
    expect(await hears({ event_types: ['message.received.spam'] }, both)).toBe(false);
    expect(
      await hears({ event_types: ['message.received.spam', 'message.received.unauthenticated'] }, both),
    ).toBe(true);
  });
});

describe('a mail that was refused', () => {
  it('and would have been hidden is told only to who hears such mail too', async () => {
    const told = async (...event_types: StoredWebhook['event_types']) => {
      const { run, added } = house({ event_types });
      await run(
        event({
          ...{ event_type: 'message.refused', size: 500, reason: 'storage_limit' },
          labels: ['received', 'unread', 'spam'],
        }),
      );
      return added.length === 1;
    };
    expect(await told('message.refused')).toBe(false);
    expect(await told('message.received.spam')).toBe(false);
    expect(await told('message.refused', 'message.received.spam')).toBe(true);
  });

  it('is told from its inbox too: sender and subject go when that goes', async () => {
    const { run, added, told } = house({ event_types: ['message.refused'] });
    await run(event({ event_type: 'message.refused', size: 500, reason: 'storage_limit' }));
    expect(added[0]!.deliveries).toMatchObject([{ uid: ada.uid }]);
    expect(added[0]!.deliveries[0]).not.toHaveProperty('body');
    expect(told()).toEqual({
      ...{ type: 'event', event_type: 'message.refused', event_id: `evt_${ulidAt(5)}`, position: 7 },
      ...{ organization_id: organizationId, pod_id: ada.pod_id, inbox_id: ada.inbox_id, inbox_uid: ada.uid },
      ...{ timestamp: '2026-01-31T11:59:59.000Z', from: 'bob@sender.test', subject: 'Subject' },
      ...{ size: 500, reason: 'storage_limit', labels: ['received', 'unread'] },
    });
  });
});

describe('every other event', () => {
  it('is told as it is on the bus, in the delivery itself', async () => {
    const { run, added, told } = house({ event_types: ['inbox.deleted'] });
    await run(event({ event_type: 'inbox.deleted', reason: 'expired' }));
    expect(added[0]).toMatchObject({ payload: undefined, deliveries: [{ body: expect.any(String) }] });
    expect(added[0]!.deliveries[0]).not.toHaveProperty('uid');
    expect(told()).toEqual({
      ...{ type: 'event', event_type: 'inbox.deleted', event_id: `evt_${ulidAt(5)}`, position: 7 },
      ...{ organization_id: organizationId, pod_id: ada.pod_id, inbox_id: ada.inbox_id, inbox_uid: ada.uid },
      ...{ timestamp: '2026-01-31T11:59:59.000Z', reason: 'expired' },
    });
  });

  it('brings the inbox along where it is about its settings, and is not told when that is gone', async () => {
    const { run, added, inboxes, told } = house({ event_types: ['inbox.updated'] });
    const updated = event({ event_type: 'inbox.updated' });
    await run(updated);
    expect(added).toEqual([]);
    const times = { created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' };
    inboxes.rows.set(ada.uid, {
      ...ada,
      email: ada.inbox_id,
      display_name: 'Ada',
      metadata: { plan: 'a' },
      ...times,
    });
    await run(updated);
    expect(told().inbox).toEqual({
      ...{ organization_id: organizationId, pod_id: ada.pod_id, inbox_id: ada.inbox_id, email: ada.inbox_id },
      ...{ display_name: 'Ada', metadata: { plan: 'a' }, ...times },
    });
  });

  it.each(announced)('has a form that says no less than the bus does: %s', (type: Announced) => {
    const told = Object.keys(webhookPayloads[type].shape);
    const mail = type.startsWith('message.received');
    const inMail = ['thread_id', 'message_id', 'labels', 'from', 'to', 'subject'];
    const wanted = Object.keys(published[type].shape).filter(
      (name) => name !== 'version' && !(mail && inMail.includes(name)),
    );
    expect(told).toEqual(expect.arrayContaining([...wanted, 'type']));
  });
});
