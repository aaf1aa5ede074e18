import { beforeEach, describe, expect, it } from 'vitest';
import { mboxEntry } from '../../lib/adapters/mbox.ts';
import type { Organization } from '../../lib/contract/organization.ts';
import { listArchives, newArchive } from '../../lib/core/archives.ts';
import { usualPartBytes } from '../../lib/core/archive-file.ts';
import { newRemoval } from '../../lib/core/removal.ts';
import { writeArchive, type WriteArchiveDeps } from '../../lib/core/write-archive.ts';
import { inboxRef, organizationId, sampleMessage } from '../support/mail-samples.ts';
import { MemoryArchiveBucket, MemoryArchives } from '../support/memory-archives.ts';
import { plainTokens } from '../support/memory-ports.ts';
import { readMbox } from '../support/read-mbox.ts';
import { storedInbox } from '../support/table-house.ts';

const start = Date.parse('2026-02-01T00:00:00.000Z');
const day = 24 * 3600_000;
const archive_id = 'arc_01k0000000000000000000000a';
const inbox = storedInbox('ada');
const removal = newRemoval(start, {
  organization_id: organizationId,
  what: inbox.uid,
  inbox: inboxRef(),
  archive_id,
});

class Crash extends Error {}

/** An inbox with mail, and its archive as it begins. */
function scene(mails: { raw?: string; quarantined?: true; size?: number }[], partBytes = 150) {
  const archives = new MemoryArchives();
  const bucket = new MemoryArchiveBucket();
  const reported: Record<string, unknown>[] = [];
  const organization = { state: 'active' } as Organization;
  archives.rows.set(archive_id, newArchive(inbox, archive_id, new Date(start).toISOString()));
  archives.mails = mails.map(({ raw = '', quarantined, size }, n) =>
    sampleMessage(n + 1, { size: size ?? raw.length, ...(quarantined && { quarantined }) }),
  );
  for (const [n, { raw }] of mails.entries())
    if (raw !== undefined) bucket.raws.set(archives.mails[n]!.message_id, Buffer.from(raw));
  const deps: WriteArchiveDeps & { organizations: { get: () => Promise<Organization | undefined> } } = {
    ...{ archives, objects: bucket, entry: mboxEntry, now: () => start, partBytes: () => partBytes },
    organizations: { get: async () => organization },
    report: (about) => reported.push(about),
  };
  const run = async (stopAfter = Infinity): Promise<number> => {
    let pieces = 0;
    for await (const _ of writeArchive(deps)(removal)) if (++pieces >= stopAfter) break;
    return pieces;
  };
  const row = () => archives.rows.get(archive_id)!;
  const file = () => bucket.files.get(archive_id)!;
  return { ...{ archives, bucket, reported, organization, deps, run, row, file } };
}
const mail = (n: number, lines = 3) => `Subject: ${n}\r\n\r\n${`From line ${n} of some\r\n`.repeat(lines)}`;
/** Some of a few bytes, some of several parts, one that is fetched in its turn, and one with a virus. */
const some = () => [
  { raw: mail(1) },
  { raw: mail(2, 60) },
  { quarantined: true as const },
  { raw: mail(4, 1) },
  { raw: mail(5, 40), size: 10_000_000 },
  { raw: mail(6) },
];
let undisturbed: Buffer;
beforeEach(async () => {
  const quiet = scene(some());
  await quiet.run();
  undisturbed = quiet.file();
});

