import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { archiveRow } from '../../../lib/adapters/dynamo/archive-rows.ts';
import { archiveStore } from '../../../lib/adapters/dynamo/archive-store.ts';
import { messageRow } from '../../../lib/adapters/dynamo/message-rows.ts';
import { inboxStore } from '../../../lib/adapters/dynamo/inbox-store.ts';
import { messageKey } from '../../../lib/adapters/dynamo/keys.ts';
import { transact } from '../../../lib/adapters/dynamo/transaction.ts';
import { newUlid } from '../../../lib/adapters/ulids.ts';
import type { ArchiveStore, StoredArchive } from '../../../lib/core/archive-ports.ts';
import { newArchive } from '../../../lib/core/archives.ts';
import { takeDown } from '../../../lib/core/delete-inbox.ts';
import type { StoredInbox } from '../../../lib/core/ports.ts';
import { sampleLine } from '../../support/ledger-samples.ts';
import { newDeed, organizationId, sampleMessage, ulidAt } from '../../support/mail-samples.ts';
import { settle, storedInbox, tableHouse, type TableHouse } from '../../support/table-house.ts';

let house: TableHouse;
let store: ArchiveStore;
let serial = 0;
const at = '2026-02-01T12:00:00.000Z';
beforeAll(async () => {
  house = await tableHouse();
  store = archiveStore(house.database);
  await settle(house);
});
afterAll(() => house.close());
beforeEach(() => house.forget());

/** An archive as taking an inbox down leaves it. */
async function begun(more: Partial<StoredInbox> = {}): Promise<StoredArchive> {
  const inbox = storedInbox(`inbox${++serial}`, { created_at: new Date(house.now()).toISOString(), ...more });
  const archive_id = `arc_${ulidAt(serial)}`;
  await transact<never>(house.database, [{ put: archiveRow(newArchive(inbox, archive_id, at)) }]);
  return newArchive(inbox, archive_id, at);
}
const stepped = (archive: StoredArchive, more: Partial<StoredArchive['progress']> = {}): StoredArchive => ({
  ...archive,
  messages: archive.messages + 1,
  progress: { ...archive.progress, ...more, step: archive.progress.step + 1 },
});
const dueWork = (time: string) => house.dueAt(Date.parse(time));

