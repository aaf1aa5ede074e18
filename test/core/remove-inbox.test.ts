import { beforeEach, describe, expect, it } from 'vitest';
import { operatorInboxUid } from '../../lib/core/operator-mailroom.ts';
import { operatorOrganizationId, type Organization } from '../../lib/contract/organization.ts';
import { deleteInbox } from '../../lib/core/delete-inbox.ts';
import { deleteOrganization } from '../../lib/core/delete-organization.ts';
import { newRemoval } from '../../lib/core/removal.ts';
import { removeInbox } from '../../lib/core/remove-inbox.ts';
import { watchRemoval } from '../../lib/core/watch-removal.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { callIn, inboxRef, newDeed, organizationId } from '../support/mail-samples.ts';
import { counting, MemoryInboxes } from '../support/memory-ports.ts';
import { MemoryRemains, MemoryRemovals } from '../support/memory-removals.ts';
import { storedInbox } from '../support/table-house.ts';

const start = Date.parse('2026-02-01T00:00:00.000Z');
const minute = 60_000;
const plenty = () => 15 * minute;
let time: number;
let inboxes: MemoryInboxes;
let removals: MemoryRemovals;
let remains: MemoryRemains;
let organization: Organization | undefined;
let deps: Parameters<typeof removeInbox>[0];
const now = () => time;
const iso = (at: number) => new Date(at).toISOString();

beforeEach(() => {
  [time, inboxes, removals, remains] = [
    start,
    new MemoryInboxes(),
    new MemoryRemovals(),
    new MemoryRemains(),
  ];
  organization = undefined;
  deps = {
    ...{ inboxes, removals, rows: remains, objects: remains, now, ulid: counting(), quarantineDays: 30 },
    organizations: { get: async () => organization },
    async *archive() {},
  };
});
const add = (name: string) => {
  const inbox = storedInbox(name);
  inboxes.rows.set(inbox.uid, inbox);
  inboxes.add(inbox);
  return inbox;
};
const removalOf = (name = 'ada') => {
  const inbox = inboxRef(name);
  const { organization_id, uid } = inbox;
  removals.add(newRemoval(start, { organization_id, what: uid, inbox }));
  return { organization_id, what: uid };
};

