import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { ObjectLockRetentionMode, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Iam } from '../../../lib/local/iam/iam.ts';
import type { S3 } from '../../../lib/local/s3/s3.ts';
import { deploy, testRole } from '../../support/service-endpoint.ts';
import { s3House } from '../../support/s3-house.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';

const day = 24 * 60 * 60 * 1000;
let cloud: StubCloud;
let s3: S3;
let client: S3Client;
let url: string;
let close: () => Promise<void>;
let buckets = 0;
let Bucket: string;

beforeAll(async () => {
  ({ cloud, close, engine: s3, client, url } = await s3House());
});
afterEach(() => {
  cloud.deny = () => false;
});
afterAll(() => close());

const locked = (DefaultRetention?: object) => ({
  ObjectLockEnabled: true,
  ObjectLockConfiguration: {
    ObjectLockEnabled: 'Enabled',
    ...(DefaultRetention && { Rule: { DefaultRetention } }),
  },
});
async function bucket(properties: object) {
  Bucket = `locked-${++buckets}`;
  return deploy(s3, 'AWS::S3::Bucket', { BucketName: Bucket, ...properties });
}
const put = async (Key: string, more = {}) =>
  (await client.send(new PutObjectCommand({ Bucket, Key, Body: 'line', ...more }))).VersionId!;
const head = (Key: string, VersionId?: string) =>
  client.send(new HeadObjectCommand({ Bucket, Key, VersionId }));
const remove = (Key: string, VersionId: string, BypassGovernanceRetention?: boolean) =>
  client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention }));
const inDays = (days: number) => new Date(cloud.clock.now() + days * day);
const retain = (VersionId: string, Mode: ObjectLockRetentionMode, days: number, bypass?: boolean) =>
  client.send(
    new PutObjectRetentionCommand({
      Bucket,
      Key: 'k',
      VersionId,
      Retention: { Mode, RetainUntilDate: inDays(days) },
      BypassGovernanceRetention: bypass,
    }),
  );
const retention = async (VersionId?: string) =>
  (await client.send(new GetObjectRetentionCommand({ Bucket, Key: 'k', VersionId }))).Retention;
const refused = (name: string, httpStatusCode: number) =>
  expect.objectContaining({ name, $metadata: expect.objectContaining({ httpStatusCode }) as unknown });
const denied = refused('AccessDenied', 403);

