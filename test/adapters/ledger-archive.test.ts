import type { S3Client } from '@aws-sdk/client-s3';
import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledgerArchive } from '../../lib/adapters/ledger-archive.ts';
import { lockedBucket } from '../local/s3/locked-bucket.ts';
import type { StubCloud } from '../support/service-endpoint.ts';
import { s3House } from '../support/s3-house.ts';

const Bucket = lockedBucket.BucketName;
let cloud: StubCloud;
let s3: S3Client;
let close: () => Promise<void>;
beforeAll(async () => {
  ({
    cloud,
    close,
    client: s3,
  } = await s3House({
    bucket: lockedBucket,
    // Without the checksum that the SDK gives every put on its own: that may change.
    settings: { requestChecksumCalculation: 'WHEN_REQUIRED' },
  }));
});
afterAll(() => close());

const last = { number: 9, hash: 'h9' };
const keep = (first: number, text = 'text', end = last) =>
  ledgerArchive(Bucket, s3).keep('org_a', first, text, end);

describe('the archive of the ledger', () => {
  it('keeps an object locked, with a checksum, and says in it where it ends', async () => {
    expect(await keep(1)).toEqual(last);
    const Key = 'org_a/000000000001.ndjson';
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ContentType: 'application/x-ndjson',
      ContentLength: 4,
      Metadata: { 'last-seal': '9', 'last-hash': 'h9' },
      ChecksumSHA256: expect.any(String),
    });
    const { Retention } = await s3.send(new GetObjectRetentionCommand({ Bucket, Key }));
    expect(Retention?.Mode).toBe('GOVERNANCE');
    await expect(
      s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: head.VersionId })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('leaves what is there, and answers where that ends', async () => {
    await keep(20, 'first', { number: 25, hash: 'h25' });
    expect(await keep(20, 'second', { number: 29, hash: 'h29' })).toEqual({ number: 25, hash: 'h25' });
    const { ContentLength } = await s3.send(
      new HeadObjectCommand({ Bucket, Key: 'org_a/000000000020.ndjson' }),
    );
    expect(ContentLength).toBe('first'.length);
  });

  it('tells of an object that is not its own', async () => {
    const Key = 'org_a/000000000030.ndjson';
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ChecksumAlgorithm: 'SHA256' }));
    await expect(keep(30)).rejects.toThrow(`${Key} does not say where it ends`);
  });

  it('tries again where S3 says that another write is on its way, and then gives up', async () => {
    const conflicts = (times: number, first: number) => {
      let left = times;
      const busy = {
        send: async (command: PutObjectCommand) => {
          if (left-- <= 0) return s3.send(command);
          const $metadata = { httpStatusCode: 409 };
          throw new S3ServiceException({ name: 'ConditionalRequestConflict', $fault: 'client', $metadata });
        },
      } as unknown as S3Client;
      return ledgerArchive(Bucket, busy).keep('org_a', first, 'text', last);
    };
    expect(await conflicts(2, 40)).toEqual(last);
    await expect(conflicts(3, 41)).rejects.toMatchObject({ name: 'ConditionalRequestConflict' });
  });

  it('passes on what else S3 refuses', async () => {
    cloud.deny = ({ action }) => action === 's3:PutObject';
    await expect(keep(50)).rejects.toMatchObject({ name: 'AccessDenied' });
    cloud.deny = () => false;
  });
});
