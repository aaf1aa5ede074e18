import { beforeEach, describe, expect, it } from 'vitest';
import { updateInbox as schema, type Metadata } from '../../lib/contract/inbox.ts';
import { updateInbox } from '../../lib/core/update-inbox.ts';
import { callIn, inboxRef, keyPrincipal, newDeed } from '../support/mail-samples.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { counting, MemoryInboxes } from '../support/memory-ports.ts';

const inbox = inboxRef();
const created = '2026-01-01T00:00:00.000Z';
let inboxes: MemoryInboxes;
let time: number;
const start = (metadata?: Metadata) =>
  inboxes.rows.set(inbox.uid, {
    ...inbox,
    email: inbox.inbox_id,
    display_name: 'Ada',
    ...(metadata && { metadata }),
    created_at: created,
    updated_at: created,
  });
beforeEach(() => {
  inboxes = new MemoryInboxes();
  time = Date.parse('2026-01-02T00:00:00.000Z');
  start({ a: 1, b: 'two' });
});
const update = (body: object, deed = newDeed(), principal = keyPrincipal()) =>
  updateInbox({ inboxes, now: () => time, ulid: counting(), expiryNoticeMinutes: 60 })({
    ...callIn(inbox, principal, deed),
    path: { inbox_id: inbox.inbox_id },
    query: undefined,
    body: schema.parse(body),
  });

describe('the metadata of an inbox', () => {
  it.each([
    [{ c: true }, { a: 1, b: 'two', c: true }],
    [{ a: 2 }, { a: 2, b: 'two' }],
    [{ a: null }, { b: 'two' }],
    [{ a: null, b: null }, undefined],
    [{ zzz: null }, { a: 1, b: 'two' }],
    [null, undefined],
    [undefined, { a: 1, b: 'two' }],
  ])('%j makes it %j', async (metadata, expected) => {
    const { metadata: made } = await update({ display_name: 'Ada', metadata });
    expect(made).toEqual(expected);
  });

  it('has at most 256 keys when all is said', async () => {
    start(Object.fromEntries(Array.from({ length: 256 }, (_, n) => [`k${n}`, n])));
    await expect(update({ metadata: { one: 'more' } })).rejects.toMatchObject({ code: 'validation_error' });
    await expect(update({ metadata: { k0: null, one: 'more' } })).resolves.toBeDefined();
  });
});

it('a display name goes with null and stays when unsaid', async () => {
  expect((await update({ metadata: { c: 1 } })).display_name).toBe('Ada');
  expect(await update({ display_name: null })).not.toHaveProperty('display_name');
});

it('each change has a later time, even within one millisecond', async () => {
  const times = [created];
  for (let n = 0; n < 3; n++) times.push((await update({ metadata: { n } })).updated_at);
  expect(new Set(times).size).toBe(4);
  expect(times.toSorted()).toEqual(times);
});

it('a neighbour’s change is kept, and too many of them are a conflict', async () => {
  let others = 2;
  inboxes.before = () => {
    const current = inboxes.rows.get(inbox.uid)!;
    if (others-- > 0)
      inboxes.rows.set(inbox.uid, {
        ...current,
        metadata: { ...current.metadata, [`other${others}`]: 1 },
        updated_at: new Date(Date.parse(current.updated_at) + 1).toISOString(),
      });
  };
  expect((await update({ metadata: { mine: 1 } })).metadata).toEqual({
    a: 1,
    b: 'two',
    other1: 1,
    other0: 1,
    mine: 1,
  });
  others = 100;
  await expect(update({ metadata: { mine: 2 } })).rejects.toMatchObject({ code: 'race_condition' });
});

it('carries what the call leaves behind to the write that is made', async () => {
  let others = 1;
  const seen: boolean[] = [];
  const deed = newDeed({ line: sampleLine(1) });
  inboxes.before = () => {
    seen.push(deed.written);
    const current = inboxes.rows.get(inbox.uid)!;
    if (others-- > 0) inboxes.rows.set(inbox.uid, { ...current, updated_at: '2026-01-03T00:00:00.000Z' });
  };
  await update({ display_name: 'x' }, deed);
  expect([seen, deed.written]).toEqual([[false, false], true]);
});

it('of an inbox that is gone is 404', async () => {
  inboxes.before = () => void inboxes.rows.delete(inbox.uid);
  const deed = newDeed({ line: sampleLine(1) });
  await expect(update({ display_name: 'x' }, deed)).rejects.toMatchObject({ code: 'not_found' });
  expect(deed.written).toBe(false);
  await expect(update({ display_name: 'x' })).rejects.toMatchObject({ code: 'not_found' });
});

it('a change is announced as it was made, once', async () => {
  let rivals = 1;
  inboxes.before = () => {
    if (rivals-- > 0)
      inboxes.rows.set(inbox.uid, {
        ...inboxes.rows.get(inbox.uid)!,
        updated_at: '2026-01-01T12:00:00.000Z',
      });
  };
  await update({ display_name: 'New' });
  expect(inboxes.announced).toEqual([
    {
      event_id: expect.stringMatching(/^evt_/),
      event_type: 'inbox.updated',
      organization_id: inbox.organization_id,
      pod_id: inbox.pod_id,
      inbox_id: inbox.inbox_id,
      timestamp: inboxes.rows.get(inbox.uid)!.updated_at,
    },
  ]);
});