describe.each(['GOVERNANCE', 'COMPLIANCE'] as const)('a bucket with a default retention in %s', (Mode) => {
  it('keeps each version until its day by the clock of the cloud', async () => {
    await bucket(locked({ Mode, Days: 2 }));
    const version = await put('k', { IfNoneMatch: '*' });
    const { ObjectLockMode, ObjectLockRetainUntilDate } = await head('k');
    expect(ObjectLockMode).toBe(Mode);
    expect(Math.abs(ObjectLockRetainUntilDate!.getTime() - cloud.clock.now() - 2 * day)).toBeLessThan(5000);
    expect(await retention()).toEqual({ Mode, RetainUntilDate: ObjectLockRetainUntilDate });
    // What an attacker with every right but the bypass can do is to cover it.
    await expect(put('k', { IfNoneMatch: '*' })).rejects.toEqual(refused('PreconditionFailed', 412));
    await put('k', { Body: 'forged' });
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    await expect(remove('k', version)).rejects.toEqual(denied);
    const Objects = [{ Key: 'k', VersionId: version }];
    const many = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(many.Errors).toMatchObject([{ Key: 'k', VersionId: version, Code: 'AccessDenied' }]);
    expect((await head('k', version)).ContentLength).toBe(4);
    cloud.clock.advance(2 * day + 5000);
    await remove('k', version);
    await expect(head('k', version)).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
  });

  it('says what it is', async () => {
    await bucket(locked({ Mode, Years: 1 }));
    const { ObjectLockConfiguration } = await client.send(new GetObjectLockConfigurationCommand({ Bucket }));
    expect(ObjectLockConfiguration).toEqual({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode, Days: 365 } },
    });
  });

  it('locks what comes in parts and what is copied, from a source that is not', async () => {
    await bucket({});
    const source = Bucket;
    await put('k');
    await bucket(locked({ Mode, Days: 1 }));
    const copy = await client.send(new CopyObjectCommand({ Bucket, Key: 'c', CopySource: `${source}/k` }));
    const target = { Bucket, Key: 'p' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    const part = await client.send(
      new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'parts' }),
    );
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
    const made = await client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }),
    );
    await expect(remove('c', copy.VersionId!)).rejects.toEqual(denied);
    await expect(remove('p', made.VersionId!)).rejects.toEqual(denied);
  });

  it('takes no bytes without a checksum, from SES neither', async () => {
    await bucket(locked({ Mode, Days: 1 }));
    const bare = await fetch(`${url}/${Bucket}/k`, { method: 'PUT', body: 'x' });
    expect([bare.status, await bare.text()]).toEqual([400, expect.stringContaining('Content-MD5 OR')]);
    const ses = s3.putObject({ caller: testRole, bucket: Bucket, key: 'k', bytes: Buffer.from('mail') });
    await expect(ses).rejects.toMatchObject({ code: 'InvalidRequest' });
    const upload = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }));
    const path = `${url}/${Bucket}/k?partNumber=1&uploadId=${upload.UploadId!}`;
    const part = await fetch(path, { method: 'PUT', body: 'x' });
    expect([part.status, await part.text()]).toEqual([400, expect.stringContaining('Put Part')]);
    const md5 = { 'content-md5': 'nd0dYNaLooTGgaGwbdaqag==' };
    const sent = await fetch(`${url}/${Bucket}/k`, { method: 'PUT', body: 'x', headers: md5 });
    expect(await sent.text()).toContain('BadDigest');
  });

  it('is expired by no lifecycle rule before its time', async () => {
    const Rules = [
      {
        Status: 'Enabled',
        ExpirationInDays: 1,
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      },
    ];
    await bucket({ ...locked({ Mode, Days: 10 }), LifecycleConfiguration: { Rules } });
    const version = await put('k');
    cloud.clock.advance(8 * day);
    const { DeleteMarkers, Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(DeleteMarkers).toMatchObject([{ IsLatest: true }]);
    expect(Versions).toMatchObject([{ VersionId: version, IsLatest: false }]);
    cloud.clock.advance(4 * day);
    const after = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect([after.Versions, after.DeleteMarkers]).toEqual([undefined, undefined]);
  });
});

describe('a governance retention', () => {
  it('is set aside by who may and says so', async () => {
    await bucket(locked({ Mode: 'GOVERNANCE', Days: 5 }));
    const version = await put('k');
    cloud.deny = ({ action }) => action === 's3:BypassGovernanceRetention';
    await expect(remove('k', version, true)).rejects.toEqual(denied);
    expect(cloud.asked.at(-1)).toMatchObject({
      action: 's3:BypassGovernanceRetention',
      resource: `arn:aws:s3:::${Bucket}/k`,
      context: { 's3:object-lock-mode': 'GOVERNANCE', 's3:object-lock-remaining-retention-days': '5' },
    });
    cloud.deny = () => false;
    await expect(remove('k', version)).rejects.toEqual(denied);
    expect((await remove('k', version, true)).VersionId).toBe(version);
  });

  it('is made longer freely, and otherwise changed only with the bypass', async () => {
    await bucket(locked({ Mode: 'GOVERNANCE', Days: 5 }));
    const version = await put('k');
    await retain(version, 'GOVERNANCE', 7);
    await expect(retain(version, 'GOVERNANCE', 6)).rejects.toEqual(denied);
    await expect(retain(version, 'COMPLIANCE', 8)).rejects.toEqual(denied);
    cloud.deny = ({ action }) => action === 's3:BypassGovernanceRetention';
    await expect(retain(version, 'GOVERNANCE', 1, true)).rejects.toEqual(denied);
    cloud.deny = () => false;
    await retain(version, 'GOVERNANCE', 1, true);
    const none = new PutObjectRetentionCommand({
      Bucket,
      Key: 'k',
      Retention: {},
      BypassGovernanceRetention: true,
    });
    await client.send(none);
    await expect(retention()).rejects.toEqual(refused('NoSuchObjectLockConfiguration', 404));
    await remove('k', version);
  });
});

