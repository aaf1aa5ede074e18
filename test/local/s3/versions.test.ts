import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { S3Client } from '@aws-sdk/client-s3';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { S3 } from '../../../lib/local/s3/s3.ts';
import { deploy, removeHome, serve, stubCloud } from '../../support/service-endpoint.ts';
import { s3House } from '../../support/s3-house.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';

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

const enabled = { VersioningConfiguration: { Status: 'Enabled' } };
const suspended = { VersioningConfiguration: { Status: 'Suspended' } };
const redeploy = (properties: object) => deploy(s3, 'AWS::S3::Bucket', { BucketName: Bucket, ...properties });
async function bucket(properties: object = enabled) {
  Bucket = `versions-${++buckets}`;
  await redeploy(properties);
}
const put = async (Key: string, Body: string, more = {}) =>
  (await client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))).VersionId;
const get = async (Key: string, VersionId?: string) => {
  const answer = await client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return [await answer.Body!.transformToString(), answer.VersionId];
};
const remove = (Key: string, VersionId?: string) =>
  client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
const refused = (name: string, httpStatusCode: number) =>
  expect.objectContaining({ name, $metadata: expect.objectContaining({ httpStatusCode }) as unknown });
const raw = (path: string, init: RequestInit = {}) => fetch(`${url}/${Bucket}/${path}`, init);
const listed = async () => {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key, Size }) => [Key, Size]);
};
/** Every version and marker as `key version kind`, in pages of `MaxKeys`. */
async function versions(options: { MaxKeys?: number; Prefix?: string; Delimiter?: string } = {}) {
  const found: { Key: string; VersionId: string; kind: string }[] = [];
  const prefixes: string[] = [];
  let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket, ...options, ...markers }));
    const { Versions = [], DeleteMarkers = [], CommonPrefixes = [] } = page;
    const kinds = [
      ...Versions.map((each) => ({ ...each, kind: each.IsLatest ? 'latest' : 'older' })),
      ...DeleteMarkers.map((each) => ({ ...each, kind: each.IsLatest ? 'latest marker' : 'marker' })),
    ];
    found.push(...kinds.map(({ Key, VersionId, kind }) => ({ Key: Key!, VersionId: VersionId!, kind })));
    prefixes.push(...CommonPrefixes.map(({ Prefix }) => Prefix!));
    expect(kinds.length + CommonPrefixes.length).toBeLessThanOrEqual(options.MaxKeys ?? 1000);
    if (page.IsTruncated !== true) return { found, prefixes };
    markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

