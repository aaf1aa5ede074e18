import { beforeEach, describe, expect, it } from 'vitest';
import type { Organization } from '../../lib/contract/organization.ts';
import type { DueWork } from '../../lib/core/due-ports.ts';
import type { StoredMessage } from '../../lib/core/mail-ports.ts';
import type { Position, StoredInbox } from '../../lib/core/ports.ts';
import { receivedUlid } from '../../lib/core/message-id.ts';
import { retainMail } from '../../lib/core/retain-mail.ts';
import { nextRetention } from '../../lib/core/standing-work.ts';
import { newThread, withMessage } from '../../lib/core/thread-state.ts';
import { organizationId, sampleMessage } from '../support/mail-samples.ts';
import { MemoryMailbox } from '../support/memory-mailbox.ts';
import { counting, MemoryDue, sha256 } from '../support/memory-ports.ts';
import { storedInbox } from '../support/table-house.ts';

const start = Date.parse('2026-02-01T12:00:00.000Z');
const day = 24 * 3600_000;
let mailbox: MemoryMailbox;
let due: MemoryDue;
let organization: Organization | undefined;
let inboxes: StoredInbox[];
let work: ReturnType<typeof retainMail>['retain-mail'];
beforeEach(() => {
  [mailbox, due, organization, inboxes] = [new MemoryMailbox(), new MemoryDue(), undefined, []];
  const pageOf = (limit: number, after?: Position) => {
    const from = after === undefined ? 0 : Number(after['at']);
    const next = from + limit;
    return { items: inboxes.slice(from, next), ...(next < inboxes.length && { next: { at: next } }) };
  };
  const deps = {
    ...{ mailbox, due, ulid: counting(), now: () => start },
    inboxes: {
      get: async ({ uid }: { uid: string }) => inboxes.find((one) => one.uid === uid),
      list: async (_: object, { limit, after }: { limit: number; after?: Position }) => pageOf(limit, after),
    },
    organizations: { get: async () => organization },
  };
  work = retainMail(deps)['retain-mail'];
});

let serial = 0;
/** A mail that came so many days ago. */
async function keep(inbox: StoredInbox, days: number, more: Partial<StoredMessage> = {}): Promise<string> {
  const timestamp = new Date(start - days * day).toISOString();
  const ulid = receivedUlid(timestamp, sha256(`${++serial}`));
  const { uid, inbox_id, organization_id, pod_id } = inbox;
  const message = sampleMessage(serial, {
    ...{ uid, inbox_id, organization_id, pod_id, timestamp },
    ...{ message_id: `msg_${ulid}`, thread_id: `thr_${ulid}`, ...more },
  });
  const after = withMessage(newThread(message), message, message.created_at);
  const outcome = await mailbox.append({
    ...{ inbox, message, after, ses_id: `ses${serial}`, digest: `${serial}`, leads: [] },
    event: { event_id: 'evt_1', event_type: 'message.received', organization_id, timestamp },
    line: {} as never,
  });
  expect(outcome).toBe('added');
  return message.message_id;
}
const add = (name: string, retention_days?: number): StoredInbox => {
  const inbox = storedInbox(name, { ...(retention_days !== undefined && { retention_days }) });
  inboxes.push(inbox);
  return inbox;
};
const left = (inbox: StoredInbox) => [...mailbox.of(inbox).messages.keys()];
const filed = (): [string, DueWork][] =>
  [...due.filed].map(([id, one]): [string, DueWork] => [id.slice(0, 16), one]);
const ofInbox = (inbox: StoredInbox) =>
  work({ kind: 'retain-mail', organization_id: organizationId, uid: inbox.uid });
const ofAll = (after?: Position) =>
  work({ kind: 'retain-mail', organization_id: organizationId, ...(after && { after }) });
const turn = (uid?: string): [string, DueWork] => {
  const { at, work: next } = nextRetention(organizationId, uid, start);
  return [new Date(at).toISOString().slice(0, 16), next];
};