describe('a compliance retention', () => {
  it('is set aside by nobody and only made longer', async () => {
    await bucket(locked({ Mode: 'COMPLIANCE', Days: 5 }));
    const version = await put('k');
    await expect(remove('k', version, true)).rejects.toEqual(denied);
    await expect(retain(version, 'COMPLIANCE', 4, true)).rejects.toEqual(denied);
    await expect(retain(version, 'GOVERNANCE', 9, true)).rejects.toEqual(denied);
    const none = { Bucket, Key: 'k', Retention: {}, BypassGovernanceRetention: true };
    await expect(client.send(new PutObjectRetentionCommand(none))).rejects.toEqual(denied);
    await retain(version, 'COMPLIANCE', 9);
    expect(
      Math.round(((await retention(version))!.RetainUntilDate!.getTime() - cloud.clock.now()) / day),
    ).toBe(9);
    cloud.clock.advance(6 * day);
    await expect(remove('k', version, true)).rejects.toEqual(denied);
    const Status = 'Suspended';
    const off = new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } });
    await expect(client.send(off)).rejects.toEqual(refused('NotImplemented', 501));
  });
});

describe('a retention of its own', () => {
  const own = (days: number, ObjectLockMode = 'GOVERNANCE') => ({
    ObjectLockMode,
    ObjectLockRetainUntilDate: inDays(days),
  });

  it('comes with a put, a copy and an upload in parts, and is a right of its own', async () => {
    await bucket(locked({ Mode: 'GOVERNANCE', Days: 1 }));
    await put('k', own(30, 'COMPLIANCE'));
    expect(cloud.asked.at(-1)).toMatchObject({
      action: 's3:PutObjectRetention',
      context: { 's3:object-lock-mode': 'COMPLIANCE', 's3:object-lock-remaining-retention-days': '30' },
    });
    expect((await head('k')).ObjectLockMode).toBe('COMPLIANCE');
    const copy = { Bucket, Key: 'c', CopySource: `${Bucket}/k` };
    await client.send(new CopyObjectCommand(copy as never));
    expect((await head('c')).ObjectLockMode).toBe('GOVERNANCE');
    await client.send(new CopyObjectCommand({ ...copy, ...own(20, 'COMPLIANCE') } as never));
    expect((await head('c')).ObjectLockMode).toBe('COMPLIANCE');
    const target = { Bucket, Key: 'p', ...own(20, 'COMPLIANCE') };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target as never));
    const upload = { Bucket, Key: 'p', UploadId };
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'x' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    expect((await head('p')).ObjectLockMode).toBe('COMPLIANCE');
    cloud.deny = ({ action }) => action === 's3:PutObjectRetention';
    await expect(put('k', own(1))).rejects.toEqual(denied);
    await expect(put('k')).resolves.toBeDefined();
  });

  it.each([
    ['a mode alone', () => ({ ObjectLockMode: 'GOVERNANCE' }), 'InvalidArgument'],
    ['another mode', () => own(1, 'FOREVER'), 'InvalidArgument'],
    ['a day that has passed', () => own(-1), 'InvalidArgument'],
    ['another hold', () => ({ ObjectLockLegalHoldStatus: 'MAYBE' }), 'InvalidArgument'],
  ])('with %s is refused', async (_, more, code) => {
    await bucket(locked());
    await expect(put('k', more())).rejects.toEqual(refused(code, 400));
  });

  it('is shown to who may see it', async () => {
    await bucket(locked());
    const version = await put('k', { ...own(3), ObjectLockLegalHoldStatus: 'ON' });
    cloud.deny = ({ action }) => action === 's3:GetObjectRetention';
    expect(await head('k', version)).toMatchObject({ ObjectLockLegalHoldStatus: 'ON', VersionId: version });
    expect((await head('k')).ObjectLockMode).toBeUndefined();
    expect(cloud.asked.findLast(({ action }) => action === 's3:GetObjectRetention')?.quiet).toBe(true);
    await expect(retention()).rejects.toEqual(denied);
  });

  it('is hidden without a word of a missing grant', () => {
    const printed: string[] = [];
    const { account, region, clock } = cloud;
    const iam = new Iam({ account, region, clock, print: (line) => printed.push(line) });
    const access = { caller: testRole, action: 's3:GetObjectRetention', resource: 'arn:aws:s3:::b/k' };
    expect(() => iam.authorize({ ...access, quiet: true })).toThrow('not authorized');
    expect([iam.refusals, printed]).toEqual([[], []]);
    expect(() => iam.authorize(access)).toThrow('not authorized');
    expect([iam.refusals.length, printed.length]).toEqual([1, 1]);
  });

  it('is not for a bucket without Object Lock', async () => {
    await bucket({ VersioningConfiguration: { Status: 'Enabled' } });
    await expect(put('k', own(1))).rejects.toEqual(refused('InvalidRequest', 400));
    const version = await put('k');
    await expect(retain(version, 'GOVERNANCE', 1)).rejects.toEqual(refused('InvalidRequest', 400));
    await expect(remove('k', version, true)).rejects.toEqual(refused('InvalidArgument', 400));
    await expect(client.send(new GetObjectLockConfigurationCommand({ Bucket }))).rejects.toEqual(
      refused('ObjectLockConfigurationNotFoundError', 404),
    );
  });
});

