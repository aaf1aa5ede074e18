import { Sha256 } from '@aws-crypto/sha256-js';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetIdentityVerificationAttributesCommand, SESClient } from '@aws-sdk/client-ses';
import { GetAccountCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { at, closing, runningEndpoint } from './running-endpoint.ts';

const clients: [
  service: string,
  call: (options: ReturnType<typeof at>) => Promise<unknown>,
  codes: Record<string, string>,
][] = [
  [
    'DynamoDB',
    (options) => closing(new DynamoDBClient(options)).send(new ListTablesCommand()),
    {
      key: 'UnrecognizedClientException',
      secret: 'InvalidSignatureException',
      late: 'InvalidSignatureException',
    },
  ],
  [
    'SQS',
    (options) => closing(new SQSClient(options)).send(new ListQueuesCommand()),
    {
      key: 'UnrecognizedClientException',
      secret: 'InvalidSignatureException',
      late: 'InvalidSignatureException',
    },
  ],
  [
    'SNS',
    (options) => closing(new SNSClient(options)).send(new ListTopicsCommand()),
    { key: 'InvalidClientTokenId', secret: 'SignatureDoesNotMatch', late: 'SignatureDoesNotMatch' },
  ],
  [
    'SES v1',
    (options) =>
      closing(new SESClient(options)).send(
        new GetIdentityVerificationAttributesCommand({ Identities: ['ä b+c'] }),
      ),
    { key: 'InvalidClientTokenId', secret: 'SignatureDoesNotMatch', late: 'SignatureDoesNotMatch' },
  ],
  [
    'SES v2',
    (options) => closing(new SESv2Client(options)).send(new GetAccountCommand()),
    {
      key: 'UnrecognizedClientException',
      secret: 'InvalidSignatureException',
      late: 'InvalidSignatureException',
    },
  ],
  [
    'S3',
    (options) =>
      closing(new S3Client(options)).send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'x' })),
    { key: 'InvalidAccessKeyId', secret: 'SignatureDoesNotMatch', late: 'RequestTimeTooSkewed' },
  ],
];

const named = (name: string) => expect.objectContaining({ name });

describe.each(clients)('signed calls of the %s client', (_service, call, codes) => {
  it('arrive, and name the operator or the function', async () => {
    const { url, operator, issue, received } = await runningEndpoint();
    // SES v1 answers XML that the recorder does not have; what counts is that the call came through.
    await call(at(url, operator)).catch(() => {});
    const session = issue();
    await call(at(url, session)).catch(() => {});
    expect(received.map(({ caller }) => caller)).toMatchObject([
      { kind: 'operator', accessKeyId: operator.accessKeyId },
      { kind: 'role', functionName: 'fn', accessKeyId: session.accessKeyId },
    ]);
  });

  it('are refused in its protocol for a wrong key, a wrong secret, a missing token and a wrong time', async () => {
    const { url, operator, issue, received, clock } = await runningEndpoint();
    const { accessKeyId, secretAccessKey } = issue();
    await expect(call(at(url, { ...operator, accessKeyId: 'AKIANOBODY' }))).rejects.toThrow(
      named(codes['key']!),
    );
    await expect(call(at(url, { ...operator, secretAccessKey: 'no' }))).rejects.toThrow(
      named(codes['secret']!),
    );
    await expect(call(at(url, { accessKeyId, secretAccessKey }))).rejects.toThrow(named(codes['key']!));
    clock.advance(16 * 60_000);
    await expect(call(at(url, operator))).rejects.toThrow(named(codes['late']!));
    expect(received).toEqual([]);
  });
});

