import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { at, closing, runningEndpoint } from './running-endpoint.ts';

describe('presigned URLs', () => {
  async function presigned(expiresIn = 600, method: 'GET' | 'PUT' = 'GET') {
    const running = await runningEndpoint();
    const session = running.issue();
    const s3 = closing(new S3Client(at(running.url, session)));
    const address = { Bucket: 'b', Key: 'a/ü b.eml' };
    const command =
      method === 'GET'
        ? new GetObjectCommand({ ...address, ResponseContentDisposition: 'attachment; filename="ü.eml"' })
        : new PutObjectCommand(address);
    return { ...running, session, signed: await getSignedUrl(s3, command, { expiresIn }) };
  }
  const codeOf = async (response: Response) => /<Code>(\w+)/.exec(await response.text())?.[1];

  it('name the function that signed them, also when its invocation is over or it is gone', async () => {
    const { signed, received, session, inactive, keys } = await presigned();
    inactive.add(session.accessKeyId);
    keys.retire(session.accessKeyId);
    expect((await fetch(signed)).status).toBe(200);
    expect(received[0]!.caller).toMatchObject({ kind: 'role', functionName: 'fn' });
    expect(received[0]!.query.get('response-content-disposition')).toBe('attachment; filename="ü.eml"');
  });

  it('put a body nobody hashed', async () => {
    const { signed, received } = await presigned(600, 'PUT');
    expect((await fetch(signed, { method: 'PUT', body: 'x' })).status).toBe(200);
    expect(received[0]!.body.toString()).toBe('x');
  });

  const tampered: [what: string, tamper: (url: string) => string][] = [
    ['key', (url) => url.replace('.eml', '.emm')],
    ['bucket', (url) => url.replace('/b/', '/c/')],
    ['disposition', (url) => url.replace('attachment', 'inline')],
    ['lifetime', (url) => url.replace('X-Amz-Expires=600', 'X-Amz-Expires=6000')],
    ['signature', (url) => url.replace(/X-Amz-Signature=../, 'X-Amz-Signature=00')],
    ['an added parameter', (url) => `${url}&versionId=1`],
  ];
  it.each(tampered)('with another %s are refused', async (_what, tamper) => {
    const { signed, received } = await presigned();
    const response = await fetch(tamper(signed));
    expect([response.status, await codeOf(response)]).toEqual([403, 'SignatureDoesNotMatch']);
    expect(received).toEqual([]);
  });

  it('with another method or a header S3 would act on are refused', async () => {
    const { signed } = await presigned();
    expect((await fetch(signed, { method: 'DELETE' })).status).toBe(403);
    const copied = await fetch(signed, { headers: { 'x-amz-request-payer': 'requester' } });
    expect(await codeOf(copied)).toBe('AccessDenied');
  });

  it('end at their time', async () => {
    const { signed, clock } = await presigned(60);
    clock.advance(59_000);
    expect((await fetch(signed)).status).toBe(200);
    clock.advance(3_000);
    const late = await fetch(signed);
    expect(late.status).toBe(403);
    expect(await late.text()).toMatch(/<Code>AccessDenied<\/Code><Message>Request has expired/);
  });

  it('end with the session of the role, however long they were meant for', async () => {
    const { signed, clock } = await presigned(7 * 24 * 3600);
    clock.advance(13 * 3600_000);
    expect(await codeOf(await fetch(signed))).toBe('ExpiredToken');
  });

  it('end when their key is revoked', async () => {
    const { signed, keys, session } = await presigned();
    keys.revoke(session.accessKeyId);
    expect((await fetch(signed)).status).toBe(403);
  });

  it('longer than seven days are refused', async () => {
    const { signed } = await presigned();
    const response = await fetch(signed.replace('X-Amz-Expires=600', 'X-Amz-Expires=604801'));
    expect([response.status, await codeOf(response)]).toEqual([400, 'AuthorizationHeaderMalformed']);
  });
});