describe('a bucket that keeps versions', () => {
  it('gives each put a version that stays', async () => {
    await bucket();
    const [first, second] = [await put('k', 'one'), await put('k', 'second')];
    expect(first).toMatch(/^[\w-]{32}$/);
    expect(second).not.toBe(first);
    expect(await get('k')).toEqual(['second', second]);
    expect(await get('k', first)).toEqual(['one', first]);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'k', VersionId: first }));
    expect([head.ContentLength, head.VersionId]).toEqual([3, first]);
    expect(await listed()).toEqual([['k', 6]]);
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket }));
    expect(Status).toBe('Enabled');
  });

  it('hides a deleted key behind a marker, and shows it again when the marker goes', async () => {
    await bucket();
    const version = await put('k', 'one');
    const { DeleteMarker, VersionId: marker } = await remove('k');
    expect([DeleteMarker, marker]).toEqual([true, expect.stringMatching(/^[\w-]{32}$/)]);
    const answer = await raw('k');
    expect([answer.status, answer.headers.get('x-amz-delete-marker')]).toEqual([404, 'true']);
    expect(answer.headers.get('x-amz-version-id')).toBe(marker);
    expect(await answer.text()).toContain('<Code>NoSuchKey</Code>');
    const direct = await raw(`k?versionId=${marker!}`);
    expect([direct.status, direct.headers.get('allow')]).toEqual([405, 'DELETE']);
    expect(direct.headers.get('x-amz-delete-marker')).toBe('true');
    expect((await raw('k', { method: 'HEAD' })).headers.get('x-amz-delete-marker')).toBe('true');
    expect(await listed()).toEqual([]);
    expect(await get('k', version)).toEqual(['one', version]);
    expect(await remove('k', marker)).toMatchObject({ DeleteMarker: true, VersionId: marker });
    expect(await get('k')).toEqual(['one', version]);
  });

  it('puts a marker on nothing too, and forgets a version only by its id', async () => {
    await bucket();
    expect((await remove('never')).DeleteMarker).toBe(true);
    const [first, second] = [await put('k', 'one'), await put('k', 'two')];
    const gone = await remove('k', second);
    expect([gone.VersionId, gone.DeleteMarker]).toEqual([second, undefined]);
    expect(await get('k')).toEqual(['one', first]);
    await expect(get('k', second)).rejects.toEqual(refused('NoSuchVersion', 404));
    expect((await remove('k', second)).VersionId).toBe(second);
    await expect(get('k', 'no-version')).rejects.toEqual(refused('InvalidArgument', 400));
    expect((await raw('k?versionId=null')).status).toBe(404);
  });

  it('creates with If-None-Match where there is no current version', async () => {
    await bucket();
    await put('k', 'one', { IfNoneMatch: '*' });
    await expect(put('k', 'two', { IfNoneMatch: '*' })).rejects.toEqual(refused('PreconditionFailed', 412));
    await remove('k');
    await expect(put('k', 'three', { IfNoneMatch: '*' })).resolves.toBeDefined();
  });

  it('answers 409 to If-None-Match when the key goes while the body comes', async () => {
    await bucket();
    await put('k', 'one');
    const before = cloud.asked.length;
    let rest!: () => void;
    const body = new ReadableStream({
      start(sink) {
        sink.enqueue(Buffer.from('ab'));
        rest = () => {
          sink.enqueue(Buffer.from('cd'));
          sink.close();
        };
      },
    });
    const headers = {
      'if-none-match': '*',
      'x-amz-decoded-content-length': '4',
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    };
    const framed = body.pipeThrough(
      new TransformStream<Buffer, Buffer>({
        transform: (bytes, sink) => sink.enqueue(Buffer.from(`2\r\n${bytes.toString()}\r\n`)),
        flush: (sink) => sink.enqueue(Buffer.from('0\r\n\r\n')),
      }),
    );
    const sent = raw('k', { method: 'PUT', body: framed, headers, duplex: 'half' });
    while (!cloud.asked.slice(before).some(({ action }) => action === 's3:PutObject'))
      await new Promise(setImmediate);
    await remove('k');
    rest();
    const answer = await sent;
    expect([answer.status, await answer.text()]).toEqual([
      409,
      expect.stringContaining('ConditionalRequestConflict'),
    ]);
  });

  it('keeps the versions of uploads in parts, of copies and of tags apart', async () => {
    await bucket();
    const old = await put('k', 'old', { Tagging: 'a=1' });
    const target = { Bucket, Key: 'k' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    const part = { PartNumber: 1, Body: 'in parts' };
    const { ETag } = await client.send(new UploadPartCommand({ ...target, UploadId, ...part }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const made = await client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }),
    );
    expect(await get('k')).toEqual(['in parts', made.VersionId]);
    const CopySource = `${Bucket}/k?versionId=${old!}`;
    const copy = await client.send(new CopyObjectCommand({ Bucket, Key: 'k', CopySource }));
    expect(copy.CopySourceVersionId).toBe(old);
    expect(await get('k')).toEqual(['old', copy.VersionId]);
    const Tagging = { TagSet: [{ Key: 'b', Value: '2' }] };
    await client.send(new PutObjectTaggingCommand({ ...target, VersionId: old, Tagging }));
    const tags = async (VersionId?: string) =>
      (await client.send(new GetObjectTaggingCommand({ ...target, VersionId }))).TagSet;
    expect(await tags(old)).toEqual(Tagging.TagSet);
    expect(await tags()).toEqual([{ Key: 'a', Value: '1' }]);
    await remove('k', old);
    expect(await get('k')).toEqual(['old', copy.VersionId]);
    const { VersionId: marker } = await remove('k');
    const ofMarker = client.send(
      new CopyObjectCommand({ Bucket, Key: 'x', CopySource: `${Bucket}/k?versionId=${marker!}` }),
    );
    await expect(ofMarker).rejects.toEqual(refused('InvalidRequest', 400));
  });

  it('deletes many, each with what became of it', async () => {
    await bucket();
    const [a, b] = [await put('a', '1'), await put('b', '1')];
    const { VersionId: marker } = await remove('b');
    const Objects = [
      { Key: 'a' },
      { Key: 'b', VersionId: b },
      { Key: 'b', VersionId: marker },
      { Key: 'a', VersionId: 'odd' },
    ];
    const answer = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(answer.Deleted).toEqual([
      { Key: 'a', DeleteMarker: true, DeleteMarkerVersionId: expect.any(String) as string },
      { Key: 'b', VersionId: b },
      { Key: 'b', VersionId: marker, DeleteMarker: true, DeleteMarkerVersionId: marker },
    ]);
    expect(answer.Errors).toMatchObject([{ Key: 'a', VersionId: 'odd', Code: 'InvalidArgument' }]);
    expect((await versions()).found).toMatchObject([
      { Key: 'a', VersionId: a, kind: 'older' },
      { Key: 'a', kind: 'latest marker' },
    ]);
  });

  it('asks IAM for the rights of versions by their names', async () => {
    await bucket();
    const version = await put('k', 'x');
    const asked = async (call: () => Promise<unknown>) => {
      const before = cloud.asked.length;
      await call();
      return cloud.asked[before];
    };
    const context = { 's3:VersionId': version };
    expect(await asked(() => get('k'))).toMatchObject({ action: 's3:GetObject' });
    expect(await asked(() => get('k', version))).toMatchObject({ action: 's3:GetObjectVersion', context });
    const tags = () => client.send(new GetObjectTaggingCommand({ Bucket, Key: 'k', VersionId: version }));
    expect(await asked(tags)).toMatchObject({ action: 's3:GetObjectVersionTagging', context });
    expect(await asked(() => versions({ Prefix: 'k', Delimiter: '/' }))).toMatchObject({
      action: 's3:ListBucketVersions',
      resource: `arn:aws:s3:::${Bucket}`,
      context: { 's3:prefix': 'k', 's3:delimiter': '/' },
    });
    expect(await asked(() => remove('k'))).toMatchObject({ action: 's3:DeleteObject' });
    cloud.deny = ({ action }) => action === 's3:DeleteObjectVersion';
    await expect(remove('k', version)).rejects.toEqual(refused('AccessDenied', 403));
    cloud.deny = ({ action }) => action === 's3:ListBucket';
    await expect(get('k')).rejects.toEqual(refused('AccessDenied', 403));
  });
});

