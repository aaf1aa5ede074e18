import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3 } from '../../../lib/local/s3/s3.ts';
import { clientSettings, deploy, serve, testRole } from '../../support/service-endpoint.ts';
import { s3House } from '../../support/s3-house.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';

let cloud: StubCloud;
let s3: S3;
let client: S3Client;
let close: () => Promise<void>;
let buckets = 0;

beforeAll(async () => {
  ({ cloud, close, engine: s3, client } = await s3House());
});
afterAll(() => close());

async function bucketWith(keys: string[], properties = {}): Promise<string> {
  const { ref } = await deploy(s3, 'AWS::S3::Bucket', { BucketName: `bucket-${++buckets}`, ...properties });
  for (const key of keys) {
    await s3.putObject({ caller: testRole, bucket: ref, key, bytes: Buffer.from(key) });
  }
  return ref;
}

interface Options {
  Prefix?: string;
  Delimiter?: string;
  StartAfter?: string;
  MaxKeys?: number;
}

async function listAll(Bucket: string, options: Options) {
  const found = { keys: [] as string[], prefixes: [] as string[] };
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ...options, ContinuationToken }));
    found.keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
    found.prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix!));
    expect(page.KeyCount).toBeLessThanOrEqual(options.MaxKeys ?? 1000);
    expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  return found;
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What ListObjectsV2 means, written the slow way. */
function expected(keys: string[], { Prefix = '', Delimiter, StartAfter }: Options) {
  const within = [...new Set(keys)]
    .filter((key) => key.startsWith(Prefix) && (StartAfter === undefined || byBytes(key, StartAfter) > 0))
    .sort(byBytes);
  const rolled = (key: string) => {
    const end = Delimiter === undefined ? -1 : key.indexOf(Delimiter, Prefix.length);
    return end < 0 ? undefined : key.slice(0, end + Delimiter!.length);
  };
  const prefixes = new Set(within.map(rolled).filter((each) => each !== undefined));
  const started = [...prefixes].filter((each) => StartAfter?.startsWith(each) !== true);
  return { keys: within.filter((key) => rolled(key) === undefined), prefixes: started };
}

describe('a listing', () => {
  it('is the same in pages of any size', async () => {
    const key = fc.array(fc.constantFrom('a', 'b', '/', '//', 'é', '𝄞', '.'), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { minLength: 1, maxLength: 12 }),
        fc.record(
          {
            Prefix: fc.constantFrom('', 'a', 'a/', 'é'),
            Delimiter: fc.constantFrom('/', '//', 'b'),
            StartAfter: fc.constantFrom('a', 'a/', 'a/b', 'é'),
          },
          { requiredKeys: [] },
        ),
        fc.integer({ min: 1, max: 5 }),
        async (parts, options, MaxKeys) => {
          const keys = parts.map((each) => each.join(''));
          const bucket = await bucketWith(keys);
          expect(await listAll(bucket, { ...options, MaxKeys })).toEqual(expected(keys, options));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('asks IAM with the prefix', async () => {
    const Bucket = await bucketWith([]);
    await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'org/' }));
    expect(cloud.asked.at(-1)).toMatchObject({ action: 's3:ListBucket', context: { 's3:prefix': 'org/' } });
  });

  it('goes with the bucket itself', async () => {
    const Bucket = await bucketWith([]);
    expect((await client.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('us-east-1');
    expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint ?? '').toBe('');
  });
});

describe('an upload in parts', () => {
  const parts = [Buffer.alloc(5 * 1024 ** 2, 'a'), Buffer.alloc(5 * 1024 ** 2 + 1, 'b'), Buffer.from('end')];

  it('becomes one object through lib-storage', async () => {
    const Bucket = await bucketWith([]);
    const Body = Buffer.concat(parts);
    const upload = new Upload({
      client,
      params: { Bucket, Key: 'large', Body, ContentType: 'message/rfc822' },
    });
    const { ETag } = await upload.done();
    expect(ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'large', ChecksumMode: 'ENABLED' }));
    expect([got.ContentType, got.ChecksumType]).toEqual(['message/rfc822', 'COMPOSITE']);
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Body)).toBe(true);
  });

  it('is listed, checked and cleared away', async () => {
    const Bucket = await bucketWith([]);
    const target = { Bucket, Key: 'k' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    const upload = { ...target, UploadId };
    const first = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'small' }));
    const second = await client.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'rest' }));
    const { Parts } = await client.send(new ListPartsCommand(upload));
    expect(Parts).toMatchObject([
      { PartNumber: 1, ETag: first.ETag, Size: 5 },
      { PartNumber: 2, ETag: second.ETag, Size: 4 },
    ]);
    const complete = (list: { PartNumber: number; ETag?: string | undefined }[]) =>
      client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: list } }));
    const [one, two] = [
      { PartNumber: 1, ETag: first.ETag },
      { PartNumber: 2, ETag: second.ETag },
    ] as const;
    await expect(complete([one, two])).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await expect(complete([two, one])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete([{ ...one, ETag: '"0"' }])).rejects.toMatchObject({ name: 'InvalidPart' });
    const before = await blobs();
    await client.send(new AbortMultipartUploadCommand(upload));
    expect(await blobs()).toBe(before - 2);
    await expect(complete([one])).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('with a checksum of its parts’ checksums is made only by who names them', async () => {
    const target = { Bucket: await bucketWith([]), Key: 'k' };
    const ChecksumAlgorithm = 'CRC32';
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm }),
    );
    const upload = { ...target, UploadId };
    const { ETag, ChecksumCRC32 } = await client.send(
      new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'all', ChecksumAlgorithm }),
    );
    const complete = (part: { ETag: string | undefined; ChecksumCRC32?: string | undefined }) =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...upload,
          MultipartUpload: { Parts: [{ PartNumber: 1, ...part }] },
        }),
      );
    await expect(complete({ ETag })).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining('missing for part 1'),
    });
    await complete({ ETag, ChecksumCRC32 });
  });
});