describe('the endpoint', () => {
  it('hands over path, query, headers and body as they were signed', async () => {
    const { url, operator, received } = await runningEndpoint();
    const s3 = closing(new S3Client(at(url, operator)));
    const Key = "a b/ü+~!*'()/../c//d.eml";
    await s3.send(
      new PutObjectCommand({ Bucket: 'b', Key, Body: Buffer.from([0, 1, 255]), Metadata: { two: 'a  b' } }),
    );
    expect(received[0]).toMatchObject({ method: 'PUT', headers: { 'x-amz-meta-two': 'a  b' } });
    expect(decodeURIComponent(received[0]!.path)).toBe(`/b/${Key}`);
    expect(received[0]!.body.equals(Buffer.from([0, 1, 255]))).toBe(true);
  });

  it('ends a call of a function whose invocation is over, and notes it', async () => {
    const { url, issue, inactive, stray, received } = await runningEndpoint();
    const session = issue();
    inactive.add(session.accessKeyId);
    const client = closing(new DynamoDBClient(at(url, session)));
    await expect(client.send(new ListTablesCommand())).rejects.toThrow(
      /fn called dynamodb after its invocation/,
    );
    expect(stray).toEqual([
      { functionName: 'fn', service: 'dynamodb', request: 'POST / DynamoDB_20120810.ListTables' },
    ]);
    expect(received).toEqual([]);
  });

  it('dates its answers by the one clock, which SDK clients set theirs by', async () => {
    const { url, clock } = await runningEndpoint();
    clock.advance(3_600_000);
    const { headers } = await fetch(url);
    expect(Math.abs(Date.parse(headers.get('date')!) - clock.now())).toBeLessThan(5_000);
  });

  it('names a service it does not have', async () => {
    const { url, operator } = await runningEndpoint();
    const { hostname, port, host } = new URL(url);
    const signer = new SignatureV4({
      service: 'kms',
      region: 'us-east-1',
      credentials: operator,
      sha256: Sha256,
    });
    const request = {
      method: 'POST',
      protocol: 'http:',
      hostname,
      port: Number(port),
      path: '/',
      body: '{}',
    };
    const headers = { host, 'x-amz-target': 'TrentService.Sign' };
    const signed = await signer.sign({ ...request, headers });
    const response = await fetch(url, { method: 'POST', headers: signed.headers, body: '{}' });
    expect(await response.json()).toMatchObject({
      message: expect.stringMatching(/no service 'kms'; it has dynamodb, sqs/),
    });
  });

  it('refuses another region', async () => {
    const { url, operator } = await runningEndpoint();
    const client = closing(new DynamoDBClient(at(url, operator, { region: 'eu-west-1' })));
    await expect(client.send(new ListTablesCommand())).rejects.toThrow(
      /scoped to the region us-east-1, not eu-west-1/,
    );
  });

  it('lets nobody in unsigned but into S3, where a bucket policy decides', async () => {
    const { url, received } = await runningEndpoint();
    const unsigned = await fetch(url, {
      method: 'POST',
      headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' },
      body: '{}',
    });
    expect(unsigned.status).toBe(400);
    expect(await unsigned.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
    expect((await fetch(`${url}/b/k`)).status).toBe(200);
    expect(received).toMatchObject([{ path: '/b/k', caller: { kind: 'anonymous' } }]);
  });

  it('checks the body against the signed hash while S3 streams it', async () => {
    const { url, operator } = await runningEndpoint();
    const s3 = closing(new S3Client(at(url, operator)));
    s3.middlewareStack.add(
      (next) => (args) => {
        (args.request as { body: unknown }).body = 'other';
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    const put = s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'bytes' }));
    await expect(put).rejects.toThrow(named('XAmzContentSHA256Mismatch'));
  });

  it('takes a streamed S3 body whose hash stands in a trailer', async () => {
    const { url, operator, received } = await runningEndpoint();
    const s3 = closing(new S3Client(at(url, operator)));
    const { Readable } = await import('node:stream');
    await s3.send(
      new PutObjectCommand({
        Bucket: 'b',
        Key: 'k',
        Body: Readable.from([Buffer.alloc(100_000)]),
        ContentLength: 100_000,
      }),
    );
    expect(received[0]!.headers['x-amz-content-sha256']).toBe('STREAMING-UNSIGNED-PAYLOAD-TRAILER');
  });

  it('is gone after stop, with its connections', async () => {
    const { endpoint, url, operator } = await runningEndpoint();
    const client = closing(new DynamoDBClient(at(url, operator)));
    await client.send(new ListTablesCommand());
    await endpoint.stop();
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('the answer addresses of CloudFormation', () => {
  it('take one answer', async () => {
    const { endpoint, url } = await runningEndpoint();
    const box = endpoint.answerBoxes.open(url);
    expect((await fetch(box.url, { method: 'PUT', body: '{"Status":"SUCCESS"}' })).status).toBe(200);
    expect(await box.answer).toBe('{"Status":"SUCCESS"}');
    expect((await fetch(box.url, { method: 'PUT', body: 'again' })).status).toBe(403);
    expect((await fetch(`${box.url.slice(0, -1)}`, { method: 'PUT', body: 'x' })).status).toBe(403);
  });

  it('close', async () => {
    const { endpoint, url } = await runningEndpoint();
    const box = endpoint.answerBoxes.open(url);
    box.close();
    expect((await fetch(box.url, { method: 'PUT', body: 'x' })).status).toBe(403);
  });
});
