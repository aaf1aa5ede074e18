import { beforeEach, describe, expect, it } from 'vitest';
import { updateInbox as schema } from '../../lib/contract/inbox.ts';
import type { KeyPrincipal } from '../../lib/contract/principal.ts';
import { operatorInboxUid } from '../../lib/core/operator-mailroom.ts';
import { nextRetention } from '../../lib/core/standing-work.ts';
import { updateInbox } from '../../lib/core/update-inbox.ts';
import type { Waiting } from '../../lib/core/due-ports.ts';
import type { InboxStore, StoredInbox } from '../../lib/core/ports.ts';
import { callIn, keyPrincipal, newDeed } from '../support/mail-samples.ts';
import { counting, MemoryInboxes } from '../support/memory-ports.ts';
import { storedInbox } from '../support/table-house.ts';

const start = Date.parse('2026-02-01T12:00:00.000Z');
const hour = 3600_000;
const iso = (time: number) => new Date(time).toISOString();
let inboxes: MemoryInboxes;
let time: number;
let due: Waiting[];
const inbox = storedInbox();
beforeEach(() => {
  [inboxes, time, due] = [new MemoryInboxes(), start, []];
  inboxes.rows.set(inbox.uid, inbox);
});
const update = (body: object, principal: KeyPrincipal = keyPrincipal(), of: StoredInbox = inbox) => {
  const noting: InboxStore['update'] = (changed, expected, deed, _event, filed = []) => {
    due.push(...filed);
    return inboxes.update(changed, expected, deed);
  };
  return updateInbox({
    ...{ now: () => time, ulid: counting(), expiryNoticeMinutes: 60 },
    inboxes: Object.assign(Object.create(inboxes) as InboxStore, { update: noting }),
  })({
    ...callIn(of, principal, newDeed()),
    ...{ path: { inbox_id: of.inbox_id }, query: undefined, body: schema.parse(body) },
  });
};
const kinds = () => due.splice(0).map(({ work: { kind }, at }) => [kind, iso(at)]);

describe('what ends an inbox or its mail', () => {
  it('is set, shown in one spelling, kept by other changes, and taken away by null', async () => {
    const all = {
      ...{ expires_at: '2026-02-02T14:00:00+02:00', retention_days: 7 },
      ...{ archive_retention_days: 90, storage_limit: 1_000_000 },
    };
    const set = { ...all, expires_at: '2026-02-02T12:00:00.000Z' };
    expect(await update(all)).toMatchObject(set);
    const renamed = await update({ display_name: 'Ada' });
    expect(renamed).toMatchObject(set);
    expect(renamed).not.toHaveProperty('waiting');
    const bare = await update({
      ...{ expires_at: null, retention_days: null },
      ...{ archive_retention_days: null, storage_limit: null },
    });
    for (const name of Object.keys(all)) expect(bare).not.toHaveProperty(name);
    expect(bare.display_name).toBe('Ada');
  });

  it('files what waits for it, and takes back what it filed before', async () => {
    await update({ expires_at: iso(start + 24 * hour) });
    expect(kinds()).toEqual([
      ['announce-expiry', iso(start + 23 * hour)],
      ['expire-inbox', iso(start + 24 * hour)],
    ]);
    time += hour;
    const first = inboxes.rows.get(inbox.uid)!.waiting!;
    await update({ expires_at: iso(start + 2 * hour), retention_days: 3 });
    const withdrawn = due.at(-1)!.work;
    expect(kinds()).toEqual([
      ['announce-expiry', iso(time)],
      ['expire-inbox', iso(start + 2 * hour)],
      ['retain-mail', iso(nextRetention(inbox.organization_id, inbox.uid, time).at)],
      ['withdraw', iso(time)],
    ]);
    expect(withdrawn).toEqual({ kind: 'withdraw', waiting: first });
    await update({ expires_at: null });
    expect(kinds().map(([kind]) => kind)).toEqual(['withdraw']);
    expect(inboxes.rows.get(inbox.uid)).not.toHaveProperty('waiting');
    await update({ display_name: 'Ada' });
    expect(kinds()).toEqual([]);
  });

  it('filed again for the same end is other work, so that a withdrawal of the first leaves it alone', async () => {
    const end = { expires_at: iso(start + 24 * hour) };
    await update(end);
    const [first] = due.splice(0);
    await update(end);
    expect(due[0]!.work).not.toEqual(first!.work);
    expect(due[0]!.work).toMatchObject({ kind: 'announce-expiry', ...end });
  });

  it.each([
    ['2026-02-01T12:00:00.000Z', 'over'],
    ['2036-03-01T12:00:00.000Z', 'ten years'],
  ])('does not lie at %s: %s', async (expires_at, words) => {
    await expect(update({ expires_at })).rejects.toMatchObject({
      code: 'validation_error',
      message: expect.stringContaining(words),
      detail: { errors: [{ path: ['expires_at'] }] },
    });
  });

  it.each([
    { expires_at: 'soon' },
    { retention_days: 0 },
    { retention_days: 3651 },
    { archive_retention_days: 0 },
    { archive_retention_days: 3651 },
    { storage_limit: 0 },
    {},
  ])('is not %j', (body) => expect(schema.safeParse(body).success).toBe(false));

  it('is out of reach for the inbox’s own key, and for one that may not delete', async () => {
    const own = keyPrincipal({
      scope: { organization_id: inbox.organization_id, pod_id: inbox.pod_id, inbox },
    });
    const later = { expires_at: iso(start + hour) };
    for (const body of [later, { retention_days: 1 }, { storage_limit: 10 }, { storage_limit: null }])
      await expect(update(body, own)).rejects.toMatchObject({ code: 'missing_permission' });
    expect(await update({ display_name: 'Ada' }, own)).toMatchObject({ display_name: 'Ada' });
    const modest = keyPrincipal({ permissions: { inbox_update: true } });
    for (const body of [later, { retention_days: 1 }, { archive_retention_days: null }])
      await expect(update(body, modest)).rejects.toMatchObject({ code: 'missing_permission' });
    expect(await update({ storage_limit: 10 }, modest)).toMatchObject({ storage_limit: 10 });
    const cleaner = keyPrincipal({
      permissions: { inbox_update: true, inbox_delete: true, message_delete: true },
    });
    expect(await update({ ...later, retention_days: 1 }, cleaner)).toMatchObject(later);
  });

  it('is no end for the postmaster', async () => {
    const postmaster = storedInbox('postmaster', { uid: operatorInboxUid });
    inboxes.rows.set(postmaster.uid, postmaster);
    await expect(update({ expires_at: iso(start + hour) }, keyPrincipal(), postmaster)).rejects.toMatchObject(
      {
        code: 'cannot_delete',
      },
    );
  });
});
