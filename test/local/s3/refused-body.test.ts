import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { HeadObjectCommand, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { drained } from '../../../lib/local/endpoint/drain.ts';
import { S3 } from '../../../lib/local/s3/s3.ts';
import { deploy, removeHome, stubCloud } from '../../support/service-endpoint.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';
import { signedEndpoint } from './signed-endpoint.ts';

const Bucket = 'mail';
const Body = Buffer.alloc(5 * 1024 ** 2, 'x');
let cloud: StubCloud;
let s3: S3;
let signed: Awaited<ReturnType<typeof signedEndpoint>>;

beforeAll(async () => {
  cloud = await stubCloud();
  s3 = new S3(cloud);
  await deploy(s3, 'AWS::S3::Bucket', { BucketName: Bucket });
  signed = await signedEndpoint(cloud, s3);
});
const unhandled = vi.fn();
beforeEach(() => void process.on('uncaughtExceptionMonitor', unhandled));
afterEach(async () => {
  cloud.deny = () => false;
  vi.restoreAllMocks();
  await new Promise(setImmediate);
  process.off('uncaughtExceptionMonitor', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});
afterAll(async () => {
  await signed.close();
  await s3.stop();
  cloud.clock.stop();
  await removeHome(cloud);
});

const put = (Key: string, more = {}) => new PutObjectCommand({ Bucket, Key, Body, ...more });
const sizeOf = async (Key: string) =>
  (await signed.client().send(new HeadObjectCommand({ Bucket, Key }))).ContentLength;
/** The SDK waits a random part of up to a second. */
const withoutBackoff = () => vi.spyOn(Math, 'random').mockReturnValue(0);

describe('a large body that is refused', () => {
  it('is taken by the SDK on its own retry after two 503 of the bad weather', async () => {
    withoutBackoff();
    let refusals = 2;
    vi.spyOn(cloud.weather, 'strikes').mockImplementation(() => refusals-- > 0);
    const { $metadata } = await signed.client({ maxAttempts: 4 }).send(put('weather'));
    expect($metadata.attempts).toBe(3);
    expect(await sizeOf('weather')).toBe(Body.length);
  });

  it('is taken by the SDK on its own retry after two 503 of an outage', async () => {
    withoutBackoff();
    let refusals = 2;
    const { outages } = signed.endpoint;
    vi.spyOn(outages, 'has').mockImplementation(() => refusals-- > 0);
    const { $metadata } = await signed.client({ maxAttempts: 4 }).send(put('outage'));
    expect($metadata.attempts).toBe(3);
    expect(await sizeOf('outage')).toBe(Body.length);
  });

  // Ten times: a reset would win the race against the answer now and then only.
  it.each(Array.from({ length: 10 }, (_, round) => round))('shows its AccessDenied (%i)', async () => {
    cloud.deny = () => true;
    const sent = signed.client().send(put('denied'));
    await expect(sent).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
  });

  it.each([
    ['NoSuchBucket', {}, () => put('k', { Bucket: 'nobody' })],
    [
      'NoSuchUpload',
      {},
      () => new UploadPartCommand({ Bucket, Key: 'k', UploadId: 'x', PartNumber: 1, Body }),
    ],
    ['PreconditionFailed', {}, () => put('weather', { IfNoneMatch: '*' })],
    [
      'InvalidAccessKeyId',
      { credentials: { accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' } },
      () => put('k'),
    ],
  ])('shows its %s', async (name, settings, command) => {
    await expect(signed.client(settings).send(command() as PutObjectCommand)).rejects.toMatchObject({ name });
  });

  it('may break off while it is refused', async () => {
    const { port, hostname } = new URL(signed.endpoint.url);
    const socket = connect(Number(port), hostname);
    const signature = 'AWS4-HMAC-SHA256 Credential=AKIAOTHER/20260101/us-east-1/s3/aws4_request';
    const authorization = `${signature}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00`;
    const hash = `X-Amz-Content-Sha256: ${'0'.repeat(64)}\r\nX-Amz-Date: 20260101T000000Z`;
    const head = `PUT /mail/k HTTP/1.1\r\nHost: x\r\n${hash}\r\nAuthorization: ${authorization}\r\n`;
    const drains = vi.spyOn(Readable.prototype, 'unpipe');
    socket.write(`${head}Content-Length: ${Body.length}\r\n\r\nonly this`);
    await vi.waitFor(() => expect(drains).toHaveBeenCalled());
    socket.destroy();
    await once(socket, 'close');
    cloud.deny = () => true;
    await expect(signed.client().send(put('k'))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it.each([
    ['S3', 403, () => (cloud.deny = () => true)],
    ['the endpoint', 503, () => vi.spyOn(signed.endpoint.outages, 'has').mockReturnValue(true)],
  ])('of %s leaves the connection to the next call', async (_, status, refuse) => {
    refuse();
    const { port, hostname } = new URL(signed.endpoint.url);
    const socket = connect(Number(port), hostname);
    const head = `PUT /mail/k HTTP/1.1\r\nHost: x\r\nContent-Length: ${Body.length}\r\n\r\n`;
    socket.write(head);
    socket.write(Body);
    socket.write('GET /mail/k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const answers = await text(socket);
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`, `HTTP/1.1 ${status}`]);
  });
});

describe('reading what is refused', () => {
  const endless = () =>
    new Readable({
      read(size) {
        this.push(Buffer.alloc(size));
      },
    });

  it('ends after so many bytes', async () => {
    const body = endless();
    await drained(body, { bytes: 1_000_000, ms: 60_000 });
    expect(body.isPaused()).toBe(true);
  });

  it('ends after a while, when the body breaks off, and when it has ended before', async () => {
    await drained(new Readable({ read() {} }), { bytes: 1, ms: 5 });
    const broken = new Readable({ read() {} });
    const done = drained(broken);
    broken.destroy(new Error('hung up'));
    await done;
    await drained(broken);
    const ended = Readable.from(['x']);
    await drained(ended);
    await drained(ended);
  });
});