describe('a listing of versions', () => {
  const order = (found: { Key: string; VersionId: string }[]) =>
    found.map(({ Key, VersionId }) => `${Key} ${VersionId}`).sort();

  it('is the same in pages of any size, each key newest first', async () => {
    await bucket();
    for (const key of ['a', 'b/1', 'b/2', 'ü'])
      for (const body of ['1', '2', '3']) await put(key, `${key}${body}`);
    await remove('b/1');
    await remove('a');
    await put('a', 'back');
    const whole = (await versions()).found;
    expect(whole).toHaveLength(15);
    const ofA = whole.filter(({ Key, kind }) => Key === 'a' && !kind.includes('marker'));
    const sizes = await Promise.all(ofA.map(({ VersionId }) => get('a', VersionId)));
    expect(sizes.map(([text]) => text)).toEqual(['back', 'a3', 'a2', 'a1']);
    expect(whole.filter(({ kind }) => kind.startsWith('latest')).map(({ Key, kind }) => [Key, kind])).toEqual(
      [
        ['a', 'latest'],
        ['b/2', 'latest'],
        ['ü', 'latest'],
        ['b/1', 'latest marker'],
      ],
    );
    for (const MaxKeys of [1, 2, 3, 7])
      expect(order((await versions({ MaxKeys })).found)).toEqual(order(whole));
    const below = (await versions({ MaxKeys: 2, Prefix: 'b/' })).found;
    expect(order(below)).toEqual(order(whole.filter(({ Key }) => Key.startsWith('b/'))));
    const rolled = await versions({ MaxKeys: 1, Delimiter: '/' });
    expect(rolled.prefixes).toEqual(['b/']);
    expect(order(rolled.found)).toEqual(order(whole.filter(({ Key }) => !Key.startsWith('b/'))));
  });

  it('goes on where it was when what it told of is deleted meanwhile', async () => {
    await bucket();
    for (const body of ['1', '2', '3', '4', '5']) await put('k', body);
    let seen = 0;
    let markers = {};
    for (;;) {
      const page = await client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2, ...markers }));
      for (const { VersionId } of page.Versions!) await remove('k', VersionId);
      seen += page.Versions!.length;
      if (page.IsTruncated !== true) break;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    expect(seen).toBe(5);
    expect((await versions()).found).toEqual([]);
  });

  it('has the objects of a bucket without versions as null', async () => {
    await bucket({});
    expect(await put('k', 'x')).toBeUndefined();
    await put('l', 'x');
    expect((await versions({ MaxKeys: 1 })).found).toEqual([
      { Key: 'k', VersionId: 'null', kind: 'latest' },
      { Key: 'l', VersionId: 'null', kind: 'latest' },
    ]);
    const orphan = client.send(new ListObjectVersionsCommand({ Bucket, VersionIdMarker: 'null' }));
    await expect(orphan).rejects.toEqual(refused('InvalidArgument', 400));
  });
});

