import { createReadStream } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { S3 } from '../../../lib/local/s3/s3.ts';
import type { Caller } from '../../../lib/local/cloud.ts';
import { deploy, testRole } from '../../support/service-endpoint.ts';
import { s3House } from '../../support/s3-house.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';

let cloud: StubCloud;
let s3: S3;
let client: S3Client;
let url: string;
let close: () => Promise<void>;
let caller: Caller = testRole;
const Bucket = 'mail';

beforeAll(async () => {
  ({
    cloud,
    close,
    engine: s3,
    client,
    url,
  } = await s3House({ bucket: { BucketName: Bucket }, caller: () => caller }));
});
afterEach(() => {
  cloud.deny = () => false;
  caller = testRole;
});
afterAll(() => close());

const put = (Key: string, Body: string | Buffer, more = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = async (Key: string, more = {}) => {
  const answer = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return { ...answer, bytes: Buffer.from(await answer.Body!.transformToByteArray()) };
};
const raw = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init);

describe('an object', () => {
  it('comes back with its bytes, type, disposition, encoding and metadata', async () => {
    const answer = await put('a/b', 'hello', {
      ContentType: 'text/plain; charset=utf-8',
      ContentDisposition: 'attachment; filename="x.txt"',
      ContentEncoding: 'identity',
      Metadata: { Subject: 'Post', other: '2' },
    });
    expect(answer.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
    expect(answer.ChecksumCRC32).toBe('NhCmhg==');
    const got = await get('a/b', { ChecksumMode: 'ENABLED' });
    expect(got.bytes.toString()).toBe('hello');
    expect(got).toMatchObject({
      ContentType: 'text/plain; charset=utf-8',
      ContentDisposition: 'attachment; filename="x.txt"',
      ContentEncoding: 'identity',
      ContentLength: 5,
      ChecksumCRC32: 'NhCmhg==',
      Metadata: { subject: 'Post', other: '2' },
      ServerSideEncryption: 'AES256',
    });
    expect(got.$metadata.requestId).toMatch(/^[0-9A-F]{16}$/);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'a/b' }));
    expect(head).toMatchObject({ ContentLength: 5, ETag: answer.ETag });
  });

  it('may be a stream, sent aws-chunked with a trailing checksum', async () => {
    const file = join(cloud.home, 'stream');
    const bytes = Buffer.alloc(3_000_001, 'xyz');
    await writeFile(file, bytes);
    await put('streamed', createReadStream(file) as never, { ContentEncoding: 'gzip' });
    const got = await get('streamed');
    expect(got.bytes.equals(bytes)).toBe(true);
    expect(got.ContentEncoding).toBe('gzip');
  });

  it.each(['SHA1', 'SHA256', 'CRC32C'] as const)('is held against its %s', async (ChecksumAlgorithm) => {
    await put('summed', 'bytes', { ChecksumAlgorithm });
    const got = await get('summed', { ChecksumMode: 'ENABLED' });
    expect(got[`Checksum${ChecksumAlgorithm}`]).toBeTypeOf('string');
  });

  it.each([
    ['x-amz-checksum-crc32', 'AAAAAA==', 'BadDigest'],
    ['x-amz-checksum-sha256', 'AAAA', 'BadDigest'],
    ['x-amz-checksum-crc64nvme', 'AAAAAAAAAAA=', 'BadDigest'],
    ['content-md5', 'AAAAAAAAAAAAAAAAAAAAAA==', 'BadDigest'],
    ['content-md5', 'short', 'InvalidDigest'],
    ['x-amz-content-sha256', '0'.repeat(64), 'XAmzContentSHA256Mismatch'],
  ])('with a wrong %s is refused and leaves nothing', async (header, value, code) => {
    const answer = await raw('/mail/wrong', { method: 'PUT', body: 'bytes', headers: { [header]: value } });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(`<Code>${code}</Code>`);
    expect((await raw('/mail/wrong')).status).toBe(404);
    expect(await readdir(join(cloud.home, 's3', 'incoming'))).toEqual([]);
  });

  it('is created once with If-None-Match', async () => {
    const results = await Promise.allSettled(
      [1, 2, 3].map((value) => put('once', `value ${value}`, { IfNoneMatch: '*' })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = results.find((result) => result.status === 'rejected');
    expect(refused?.reason).toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } });
  });

  it('is replaced whole, and its old bytes go', async () => {
    await put('replaced', 'old');
    const reading = await client.send(new GetObjectCommand({ Bucket, Key: 'replaced' }));
    await put('replaced', 'newer');
    expect(await reading.Body!.transformToString()).toBe('old');
    expect((await get('replaced')).bytes.toString()).toBe('newer');
  });

  it('answers ranges and conditions', async () => {
    const { ETag } = await put('digits', '0123456789');
    const part = await get('digits', { Range: 'bytes=2-4' });
    expect([part.bytes.toString(), part.ContentRange]).toEqual(['234', 'bytes 2-4/10']);
    expect((await get('digits', { Range: 'bytes=-3' })).bytes.toString()).toBe('789');
    expect((await get('digits', { Range: 'bytes=8-' })).bytes.toString()).toBe('89');
    await expect(get('digits', { Range: 'bytes=10-' })).rejects.toMatchObject({ name: 'InvalidRange' });
    await expect(get('digits', { IfNoneMatch: ETag })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    await expect(get('digits', { IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  it('is fetched by a presigned address that overrides its headers', async () => {
    await put('signed', 'bytes', { ContentType: 'text/html' });
    const address = await getSignedUrl(
      client,
      new GetObjectCommand({
        Bucket,
        Key: 'signed',
        ResponseContentDisposition: 'attachment; filename="a b.html"',
        ResponseContentType: 'application/octet-stream',
      }),
    );
    const answer = await fetch(address);
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="a b.html"');
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    caller = { kind: 'anonymous' };
    expect((await fetch(address)).status).toBe(400);
  });

  it.each([
    '../../etc/passwd',
    '/lead',
    'a//b',
    'dots/./..',
    'spaß & <x>"\r\n',
    '%2F',
    'ü'.repeat(512),
    '+ ?#',
  ])('may be named %j', async (Key) => {
    await put(Key, `body of ${Key}`);
    expect((await get(Key)).bytes.toString()).toBe(`body of ${Key}`);
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
    await expect(get(Key)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('has a name of at most 1,024 bytes', async () => {
    await expect(put('ü'.repeat(513), 'x')).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });

  it('keeps tags apart from its bytes', async () => {
    await put('tagged', 'original', { Tagging: 'a=1' });
    const Tagging = { TagSet: [{ Key: 'b', Value: '<2>' }] };
    await client.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging }));
    const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }));
    expect(TagSet).toEqual([{ Key: 'b', Value: '<2>' }]);
    expect((await get('tagged')).bytes.toString()).toBe('original');
  });

  it('needs a length', async () => {
    const body = new ReadableStream({
      start(sink) {
        sink.enqueue(new Uint8Array(3));
        sink.close();
      },
    });
    const answer = await raw('/mail/k', { method: 'PUT', body, duplex: 'half' });
    expect([answer.status, await answer.text()]).toEqual([
      411,
      expect.stringContaining('MissingContentLength'),
    ]);
  });
});

describe('a copy', () => {
  it('outlives its source and keeps or replaces its description', async () => {
    await put('source é', 'shared bytes', { ContentType: 'text/plain', Metadata: { one: '1' } });
    const CopySource = `${Bucket}/${encodeURIComponent('source é')}`;
    const { CopyObjectResult } = await client.send(
      new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }),
    );
    await client.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'other',
        CopySource,
        MetadataDirective: 'REPLACE',
        ContentType: 'text/css',
      }),
    );
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'source é' }));
    const kept = await get('copy');
    expect([kept.bytes.toString(), kept.ContentType, kept.Metadata]).toEqual([
      'shared bytes',
      'text/plain',
      { one: '1' },
    ]);
    expect(kept.ETag).toBe(CopyObjectResult?.ETag);
    const replaced = await get('other');
    expect([replaced.bytes.toString(), replaced.ContentType, replaced.Metadata]).toEqual([
      'shared bytes',
      'text/css',
      {},
    ]);
  });

  it('asks for both sides', async () => {
    await put('from', 'x');
    const copy = () =>
      client.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/from` }));
    cloud.deny = ({ action, resource }) => action === 's3:GetObject' && resource.endsWith('/from');
    await expect(copy()).rejects.toMatchObject({ name: 'AccessDenied' });
    cloud.deny = ({ action, resource }) => action === 's3:PutObject' && resource.endsWith('/to');
    await expect(copy()).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('grants', () => {
  it('are asked with the bucket policy and a secure transport', async () => {
    const PolicyDocument = { Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' }] };
    await deploy(s3, 'AWS::S3::Bucket', { BucketName: 'fenced' });
    await deploy(s3, 'AWS::S3::BucketPolicy', { Bucket: 'fenced', PolicyDocument });
    await client.send(new PutObjectCommand({ Bucket: 'fenced', Key: 'k', Body: 'x' }));
    expect(cloud.asked.at(-1)).toMatchObject({
      action: 's3:PutObject',
      resource: 'arn:aws:s3:::fenced/k',
      caller: testRole,
      context: { 'aws:SecureTransport': 'true' },
      resourcePolicy: PolicyDocument,
    });
  });

  it.each([
    ['s3:PutObject', () => put('k', 'x')],
    ['s3:GetObject', () => get('k')],
    ['s3:DeleteObject', () => client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))],
    ['s3:ListBucket', () => client.send(new ListObjectsV2Command({ Bucket }))],
    ['s3:GetObjectTagging', () => client.send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))],
  ])('missing for %s refuse the call, which is recorded', async (action, call) => {
    cloud.deny = (access) => access.action === action;
    await expect(call()).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    expect(cloud.calls.at(-1)).toMatchObject({ service: 's3', by: 'tester', error: 'AccessDenied' });
  });

  it('to list decide whether a missing key shows', async () => {
    await expect(get('nowhere')).rejects.toMatchObject({ name: 'NoSuchKey' });
    cloud.deny = ({ action }) => action === 's3:ListBucket';
    await expect(get('nowhere')).rejects.toMatchObject({ name: 'AccessDenied' });
    const head = client.send(new HeadObjectCommand({ Bucket, Key: 'nowhere' }));
    await expect(head).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  });

  it('count for another service that puts an object', async () => {
    const ses: Caller = { kind: 'service', service: 'ses.amazonaws.com', sourceAccount: cloud.account };
    await s3.putObject({ caller: ses, bucket: Bucket, key: 'incoming/1', bytes: Buffer.from('mail') });
    expect((await get('incoming/1')).bytes.toString()).toBe('mail');
    cloud.deny = ({ caller: asking }) => asking.kind === 'service';
    await expect(
      s3.putObject({ caller: ses, bucket: Bucket, key: 'incoming/2', bytes: Buffer.from('mail') }),
    ).rejects.toMatchObject({ code: 'AccessDenied' });
    expect(cloud.calls.at(-2)).toMatchObject({ action: 'GetObject' });
    expect(cloud.calls.at(-1)).toMatchObject({
      action: 'PutObject',
      by: 'ses.amazonaws.com',
      error: 'AccessDenied',
    });
  });
});

describe('deleting many', () => {
  it('answers for each key', async () => {
    await Promise.all(['d/1', 'd/2', 'd/<3>'].map((key) => put(key, 'x')));
    cloud.deny = ({ resource }) => resource.endsWith('d/2');
    const Objects = ['d/1', 'd/2', 'd/<3>', 'd/never'].map((Key) => ({ Key }));
    const answer = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['d/1', 'd/<3>', 'd/never']);
    expect(answer.Errors).toMatchObject([{ Key: 'd/2', Code: 'AccessDenied' }]);
    cloud.deny = () => false;
    const left = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'd/' }));
    expect(left.Contents?.map(({ Key }) => Key)).toEqual(['d/2']);
  });
});

describe('what is not played', () => {
  it('says so by name', async () => {
    const acl = client.send(new GetObjectAclCommand({ Bucket, Key: 'a/b' }));
    await expect(acl).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('GetObjectAcl'),
      $metadata: { httpStatusCode: 501 },
    });
    await expect(put('acl', 'x', { ACL: 'public-read' })).rejects.toMatchObject({
      name: 'AccessControlListNotSupported',
    });
  });

  it('includes buckets nobody deployed', async () => {
    await expect(client.send(new GetObjectCommand({ Bucket: 'nobody', Key: 'k' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });
});
