import { beforeEach, describe, expect, it } from 'vitest';
import { deleteArchive, getArchive, listArchives, newArchive } from '../../lib/core/archives.ts';
import type { StoredArchive } from '../../lib/core/archive-ports.ts';
import { deleteInbox } from '../../lib/core/delete-inbox.ts';
import { expireArchive } from '../../lib/core/expire-archive.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { callIn, inboxRef, keyPrincipal, newDeed, organizationId } from '../support/mail-samples.ts';
import { MemoryArchiveBucket, MemoryArchives } from '../support/memory-archives.ts';
import { counting, MemoryInboxes, plainTokens } from '../support/memory-ports.ts';
import { storedInbox } from '../support/table-house.ts';

const time = Date.parse('2026-02-01T10:00:00.000Z');
const now = () => time;
const archive_id = 'arc_01k0000000000000000000000a';
const scope = { organization_id: organizationId };
let archives: MemoryArchives;
let bucket: MemoryArchiveBucket;
let archive: StoredArchive;
beforeEach(() => {
  [archives, bucket] = [new MemoryArchives(), new MemoryArchiveBucket()];
  archive = newArchive(storedInbox('ada', { pod_id: 'pod_a' }), archive_id, new Date(time).toISOString());
  archives.rows.set(archive_id, archive);
});
const ready = (): void =>
  void archives.rows.set(archive_id, { ...archive, state: 'ready', expires_at: 'later' });
const urlOf = async ({ archive_id: id }: { archive_id: string }, name: string) => ({
  download_url: `https://bucket/${id}?${name}`,
  expires_at: 'soon',
});
const call = (more: object = {}) =>
  ({
    scope,
    path: { archive_id },
    principal: keyPrincipal(),
    deed: newDeed({ line: sampleLine(1) }),
    ...more,
  }) as never;
const notFound = expect.objectContaining({ code: 'not_found' });

describe('an inbox deleted with an archive', () => {
  const permissions = { inbox_delete: true };
  const ask = (principal = keyPrincipal()) => {
    const inboxes = new MemoryInboxes();
    const inbox = storedInbox();
    inboxes.rows.set(inbox.uid, inbox);
    inboxes.add(inbox);
    const deps = { inboxes, now, ulid: () => archive_id.slice(4), quarantineDays: 30 };
    const asked = { ...callIn(inboxRef(), principal), query: { messages: 'archive' } };
    return { inboxes, inbox, answer: deleteInbox(deps)(asked as never) };
  };

  it('leaves the archive as it begins, and says what it is called', async () => {
    const { inboxes, inbox, answer } = ask();
    expect(await answer).toEqual({ archive_id, pending: true });
    expect(inboxes.taken).toMatchObject([
      {
        event: { archive_id },
        removal: { archive_id },
        archive: { archive_id, uid: inbox.uid, state: 'pending' },
      },
    ]);
  });

  it('asks for a key that may read the mail, too', async () => {
    const { inboxes, answer } = ask(keyPrincipal({ permissions }));
    await expect(answer).rejects.toMatchObject({ code: 'missing_permission' });
    expect(inboxes.taken).toEqual([]);
    const both = keyPrincipal({ permissions: { ...permissions, message_read: true } });
    expect(await ask(both).answer).toMatchObject({ pending: true });
  });
});