describe('the archive of an inbox', () => {
  it('is its mail in order of time, and what is left out is counted', async () => {
    const { run, row, file, archives, bucket } = scene(some());
    await run();
    expect(row()).toMatchObject({
      ...{ state: 'ready', messages: 5, quarantined: 1, missing: 0, size: file().length },
      ...{ expires_at: new Date(start + 30 * day).toISOString(), progress: { parts: [] } },
    });
    expect(row().progress).not.toHaveProperty('upload_id');
    expect(archives.due).toEqual([{ archive_id, at: start + 30 * day }]);
    const read = readMbox(file());
    expect(read.map(({ message_id }) => message_id)).toEqual(
      [1, 2, 4, 5, 6].map((n) => sampleMessage(n).message_id),
    );
    expect(read.map(({ mail: one }) => one.toString())).toEqual(
      [mail(1), mail(2, 60), mail(4, 1), mail(5, 40), mail(6)].map((raw) => raw.replaceAll('\r\n', '\n')),
    );
    // Parts end inside of mails: none is much larger than it has to be.
    expect(bucket.parts.length).toBeGreaterThan(5);
    expect(bucket.parts.slice(0, -1).every((size) => size >= 150 && size < 1500)).toBe(true);
    expect(bucket.uploads.size).toBe(0);
  });

  it('is one put when it is small, also of nothing at all', async () => {
    for (const mails of [[{ raw: mail(1) }], []]) {
      const { run, row, file, bucket } = scene(mails, 100_000);
      const calls: string[] = [];
      bucket.onCall = (name, when) => when === 'before' && calls.push(name);
      await run();
      expect(calls.filter((name) => name !== 'raw')).toEqual(['put']);
      expect(row()).toMatchObject({ state: 'ready', messages: mails.length, size: file().length });
      expect(readMbox(file())).toHaveLength(mails.length);
    }
  });

  it('is kept as long as the organization says', async () => {
    const { run, row, organization } = scene(some());
    organization.archive_retention_days = 90;
    await run(8);
    // The object was told so when it was begun.
    organization.archive_retention_days = 1;
    await run();
    expect(row().expires_at).toBe(new Date(start + 90 * day).toISOString());
  });

  it('is kept as long as the inbox says, whatever the organization does', async () => {
    const { run, row, organization, archives } = scene(some());
    organization.archive_retention_days = 90;
    const kept = newArchive(
      { ...inbox, archive_retention_days: 7 },
      archive_id,
      new Date(start).toISOString(),
    );
    archives.rows.set(archive_id, kept);
    await run();
    expect(row().expires_at).toBe(new Date(start + 7 * day).toISOString());
    const shown = await listArchives({ archives, tokens: plainTokens })({
      ...{ scope: { organization_id: inbox.organization_id }, query: {} },
    });
    expect(shown.archives[0]).toMatchObject({ archive_id, state: 'ready' });
    expect(shown.archives[0]).not.toHaveProperty('retention_days');
  });

  it('does without mails whose bytes are gone, and tells of them', async () => {
    const { run, row, file, reported } = scene([
      { raw: mail(1) },
      {},
      { size: 10_000_000 },
      { raw: mail(4) },
    ]);
    await run();
    expect(row()).toMatchObject({ state: 'ready', messages: 2, missing: 2 });
    expect(readMbox(file())).toHaveLength(2);
    expect(reported).toEqual([2, 3].map((n) => ({ archive_id, missing: sampleMessage(n).message_id })));
  });

  it('comes out the same after a crash at any call, before or after it', async () => {
    const counted = scene(some());
    let calls = 0;
    counted.archives.onCall = counted.bucket.onCall = () => calls++;
    await counted.run();
    expect(calls).toBeGreaterThan(50);
    for (let at = 1; at <= calls; at++) {
      const { run, row, file, archives, bucket } = scene(some());
      let left = at;
      archives.onCall = bucket.onCall = () => {
        if (--left === 0) throw new Crash();
      };
      await run().catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      });
      expect(left).toBeLessThanOrEqual(0);
      await run();
      expect([at, file().equals(undisturbed), row().size]).toEqual([at, true, undisturbed.length]);
      expect(row()).toMatchObject({ state: 'ready', messages: 5, quarantined: 1 });
      expect(archives.due).toHaveLength(1);
    }
  });

  it('goes on where it was when it is stopped at each piece', async () => {
    const whole = await scene(some()).run();
    for (let at = 1; at < whole; at++) {
      const { run, file, row } = scene(some());
      await run(at);
      const { parts } = row().progress;
      await run();
      expect([at, file().equals(undisturbed), row().progress.restarts]).toEqual([at, true, 0]);
      // Later stops find more parts to go on from.
      if (at === whole - 1) expect(parts.length).toBeGreaterThan(5);
    }
  });

  it('is written once by two at a time', async () => {
    const { deps, row, file, archives } = scene(some());
    const [one, two] = [writeArchive(deps)(removal), writeArchive(deps)(removal)];
    for (let ended = 0; ended < 2;) {
      const answers = await Promise.all([one.next(), two.next()]);
      ended = answers.filter(({ done }) => done).length;
    }
    expect(file().equals(undisturbed)).toBe(true);
    expect(row()).toMatchObject({ state: 'ready', messages: 5 });
    expect(archives.due).toHaveLength(1);
  });

  it('is not written over by one who comes late and finds the mails removed', async () => {
    const { deps, run, file, bucket, row } = scene([{ raw: mail(1) }, { raw: mail(2) }], 100_000);
    const late = writeArchive(deps)(removal);
    await late.next();
    await run();
    const whole = file();
    bucket.raws.clear();
    for (let step = await late.next(); step.done !== true; step = await late.next());
    expect(file()).toBe(whole);
    expect(row()).toMatchObject({ messages: 2, missing: 0 });
  });

  it('begins anew when the bucket has forgotten the upload, and gives up when it always does', async () => {
    const { run, file, bucket, row } = scene(some());
    await run(8);
    expect(row().progress.parts.length).toBeGreaterThan(0);
    bucket.uploads.clear();
    await run();
    expect([file().equals(undisturbed), row().messages, row().progress.restarts]).toEqual([true, 5, 1]);

    const again = scene(some());
    again.bucket.onCall = (name, when) =>
      when === 'after' && name === 'begin' && again.bucket.uploads.clear();
    await expect(again.run()).rejects.toThrow('forgets each upload');
  });

  it('ends what is left of a mail whose bytes went while it was written', async () => {
    const { run, file, bucket, archives, row } = scene([{ raw: mail(1, 60) }, { raw: mail(2) }]);
    await run(2);
    expect(row().progress.offset).toBeGreaterThan(0);
    bucket.raws.delete(archives.mails[0]!.message_id);
    await run();
    expect(row()).toMatchObject({ messages: 1, missing: 1 });
    expect(readMbox(file())[1]!.mail.toString()).toBe(mail(2).replaceAll('\r\n', '\n'));
  });

  it('that was deleted meanwhile leaves nothing', async () => {
    for (const at of [1, 3, 8, 12]) {
      const { deps, archives, bucket } = scene(some());
      const writing = writeArchive(deps)(removal);
      for (let n = 0; n < at; n++) await writing.next();
      archives.rows.clear();
      for (let step = await writing.next(); step.done !== true; step = await writing.next());
      expect([at, bucket.files.size, bucket.uploads.size]).toEqual([at, 0, 0]);
    }
  });

  it('of an organization that is being deleted is not made', async () => {
    const { run, organization, bucket, row } = scene(some());
    await run(8);
    expect(bucket.uploads.size).toBe(1);
    organization.state = 'deleting';
    await run();
    expect([bucket.files.size, bucket.uploads.size, row().state]).toEqual([0, 0, 'pending']);
  });

  it('has nothing to do once it is ready', async () => {
    const { run, bucket } = scene(some());
    await run();
    const calls: string[] = [];
    bucket.onCall = (name) => void calls.push(name);
    expect(await run()).toBe(0);
    expect(calls).toEqual([]);
  });

  it('has parts that S3 takes, and no more of them than it takes', () => {
    expect(usualPartBytes(1)).toBe(8 * 1024 ** 2);
    const size = Array.from({ length: 9000 }, (_, n) => usualPartBytes(n + 1)).reduce((a, b) => a + b);
    expect(size).toBeGreaterThan(500 * 1024 ** 3);
  });
});