describe('an inbox that is deleted', () => {
  const call = (inbox = inboxRef()) => ({
    ...callIn(inbox, undefined, newDeed({ line: sampleLine(1) })),
    query: {},
  });

  it('leaves in one step an event, a removal, and its address at rest', async () => {
    const inbox = add('ada');
    const given = call();
    expect(await deleteInbox(deps)(given as never)).toBeUndefined();
    expect(inboxes.taken).toEqual([
      {
        inbox,
        at: iso(start),
        until: iso(start + 30 * 24 * 60 * minute),
        event: {
          event_id: expect.stringMatching(/^evt_/),
          event_type: 'inbox.deleted',
          ...{ organization_id: organizationId, pod_id: organizationId, inbox_id: inbox.inbox_id },
          timestamp: iso(start),
          reason: 'deleted',
        },
        removal: {
          ...{ organization_id: organizationId, what: inbox.uid, inbox: inboxRef(), count: 1 },
          ...{ taken_down_at: iso(start), moved_at: iso(start) },
          ...{ begins_at: iso(start + 1.5 * minute), settles_at: iso(start + 6 * minute) },
        },
        due: [],
        deed: given.deed,
      },
    ]);
    expect(given.deed.line).toMatchObject({
      resources: expect.arrayContaining([inbox.uid]),
      inbox_uid: inbox.uid,
    });
    await expect(deleteInbox(deps)(call() as never)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is never the postmaster’s', async () => {
    const postmaster = { ...inboxRef(), uid: operatorInboxUid };
    await expect(deleteInbox(deps)(call(postmaster) as never)).rejects.toMatchObject({
      code: 'cannot_delete',
    });
  });
});

describe('a removal of an inbox', () => {
  it('begins when the calls have ended, goes through all once more when mail has, and is done', async () => {
    const job = removalOf();
    await removeInbox(deps)(job, plenty);
    expect([remains.log, removals.asked]).toEqual([
      [],
      [{ what: 'inb_ada', not_before: iso(start + 1.5 * minute) }],
    ]);
    time = start + 2 * minute;
    await removeInbox(deps)(job, plenty);
    const all = [...Array(3).fill(`objects ${organizationId}/inb_ada/`), ...Array(3).fill('rows inb_ada')];
    expect(remains.log).toEqual(all);
    expect(removals.asked.at(-1)!.not_before).toBe(iso(start + 6 * minute));
    time = start + 6 * minute;
    await removeInbox(deps)(job, plenty);
    expect(remains.log).toEqual([...all, ...all]);
    expect(removals.finished).toEqual(['inb_ada']);
    // The message of a queue may come again.
    await removeInbox(deps)(job, plenty);
    expect(remains.log).toHaveLength(12);
  });

  it('stops while there is time to say so, and asks for the next step at once', async () => {
    const job = removalOf();
    time = start + 10 * minute;
    let left = 3 * minute;
    remains.onPiece = () => (left -= minute);
    await removeInbox(deps)(job, () => left);
    expect(remains.log).toHaveLength(3);
    expect(removals.asked).toEqual([{ what: 'inb_ada', not_before: undefined }]);
    expect(removals.finished).toEqual([]);
  });

  it('notes that it moves, so that nobody takes it for stuck', async () => {
    const job = removalOf();
    time = start + 10 * minute;
    remains.onPiece = () => (time += 2 * minute);
    const seen: string[] = [];
    const { move } = removals;
    removals.move = async (removal, at) => (seen.push(at), move.call(removals, removal, at));
    await removeInbox(deps)(job, plenty);
    expect(seen).toEqual([12, 14, 16, 18, 20, 22].map((n) => iso(start + n * minute)));
  });

  it('waits for its archive, and removes nothing where that cannot be made', async () => {
    const inbox = inboxRef();
    const job = { organization_id: organizationId, what: inbox.uid };
    removals.add(newRemoval(start, { ...job, inbox, archive_id: 'arc_1' }));
    time = start + 10 * minute;
    const broken = async function* ({ archive_id }: { archive_id?: string }) {
      throw new Error(`no room for ${archive_id}`);
      yield;
    };
    await expect(removeInbox({ ...deps, archive: broken })(job, plenty)).rejects.toThrow('no room for arc_1');
    expect(remains.log).toEqual([]);
    const archive = async function* () {
      remains.log.push('archive');
      yield 1;
    };
    await removeInbox({ ...deps, archive })(job, plenty);
    expect(remains.log.slice(0, 2)).toEqual(['archive', `objects ${organizationId}/inb_ada/`]);
    expect(removals.finished).toEqual(['inb_ada']);
  });
});

describe('a removal of an organization', () => {
  const job = { organization_id: organizationId, what: organizationId };
  const some = (inbox_count: number): Organization => ({
    ...{ organization_id: organizationId, verified: true, state: 'deleting', access: 'sandbox' },
    ...{ bearer_keys: false, inbox_count, domain_count: 0, updated_at: 'x', created_at: 'x' },
  });

  it('takes its inboxes down, waits until they are removed, and goes last', async () => {
    removals.add(newRemoval(start, job));
    time = start + 10 * minute;
    for (const name of ['ada', 'bob']) add(name);
    organization = some(0);
    removals.add(newRemoval(time, { organization_id: organizationId, what: 'inb_ada', inbox: inboxRef() }));
    await removeInbox(deps)(job, plenty);
    expect(inboxes.taken.map(({ event }) => event.reason)).toEqual(Array(2).fill('organization_deleted'));
    expect(inboxes.taken.map(({ deed }) => deed!.line)).toMatchObject([
      {
        action: 'inboxes.delete',
        principal: { kind: 'system' },
        inbox_uid: 'inb_ada',
        resources: ['inb_ada'],
      },
      {
        action: 'inboxes.delete',
        principal: { kind: 'system' },
        inbox_uid: 'inb_bob',
        resources: ['inb_bob'],
      },
    ]);
    expect(removals.asked).toEqual([{ what: organizationId, not_before: iso(time + 2 * minute) }]);
    expect(remains.log).toEqual([]);
    removals.rows.delete('inb_ada');
    await removeInbox(deps)(job, plenty);
    expect(remains.log).toEqual([
      ...Array(3).fill(`objects ${organizationId}/`),
      ...Array(3).fill(`rows ${organizationId}`),
    ]);
    expect(removals.finished).toEqual([organizationId]);
  });

  it('comes again for inboxes that the list does not show yet', async () => {
    removals.add(newRemoval(start, job));
    time = start + 10 * minute;
    organization = some(1);
    await removeInbox(deps)(job, plenty);
    expect(removals.asked).toEqual([{ what: organizationId, not_before: iso(time + 10_000) }]);
    expect(remains.log).toEqual([]);
  });

  it('is not begun for the operator’s own', async () => {
    const organizations = { get: async () => undefined, takeDown: async () => expect.unreachable() };
    const path = { organization_id: operatorOrganizationId };
    await expect(
      deleteOrganization({ organizations, now })({ path, deed: newDeed() } as never),
    ).rejects.toMatchObject({ code: 'cannot_delete' });
  });
});

describe('the watch over a removal', () => {
  const work = { kind: 'watch-removal', organization_id: organizationId, what: 'inb_ada' } as const;

  it('looks on while it moves, takes it up when it does not, and ends with it', async () => {
    removalOf();
    time = start + 20 * minute;
    await watchRemoval({ removals, now })(work);
    expect([removals.watches, removals.asked]).toEqual([[start + 50 * minute], []]);
    time = start + 50 * minute;
    await watchRemoval({ removals, now })(work);
    expect(removals.asked).toEqual([{ what: 'inb_ada', not_before: undefined }]);
    removals.rows.clear();
    await watchRemoval({ removals, now })(work);
    expect(removals.watches).toHaveLength(2);
  });
});