describe('a legal hold', () => {
  it('keeps a version from everybody until it is lifted', async () => {
    await bucket(locked());
    const version = await put('k');
    const hold = (Status: 'ON' | 'OFF') =>
      client.send(new PutObjectLegalHoldCommand({ Bucket, Key: 'k', LegalHold: { Status } }));
    const status = async () =>
      (await client.send(new GetObjectLegalHoldCommand({ Bucket, Key: 'k' }))).LegalHold?.Status;
    await expect(status()).rejects.toEqual(refused('NoSuchObjectLockConfiguration', 404));
    await hold('ON');
    expect(await status()).toBe('ON');
    await expect(remove('k', version, true)).rejects.toEqual(denied);
    await retain(version, 'GOVERNANCE', 1);
    expect(await status()).toBe('ON');
    await hold('OFF');
    expect(await retention()).toMatchObject({ Mode: 'GOVERNANCE' });
    await remove('k', version, true);
  });
});

describe('the properties of a bucket', () => {
  const rule = (DefaultRetention: object) => locked(DefaultRetention);
  it.each([
    [
      'a configuration without the switch',
      { ...rule({ Mode: 'GOVERNANCE', Days: 1 }), ObjectLockEnabled: false },
      'needs ObjectLockEnabled',
    ],
    [
      'a retention that is not enabled',
      {
        ObjectLockEnabled: true,
        ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } },
      },
      "'Enabled'",
    ],
    ['days and years', rule({ Mode: 'GOVERNANCE', Days: 1, Years: 1 }), 'either Days or Years'],
    ['neither', rule({ Mode: 'GOVERNANCE' }), 'either Days or Years'],
    ['no days', rule({ Mode: 'GOVERNANCE', Days: 0 }), 'Days'],
    ['101 years', rule({ Mode: 'GOVERNANCE', Years: 101 }), 'Years'],
    ['another mode', rule({ Mode: 'FOREVER', Days: 1 }), 'Mode'],
    [
      'suspended versions',
      { ...locked(), VersioningConfiguration: { Status: 'Suspended' } },
      'cannot be suspended',
    ],
    [
      'an expiry of markers beside that of days',
      {
        LifecycleConfiguration: {
          Rules: [{ Status: 'Enabled', ExpirationInDays: 1, ExpiredObjectDeleteMarker: true }],
        },
      },
      'ExpiredObjectDeleteMarker',
    ],
  ])('refuse %s', async (_, properties, message) => {
    await expect(bucket(properties)).rejects.toThrow(message);
  });

  it('turn versions on by themselves, and Object Lock is not taken away from locked objects', async () => {
    await bucket({ ObjectLockEnabled: true });
    expect(await put('k')).toHaveLength(32);
    await put('k', { ObjectLockLegalHoldStatus: 'ON' });
    const plain = { BucketName: Bucket, VersioningConfiguration: { Status: 'Enabled' } };
    await expect(deploy(s3, 'AWS::S3::Bucket', plain)).rejects.toThrow('cannot be disabled');
  });

  it('may all stand together', async () => {
    const deployed = await bucket({
      ...locked({ Mode: 'COMPLIANCE', Days: 365 }),
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      LifecycleConfiguration: {
        Rules: [
          {
            Status: 'Enabled',
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            Transitions: [{ StorageClass: 'GLACIER_IR', TransitionInDays: 30 }],
          },
          { Status: 'Enabled', ExpiredObjectDeleteMarker: true },
        ],
      },
    });
    expect(deployed.ref).toBe(Bucket);
  });
});