const blobs = async () => {
  const entries = await readdir(join(cloud.home, 's3', 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
};

describe('lifecycle rules', () => {
  const day = 24 * 60 * 60 * 1000;

  it('expire by prefix and abort stale uploads as the clock passes midnight', async () => {
    const Rules = [
      { Status: 'Enabled', Prefix: 'incoming/', ExpirationInDays: 3 },
      { Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      { Status: 'Disabled', ExpirationInDays: 1 },
    ];
    const Bucket = await bucketWith(['incoming/old', 'kept'], { LifecycleConfiguration: { Rules } });
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }));
    cloud.clock.advance(2 * day);
    expect((await listAll(Bucket, {})).keys).toEqual(['incoming/old', 'kept']);
    await expect(client.send(new ListPartsCommand({ Bucket, Key: 'k', UploadId }))).rejects.toMatchObject({
      name: 'NoSuchUpload',
    });
    cloud.clock.advance(2 * day);
    expect((await listAll(Bucket, {})).keys).toEqual(['kept']);
  });

  it('expire what has all their tags', async () => {
    const tag = (Key: string, Value: string) => ({ Key, Value });
    const Rules = [
      { Status: 'Enabled', TagFilters: [tag('kept', 'short'), tag('of', 'ada')], ExpirationInDays: 3 },
      { Status: 'Enabled', Prefix: 'b/', TagFilters: [tag('kept', 'long')], ExpirationInDays: 8 },
    ];
    const Bucket = await bucketWith(['plain'], { LifecycleConfiguration: { Rules } });
    for (const [Key, Tagging] of [
      ['both', 'kept=short&of=ada'],
      ['half', 'kept=short'],
      ['b/long', 'kept=long&more=1'],
      ['c/long', 'kept=long'],
    ])
      await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', Tagging }));
    cloud.clock.advance(4 * day);
    expect((await listAll(Bucket, {})).keys).toEqual(['b/long', 'c/long', 'half', 'plain']);
    cloud.clock.advance(6 * day);
    expect((await listAll(Bucket, {})).keys).toEqual(['c/long', 'half', 'plain']);
  });
});

describe('bucket resources', () => {
  it('answer what a template asks for', async () => {
    expect(await deploy(s3, 'AWS::S3::Bucket', {}, 'Stack-Bucket-1')).toMatchObject({
      ref: 'stack-bucket-1',
      attributes: {
        Arn: 'arn:aws:s3:::stack-bucket-1',
        RegionalDomainName: 'stack-bucket-1.s3.us-east-1.amazonaws.com',
      },
    });
  });

  it.each([
    [{ ObjectSizeLessThan: '1' }, 'ObjectSizeLessThan'],
    [{ TagFilters: [], AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }, 'neither has tags'],
    [{ TagFilters: [], NoncurrentVersionExpiration: { NoncurrentDays: 1 } }, 'TagFilters are not played'],
  ])('refuse the lifecycle rule %j', async (rule, message) => {
    const properties = { LifecycleConfiguration: { Rules: [{ Status: 'Enabled', ...rule }] } };
    await expect(deploy(s3, 'AWS::S3::Bucket', properties)).rejects.toThrow(message);
  });

  it('refuse a public policy on a bucket that blocks them', async () => {
    const Bucket = await bucketWith([]);
    const Statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' };
    const policy = deploy(s3, 'AWS::S3::BucketPolicy', { Bucket, PolicyDocument: { Statement } });
    await expect(policy).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('survive a restart with their objects', async () => {
    const Bucket = await bucketWith(['k']);
    const again = new S3({ ...cloud });
    await deploy(again, 'AWS::S3::Bucket', { BucketName: Bucket });
    const { url, close: stop } = await serve(again);
    const second = new S3Client({ ...clientSettings(url), forcePathStyle: true });
    const got = await second
      .send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', IfNoneMatch: '*' }))
      .catch((error: unknown) => error);
    expect(got).toMatchObject({ name: 'PreconditionFailed' });
    second.destroy();
    await stop();
    await again.stop();
  });
});