describe('an archive in the table', () => {
  it('begins in the transaction that takes its inbox down', async () => {
    const inbox = storedInbox('begins', { created_at: at });
    await inboxStore(house.database).provision({ inbox });
    house.forget();
    const archive_id = `arc_${ulidAt(900)}`;
    const now = house.now();
    const line = sampleLine(1, { organization_id: organizationId });
    const deps = { inboxes: inboxStore(house.database), now: () => now, ulid: newUlid, quarantineDays: 30 };
    await takeDown(deps, inbox, { reason: 'deleted', archive_id, deed: newDeed({ line }) });
    expect(house.sent.map(({ name }) => name)).toEqual(['GetItem', 'TransactWrite']);
    const found = await store.get({ organization_id: organizationId, archive_id });
    expect(found).toEqual(newArchive(inbox, archive_id, new Date(now).toISOString()));
    expect(line.resources).toEqual(expect.arrayContaining([inbox.uid, archive_id]));
    expect(found).not.toHaveProperty('expires');
  });

  it('goes on by one step at a time: whoever has seen an older one changes nothing', async () => {
    const archive = await begun();
    const first = stepped(archive, { upload_id: 'u', parts: ['etag crc'], after: ulidAt(1), offset: 7 });
    expect(await store.save(first)).toBe('saved');
    expect(await store.get(archive)).toEqual(first);
    expect(await store.save(stepped(archive, { offset: 9 }))).toBe('stale');
    expect(await store.get(archive)).toEqual(first);
    expect(await store.save(stepped(first))).toBe('saved');
    expect(await store.save({ ...first, archive_id: `arc_${ulidAt(999)}` })).toBe('gone');
  });

  it('is ready with the work that deletes it, in one transaction', async () => {
    const archive = await begun();
    const expires_at = '2026-03-03T12:00:20.000Z';
    const ready = { ...stepped(archive), state: 'ready' as const, expires_at };
    expect(await store.finish(ready)).toBe('saved');
    expect(await store.finish(ready)).toBe('stale');
    expect(await store.get(archive)).toEqual(ready);
    const { organization_id, archive_id } = archive;
    // Not in its own minute, which is taken as it begins.
    expect(await dueWork('2026-03-03T12:01Z')).toEqual([
      { kind: 'delete-archive', organization_id, archive_id },
    ]);
    expect(await store.finish({ ...ready, archive_id: `arc_${ulidAt(999)}` })).toBe('gone');
  });

  it('is deleted once, with the line of the call and the work that deletes its object', async () => {
    const archive = stepped(await begun(), { upload_id: 'u' });
    await store.save(archive);
    const line = sampleLine(2, { organization_id: organizationId });
    const time = Date.parse('2026-02-02T00:00:30.000Z');
    expect(await store.delete(archive, newDeed({ line }), time)).toBe('deleted');
    expect(await store.delete(archive, newDeed(), time)).toBe('gone');
    expect(await store.get(archive)).toBeUndefined();
    const { organization_id, archive_id } = archive;
    expect(await dueWork('2026-02-02T00:00')).toEqual([
      { kind: 'delete-archive', organization_id, archive_id, upload_id: 'u' },
    ]);
    expect((await house.rows()).filter(({ line_id }) => line_id === line.line_id)).toHaveLength(1);
    const other = await begun();
    expect(await store.delete(other, newDeed())).toBe('deleted');
    expect(JSON.stringify(await house.rows())).not.toContain(other.archive_id);
  });

  it('is listed by organization and by pod, newest first, page by page', async () => {
    const organization_id = 'org_lists';
    const made: StoredArchive[] = [];
    for (const pod_id of ['pod_a', 'pod_b', 'pod_a']) made.push(await begun({ organization_id, pod_id }));
    await begun({ organization_id: 'org_lists2', pod_id: 'pod_a' });
    const page = { limit: 10, ascending: false };
    expect((await store.list({ organization_id }, page)).items).toEqual(made.toReversed());
    expect((await store.list({ organization_id }, { ...page, ascending: true })).items).toEqual(made);
    expect((await store.list({ organization_id, pod_id: 'pod_a' }, page)).items).toEqual([made[2], made[0]]);
    expect((await store.list({ organization_id: 'org_none' }, page)).items).toEqual([]);
    for (const scope of [{ organization_id }, { organization_id, pod_id: 'pod_a' }]) {
      const first = await store.list(scope, { limit: 1, ascending: false });
      expect(first.items).toEqual([made[2]]);
      const rest = await store.list(scope, { limit: 9, ascending: false, after: first.next! });
      expect(rest.items.at(-1)).toEqual(made[0]);
    }
  });
});

describe('the messages for an archive', () => {
  it('are all of the inbox, hidden ones too, oldest first, from a message on', async () => {
    const count = 450;
    const messages = Array.from({ length: count }, (_, n) =>
      sampleMessage(n + 1, { labels: n % 2 ? ['spam'] : ['received'] }),
    );
    for (let from = 0; from < count; from += 100)
      await transact<never>(
        house.database,
        messages.slice(from, from + 100).map((message) => ({
          put: { ...messageKey(message, message.message_id.slice(4)), ...messageRow(message) },
        })),
      );
    house.forget();
    expect(await Array.fromAsync(store.messages(messages[0]!))).toEqual(messages);
    expect(house.sent.map(({ name }) => name)).toEqual(['Query', 'Query', 'Query']);
    expect(await Array.fromAsync(store.messages(messages[0]!, ulidAt(448)))).toEqual(messages.slice(448));
    expect(await Array.fromAsync(store.messages(messages[0]!, ulidAt(450)))).toEqual([]);
    expect(await Array.fromAsync(store.messages({ ...messages[0]!, uid: 'inb_none' }))).toEqual([]);
  });
});
