import type { S3Client } from '@aws-sdk/client-s3';
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveObjects, archiveUrl } from '../../lib/adapters/archive-objects.ts';
import type { ArchiveObjects } from '../../lib/core/archive-ports.ts';
import type { StubCloud } from '../support/service-endpoint.ts';
import { s3House } from '../support/s3-house.ts';

const Bucket = 'mail';
let cloud: StubCloud;
let s3: S3Client;
let objects: ArchiveObjects;
let close: () => Promise<void>;
let serial = 0;
const fresh = () => ({ organization_id: 'org_a', archive_id: `arc_${++serial}` });
const keyOf = ({ archive_id }: { archive_id: string }) => `org_a/archives/${archive_id}.mbox`;
const content = async (archive: { archive_id: string }) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key: keyOf(archive) }))).Body!.transformToString();
const large = Buffer.alloc(5 * 1024 ** 2, 'a');

beforeAll(async () => {
  ({ cloud, close, client: s3 } = await s3House({ bucket: { BucketName: Bucket } }));
  objects = archiveObjects(Bucket, s3);
});
afterAll(() => close());

describe('the file of an archive', () => {
  it.each([
    [1, '7'],
    [30, '30'],
    [31, '90'],
    [3650, '3650'],
  ])('of %i days carries what its lifecycle rule looks for', async (days, Value) => {
    const [put, parts] = [fresh(), fresh()];
    await objects.put(put, days, Buffer.from('x'));
    const upload = await objects.begin(parts, days);
    const kept = await objects.part(parts, upload, 1, Buffer.from('y'));
    await objects.complete(parts, upload, [(kept as { part: string }).part], 1);
    for (const archive of [put, parts]) {
      const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: keyOf(archive) }));
      expect(TagSet).toEqual([{ Key: 'posthorn-archive-days', Value }]);
      const { ContentType } = await s3.send(new HeadObjectCommand({ Bucket, Key: keyOf(archive) }));
      expect(ContentType).toBe('application/mbox');
    }
  });

  it('is put once: what is there stays', async () => {
    const archive = fresh();
    await objects.put(archive, 30, Buffer.from('whole'));
    await objects.put(archive, 30, Buffer.from('less'));
    expect(await content(archive)).toBe('whole');
    await objects.put(fresh(), 30, Buffer.alloc(0));
  });

  it('is made of parts, which may come twice, and made once', async () => {
    const archive = fresh();
    const upload = await objects.begin(archive, 30);
    await objects.part(archive, upload, 1, Buffer.alloc(large.length, 'z'));
    const parts = [];
    for (const [n, bytes] of [large, Buffer.from('end')].entries()) {
      const kept = await objects.part(archive, upload, n + 1, bytes);
      parts.push((kept as { part: string }).part);
    }
    expect(parts[1]).toMatch(/^[0-9a-f]{32} [\w+/]{6}==$/);
    const size = large.length + 3;
    expect(await objects.complete(archive, upload, parts, size)).toBe('complete');
    expect(await content(archive)).toBe(`${large.toString()}end`);
    expect(await objects.complete(archive, upload, parts, size)).toBe('complete');
    expect(await objects.complete(archive, upload, parts, size + 1)).toBe('lost');
    expect(await objects.part(archive, upload, 3, large)).toBe('lost');
  });

  it('is lost when its upload is', async () => {
    const archive = fresh();
    const upload = await objects.begin(archive, 30);
    const { part } = (await objects.part(archive, upload, 1, Buffer.from('x'))) as { part: string };
    expect(
      await objects.complete(archive, upload, [part.replace(/^./, (c) => (c === '0' ? '1' : '0'))], 1),
    ).toBe('lost');
    await objects.abort(archive, upload);
    await objects.abort(archive, upload);
    expect(await objects.complete(archive, upload, [part], 1)).toBe('lost');
    expect(await objects.part(archive, upload, 1, Buffer.from('x'))).toBe('lost');
  });

  it('is removed, there or not', async () => {
    const archive = fresh();
    await objects.put(archive, 30, Buffer.from('x'));
    await objects.remove(archive);
    await objects.remove(archive);
    await expect(content(archive)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('passes on what else S3 refuses', async () => {
    cloud.deny = ({ action }) => ['s3:PutObjectTagging', 's3:DeleteObject'].includes(action);
    const denied = { name: 'AccessDenied' };
    await expect(objects.put(fresh(), 30, Buffer.from('x'))).rejects.toMatchObject(denied);
    await expect(objects.begin(fresh(), 30)).rejects.toMatchObject(denied);
    await expect(objects.remove(fresh())).rejects.toMatchObject(denied);
    cloud.deny = () => false;
  });

  it('is downloaded under its name', async () => {
    const archive = fresh();
    await objects.put(archive, 30, Buffer.from('From x\n'));
    const now = () => cloud.clock.now();
    const urlOf = archiveUrl(Bucket, now, { s3: () => s3, ends: () => undefined });
    const { download_url, expires_at } = await urlOf(archive, 'ada@mail.test-2026-02-01.mbox');
    const answer = await fetch(download_url);
    expect(await answer.text()).toBe('From x\n');
    expect(answer.headers.get('content-type')).toBe('application/mbox');
    expect(answer.headers.get('content-disposition')).toContain('filename="ada@mail.test-2026-02-01.mbox"');
    expect(Date.parse(expires_at) - now()).toBeGreaterThan(3590_000);
  });
});

describe('a mail for an archive', () => {
  it('is its raw object, or nothing', async () => {
    const folder = { organization_id: 'org_a', uid: 'inb_a', message_id: 'msg_1' };
    expect(await objects.raw(folder)).toBeUndefined();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'org_a/inb_a/1/raw', Body: 'A: b' }));
    expect(Buffer.concat(await Array.fromAsync((await objects.raw(folder))!)).toString()).toBe('A: b');
  });
});
