import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { mailObjects, ownAccess } from '../../lib/adapters/mail-objects.ts';
import type { MailObjects } from '../../lib/core/mail-ports.ts';
import { inboxRef, organizationId, ulidAt } from '../support/mail-samples.ts';
import { clientSettings, type StubCloud } from '../support/service-endpoint.ts';
import { s3House } from '../support/s3-house.ts';

const Bucket = 'mail';
let cloud: StubCloud;
let s3: S3Client;
let objects: MailObjects;
let url: string;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ cloud, close, client: s3, url } = await s3House({ bucket: { BucketName: Bucket } }));
  objects = mailObjects(Bucket, () => cloud.clock.now(), ownAccess(s3));
});
afterEach(async () => {
  for (const folder of [folderAt(1), folderAt(2)]) await objects.removeAll(folder);
});
afterAll(() => close());

const folderAt = (n: number) => ({
  organization_id: organizationId,
  uid: inboxRef().uid,
  message_id: `msg_${ulidAt(n)}`,
});
const prefix = `${organizationId}/${inboxRef().uid}/${ulidAt(1)}/`;
const keys = async (Prefix: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? []).map(({ Key }) => Key);
const read = async (Key: string) => {
  const { Body, ContentType } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return { text: await Body!.transformToString(), type: ContentType };
};
const arrive = (Key: string, Body = 'raw mail') => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
async function textOf(stream: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  if (stream === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('a mail that arrived', () => {
  it('is read, kept under its message, and removed', async () => {
    await arrive('incoming/abc');
    expect(await textOf(await objects.openIncoming('incoming/abc'))).toBe('raw mail');
    await objects.keepRaw('incoming/abc', folderAt(1));
    await objects.keepRaw('incoming/abc', folderAt(1));
    await objects.removeIncoming('incoming/abc');
    await objects.removeIncoming('incoming/abc');
    expect(await objects.openIncoming('incoming/abc')).toBeUndefined();
    expect(await keys('')).toEqual([`${prefix}raw`]);
    expect(await read(`${prefix}raw`)).toEqual({ text: 'raw mail', type: 'message/rfc822' });
    expect(await objects.keepRaw('incoming/abc', folderAt(1))).toBe('gone');
  });

  it('is known to be left over after its time, by its head; what SES wrote to see whether it may is not', async () => {
    await arrive('incoming/AMAZON_SES_SETUP_NOTIFICATION', 'setup');
    await arrive('incoming/old', 'Return-Path: <é@b>'.padEnd(100_000, 'x'));
    await arrive('incoming/empty', '');
    expect(await objects.leftIncoming(cloud.clock.now() - 60_000)).toEqual([]);
    cloud.clock.advance(120_000);
    const left = await objects.leftIncoming(cloud.clock.now() - 60_000);
    expect(left.map(({ key, head }) => [key, head.length])).toEqual([
      ['incoming/empty', 0],
      ['incoming/old', 65_536],
    ]);
    expect(Date.parse(left[1]!.stored_at)).toBeLessThan(cloud.clock.now() - 60_000);
    for (const key of ['incoming/AMAZON_SES_SETUP_NOTIFICATION', 'incoming/old', 'incoming/empty'])
      await objects.removeIncoming(key);
  });
});

describe('what belongs to a message', () => {
  it('goes with it, and nothing of another does', async () => {
    const file = join(cloud.home, 'attachment');
    await writeFile(file, 'bytes');
    await objects.putAttachment(
      folderAt(1),
      { attachment_id: `att_${ulidAt(1)}_0`, size: 5, content_type: 'text/plain' },
      file,
    );
    await objects.putAttachment(folderAt(2), { attachment_id: `att_${ulidAt(2)}_3`, size: 5 }, file);
    await objects.putBodies(folderAt(1), { text: 'ü'.repeat(10), html: '<p>x</p>', headers: { A: 'b' } }, [
      'html',
    ]);
    expect(await keys(prefix)).toEqual([`${prefix}a/0`, `${prefix}body`, `${prefix}html`]);
    expect(await read(`${prefix}a/0`)).toEqual({ text: 'bytes', type: 'text/plain' });
    expect(await objects.getBodies(folderAt(1))).toEqual({ text: 'ü'.repeat(10), headers: { A: 'b' } });
    expect(await read(`${prefix}html`)).toEqual({ text: '<p>x</p>', type: 'text/html; charset=utf-8' });
    await objects.removeAll(folderAt(1));
    await objects.removeAll(folderAt(1));
    expect(await keys('')).toEqual([`${organizationId}/${inboxRef().uid}/${ulidAt(2)}/a/3`]);
  });

  it('sends a large attachment again when S3 refuses it for a while', async () => {
    const size = 5 * 1024 * 1024;
    const file = join(cloud.home, 'large');
    await writeFile(file, Buffer.alloc(size, 'x'));
    const unhandled = vi.fn();
    process.on('uncaughtExceptionMonitor', unhandled);
    const patient = new S3Client({ ...clientSettings(url), forcePathStyle: true, maxAttempts: 4 });
    let refusals = 2;
    // The SDK waits a random part of up to a second.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    const strikes = vi.spyOn(cloud.weather, 'strikes').mockImplementation(() => refusals-- > 0);
    try {
      const attachment = { attachment_id: `att_${ulidAt(1)}_0`, size };
      await mailObjects(Bucket, () => cloud.clock.now(), ownAccess(patient)).putAttachment(
        folderAt(1),
        attachment,
        file,
      );
    } finally {
      strikes.mockRestore();
      random.mockRestore();
      patient.destroy();
    }
    expect(cloud.calls.slice(-3).map(({ error }) => error)).toEqual(['SlowDown', 'SlowDown', undefined]);
    const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket, Key: `${prefix}a/0` }));
    expect(ContentLength).toBe(size);
    await new Promise(setImmediate);
    process.off('uncaughtExceptionMonitor', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('keeps an attachment whose type no header can carry', async () => {
    const file = join(cloud.home, 'attachment');
    await writeFile(file, '');
    for (const content_type of ['text/plain\r\nX-Evil: 1', 'text/plän', 'no type', 'x'.repeat(3000)]) {
      await objects.putAttachment(
        folderAt(1),
        { attachment_id: `att_${ulidAt(1)}_0`, size: 0, content_type },
        file,
      );
      expect((await read(`${prefix}a/0`)).type).toBe('application/octet-stream');
    }
  });
});

describe('a URL', () => {
  const fetched = async (what: Parameters<MailObjects['urlOf']>[1]) => {
    const { download_url, expires_at } = await objects.urlOf(folderAt(1), what);
    const answer = await fetch(download_url);
    return {
      status: answer.status,
      type: answer.headers.get('content-type'),
      disposition: answer.headers.get('content-disposition'),
      text: await answer.text(),
      url: new URL(download_url),
      expires_at,
    };
  };

  it('needs no header, answers as a download, and says when it ends', async () => {
    await arrive('incoming/abc');
    await objects.keepRaw('incoming/abc', folderAt(1));
    const { url, expires_at, ...answer } = await fetched('raw');
    expect(answer).toEqual({
      status: 200,
      type: 'message/rfc822',
      disposition: expect.stringMatching(/^attachment; filename="message.eml"/) as string,
      text: 'raw mail',
    });
    expect(url.searchParams.get('X-Amz-Expires')).toBe('3600');
    expect(Math.abs(Date.parse(expires_at) - cloud.clock.now() - 3600_000)).toBeLessThan(5000);
    await objects.removeIncoming('incoming/abc');
  });

  it.each([
    ['plain.txt', 'attachment; filename="plain.txt"; filename*=UTF-8\'\'plain.txt'],
    ['a"b\\c%.txt', 'attachment; filename="a_b_c_.txt"; filename*=UTF-8\'\'a%22b%5Cc%25.txt'],
    ['ünï.txt', 'attachment; filename="_n_.txt"; filename*=UTF-8\'\'%C3%BCn%C3%AF.txt'],
    ["it's (1)*.txt", "attachment; filename=\"it's (1)*.txt\"; filename*=UTF-8''it%27s%20%281%29%2A.txt"],
    [
      'x\r\nSet-Cookie: a=b',
      'attachment; filename="x__Set-Cookie: a=b"; filename*=UTF-8\'\'x%0D%0ASet-Cookie%3A%20a%3Db',
    ],
    [undefined, 'attachment; filename="attachment"; filename*=UTF-8\'\'attachment'],
  ])('of an attachment named %j', async (filename, disposition) => {
    const file = join(cloud.home, 'attachment');
    await writeFile(file, 'bytes');
    const attachment = {
      attachment_id: `att_${ulidAt(1)}_0`,
      size: 5,
      content_type: 'text/html',
      ...(filename !== undefined && { filename }),
    };
    await objects.putAttachment(folderAt(1), attachment, file);
    expect(await fetched(attachment)).toMatchObject({
      status: 200,
      type: 'text/html',
      disposition,
      text: 'bytes',
    });
  });

  it('is made for a name that ends within a character when it is cut', async () => {
    const attachment = { attachment_id: `att_${ulidAt(1)}_0`, size: 0, filename: `${'x'.repeat(199)}💣.txt` };
    await expect(objects.urlOf(folderAt(1), attachment)).resolves.toBeDefined();
  });
});