describe('an archive', () => {
  it('shows what its owner may know, and a URL when it is ready', async () => {
    const shown = await getArchive({ archives, urlOf })(call());
    expect(shown).toEqual({
      ...{ archive_id, organization_id: organizationId, pod_id: 'pod_a', inbox_id: archive.inbox_id },
      ...{ state: 'pending', messages: 0, quarantined: 0, missing: 0, size: 0 },
      ...{ created_at: new Date(time).toISOString(), updated_at: new Date(time).toISOString() },
    });
    ready();
    expect(await getArchive({ archives, urlOf })(call())).toMatchObject({
      state: 'ready',
      download_url: `https://bucket/${archive_id}?${archive.inbox_id}-2026-02-01.mbox`,
      download_url_expires_at: 'soon',
      expires_at: 'later',
    });
  });

  it('is handed out only to a key that may see hidden mail', async () => {
    ready();
    const permissions = { message_read: true };
    const labels = { label_spam_read: true, label_blocked_read: true, label_trash_read: true };
    for (const some of [permissions, { ...permissions, ...labels }])
      await expect(
        getArchive({ archives, urlOf })(call({ principal: keyPrincipal({ permissions: some }) })),
      ).rejects.toMatchObject({ code: 'missing_permission' });
    const all = { ...permissions, ...labels, label_unauthenticated_read: true };
    expect(
      await getArchive({ archives, urlOf })(call({ principal: keyPrincipal({ permissions: all }) })),
    ).toHaveProperty('download_url');
  });

  it('of another pod, or by an id that is none, is not there', async () => {
    const own = { ...scope, pod_id: 'pod_a' };
    expect(await getArchive({ archives, urlOf })(call({ scope: own }))).toMatchObject({ archive_id });
    const deps = { archives, urlOf, now };
    for (const more of [
      { scope: { ...scope, pod_id: 'pod_b' } },
      { scope: { ...scope, pod_id: 'pod_a', inbox: inboxRef('bob') } },
      { path: { archive_id: 'arc_1' } },
      { path: { archive_id: archive_id.replace(/a$/, 'b') } },
    ]) {
      await expect(getArchive(deps)(call(more))).rejects.toEqual(notFound);
      await expect(deleteArchive(deps)(call(more))).rejects.toEqual(notFound);
    }
    expect(archives.rows.size).toBe(1);
  });

  it('is listed without what only the inside knows', async () => {
    const { archives: found } = await listArchives({ archives, tokens: plainTokens })({ scope, query: {} });
    expect(found).toHaveLength(1);
    for (const name of ['uid', 'progress']) expect(found[0]).not.toHaveProperty(name);
    const inInbox = { ...scope, pod_id: 'pod_a', inbox: inboxRef('bob') };
    expect(
      await listArchives({ archives, tokens: plainTokens })({ scope: inInbox, query: {} }),
    ).toMatchObject({
      count: 0,
      archives: [],
    });
  });

  it('is deleted once, with its object at once', async () => {
    const deed = newDeed({ line: sampleLine(1) });
    await deleteArchive({ archives, now })(call({ deed }));
    expect(archives.due).toEqual([{ archive_id, at: time }]);
    expect(deed.line).toMatchObject({
      resources: expect.arrayContaining([archive_id]),
      inbox_uid: archive.uid,
    });
    await expect(deleteArchive({ archives, now })(call())).rejects.toEqual(notFound);
  });
});

describe('the end of an archive', () => {
  const work = { kind: 'delete-archive', organization_id: organizationId, archive_id } as const;
  const deps = () => ({ archives, objects: bucket, now, ulid: counting() });

  it('takes the row and the object, however often it is tried', async () => {
    ready();
    bucket.files.set(archive_id, Buffer.from('x'));
    const { delete: remove } = archives;
    const lines: unknown[] = [];
    archives.delete = (one, deed, at) => (
      lines.push((deed as { line: unknown }).line),
      remove.call(archives, one, deed, at)
    );
    bucket.onCall = () => {
      throw new Error('S3 is not there');
    };
    await expect(expireArchive(deps())(work)).rejects.toThrow('S3');
    bucket.onCall = () => undefined;
    await expireArchive(deps())(work);
    expect([archives.rows.size, bucket.files.size, archives.due]).toEqual([0, 0, []]);
    expect(lines).toMatchObject([
      {
        action: 'archives.delete',
        principal: { kind: 'system' },
        resources: [archive_id],
        inbox_uid: archive.uid,
      },
    ]);
    await expireArchive(deps())(work);
  });

  it('forgets what was being uploaded', async () => {
    const upload_id = await bucket.begin();
    archives.rows.clear();
    await expireArchive(deps())({ ...work, upload_id });
    expect(bucket.uploads.size).toBe(0);
  });
});