describe('a bucket without versions', () => {
  it('says nothing of them and erases', async () => {
    await bucket({});
    await put('k', 'x');
    const answer = await raw('k');
    expect([answer.status, answer.headers.get('x-amz-version-id')]).toEqual([200, null]);
    const gone = await remove('k');
    expect([gone.DeleteMarker, gone.VersionId]).toEqual([undefined, undefined]);
    expect((await raw('k')).headers.get('x-amz-delete-marker')).toBeNull();
    expect((await versions()).found).toEqual([]);
  });

  it('that begins to keep them has what it had as the null version', async () => {
    await bucket({});
    await put('k', 'before');
    await redeploy(enabled);
    expect(await get('k')).toEqual(['before', 'null']);
    const version = await put('k', 'after');
    expect(await get('k', 'null')).toEqual(['before', 'null']);
    expect((await versions()).found).toEqual([
      { Key: 'k', VersionId: version, kind: 'latest' },
      { Key: 'k', VersionId: 'null', kind: 'older' },
    ]);
  });
});

describe('a home from before there were versions', () => {
  it('keeps its objects and its uploads', async () => {
    const old = await stubCloud();
    mkdirSync(join(old.home, 's3'));
    const database = new DatabaseSync(join(old.home, 's3', 's3.db'));
    database.exec(`CREATE TABLE uploads (id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, started
      INTEGER NOT NULL, headers TEXT NOT NULL, metadata TEXT NOT NULL, tags TEXT NOT NULL, algorithm TEXT, type TEXT)
      WITHOUT ROWID; INSERT INTO uploads VALUES ('u', 'mail', CAST('k' AS BLOB), 0, '{}', '{}', '{}', NULL, NULL)`);
    database.close();
    for (const round of [1, 2]) {
      const again = new S3(old);
      await deploy(again, 'AWS::S3::Bucket', { BucketName: 'mail' });
      const served = await serve(again);
      const parts = await fetch(`${served.url}/mail/k?uploadId=u`);
      expect([parts.status, round]).toEqual([200, round]);
      await served.close();
      await again.stop();
    }
    old.clock.stop();
    await removeHome(old);
  });
});

describe('a bucket whose versioning is suspended', () => {
  it.each([
    ['by name', suspended],
    ['for want of the property', {}],
  ])('keeps the old and one null, %s', async (_, properties) => {
    await bucket();
    const version = await put('k', 'old');
    await redeploy(properties);
    expect([await put('k', 'null 1'), await put('k', 'null 2')]).toEqual(['null', 'null']);
    expect(await get('k')).toEqual(['null 2', 'null']);
    expect(await get('k', version)).toEqual(['old', version]);
    const { DeleteMarker, VersionId } = await remove('k');
    expect([DeleteMarker, VersionId]).toEqual([true, 'null']);
    expect((await versions()).found).toEqual([
      { Key: 'k', VersionId: version, kind: 'older' },
      { Key: 'k', VersionId: 'null', kind: 'latest marker' },
    ]);
  });
});

describe('lifecycle rules on versions', () => {
  const day = 24 * 60 * 60 * 1000;
  const rules = (...Rules: object[]) => ({
    ...enabled,
    LifecycleConfiguration: { Rules: Rules.map((rule) => ({ Status: 'Enabled', ...rule })) },
  });
  const kinds = async () => (await versions()).found.map(({ Key, kind }) => `${Key} ${kind}`);

  it('put a marker on what expires and remove it once it is alone', async () => {
    await bucket(rules({ ExpirationInDays: 2, NoncurrentVersionExpiration: { NoncurrentDays: 3 } }));
    await put('k', 'x');
    cloud.clock.advance(3 * day);
    expect(await kinds()).toEqual(['k older', 'k latest marker']);
    cloud.clock.advance(3 * day);
    expect(await kinds()).toEqual(['k older', 'k latest marker']);
    cloud.clock.advance(day);
    expect(await kinds()).toEqual([]);
  });

  it('count the days of an older version from when it was covered, and leave the newest of them', async () => {
    const NoncurrentVersionExpiration = { NoncurrentDays: 2, NewerNoncurrentVersions: 1 };
    await bucket(rules({ Prefix: 'a', NoncurrentVersionExpiration }));
    for (const body of ['1', '2', '3']) await put('a', body);
    for (const body of ['1', '2', '3']) await put('b', body);
    cloud.clock.advance(2 * day);
    await put('a', '4');
    expect(await kinds()).toHaveLength(7);
    cloud.clock.advance(day);
    const left = (await versions({ Prefix: 'a' })).found;
    expect(await Promise.all(left.map(async ({ VersionId }) => (await get('a', VersionId))[0]))).toEqual([
      '4',
      '3',
    ]);
    expect((await versions({ Prefix: 'b' })).found).toHaveLength(3);
  });

  it('remove markers with nothing below them at once where told so', async () => {
    await bucket(rules({ ExpiredObjectDeleteMarker: true }));
    await put('kept', 'x');
    await remove('kept');
    await remove('bare');
    cloud.clock.advance(day);
    expect(await kinds()).toEqual(['kept older', 'kept latest marker']);
  });
});