describe('mail of an inbox with a retention', () => {
  it('goes when it is older, hidden or not, with event, objects and a line; the rest stays', async () => {
    const inbox = add('ada', 7);
    const old = [await keep(inbox, 8), await keep(inbox, 7.001, { labels: ['received', 'spam'] })];
    const kept = [await keep(inbox, 6.999), await keep(inbox, 0, { labels: ['received', 'blocked'] })];
    await ofInbox(inbox);
    expect(left(inbox).sort()).toEqual(kept.sort());
    expect(mailbox.changes.map(({ event }) => event)).toMatchObject(
      old.map((message_id) => ({ event_type: 'message.deleted', message_id, inbox_id: inbox.inbox_id })),
    );
    expect(mailbox.changes.map((change) => change.due)).toMatchObject(
      old.map((message_id) => ({ kind: 'erase-objects', folders: [{ uid: inbox.uid, message_id }] })),
    );
    expect(filed()).toEqual([turn(inbox.uid)]);
    await ofInbox(inbox);
    expect(mailbox.changes).toHaveLength(2);
    expect(filed()).toEqual([turn(inbox.uid)]);
  });

  it('goes in steps of a minute where there is much of it', async () => {
    const inbox = add('ada', 1);
    for (let n = 0; n < 260; n++) await keep(inbox, 2 + n / 1000);
    await ofInbox(inbox);
    expect(left(inbox)).toHaveLength(10);
    expect(filed()).toEqual([
      ['2026-02-01T12:01', { kind: 'retain-mail', organization_id: organizationId, uid: inbox.uid }],
    ]);
    due.filed.clear();
    await ofInbox(inbox);
    expect([left(inbox), filed()]).toEqual([[], [turn(inbox.uid)]]);
  });

  it('is looked at no more when the retention or the inbox is gone', async () => {
    const inbox = add('ada');
    await keep(inbox, 100);
    await ofInbox(inbox);
    inboxes.length = 0;
    await ofInbox(inbox);
    expect([left(inbox).length, filed()]).toEqual([1, []]);
  });

  it('holds nothing up where one message cannot be deleted, and that is told', async () => {
    const inbox = add('ada', 1);
    const [bad] = [await keep(inbox, 5), await keep(inbox, 4)];
    const message = mailbox.message.bind(mailbox);
    mailbox.message = async (of, id) => {
      if (id === bad) throw new Error('no');
      return message(of, id);
    };
    await expect(ofInbox(inbox)).rejects.toThrow('1 messages');
    expect(left(inbox)).toEqual([bad]);
    expect(filed()).toEqual([turn(inbox.uid)]);
  });
});

describe('mail of an organization with a retention', () => {
  beforeEach(() => {
    organization = { organization_id: organizationId, state: 'active', retention_days: 3 } as Organization;
  });
  it('goes in every inbox that says nothing itself', async () => {
    const [ada, bob, eve] = [add('ada'), add('bob', 30), add('eve')];
    for (const inbox of inboxes) await keep(inbox, 10);
    await ofAll();
    expect([ada, bob, eve].map((inbox) => left(inbox).length)).toEqual([0, 1, 0]);
    expect(filed()).toEqual([turn()]);
  });

  it('goes on where it stopped, in the next minute', async () => {
    for (let n = 0; n < 130; n++) add(`a${n}`);
    for (let n = 0; n < 300; n++) await keep(inboxes[120]!, 10);
    await ofAll();
    expect(left(inboxes[120]!)).toHaveLength(50);
    const again = { kind: 'retain-mail', organization_id: organizationId, after: { at: 100 } };
    expect(filed()).toEqual([['2026-02-01T12:01', again]]);
    due.filed.clear();
    await ofAll({ at: 100 });
    expect(left(inboxes[120]!)).toEqual([]);
    expect(filed()).toEqual([turn()]);
  });

  it('is looked at no more when it says nothing, is being deleted, or gone', async () => {
    await keep(add('ada'), 10);
    const { retention_days: _, ...silent } = organization!;
    for (const one of [silent as Organization, { ...organization!, state: 'deleting' as const }, undefined]) {
      organization = one;
      await ofAll();
    }
    expect([left(inboxes[0]!).length, filed()]).toEqual([1, []]);
  });
});
