import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { customResourceDoor } from '../../lib/edge/custom-resource.ts';

const answers: { method: string; contentType: string | undefined; body: Record<string, string> }[] = [];
let refuse = 0;
const server = createServer(async (request, response) => {
  const body = (await request.toArray()).join('');
  if (refuse-- > 0) return response.writeHead(503).end();
  answers.push({
    method: request.method!,
    contentType: request.headers['content-type'],
    body: JSON.parse(body),
  });
  return response.end();
});
let url: string;
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/box`;
});
afterAll(() => server.close());
beforeEach(() => {
  answers.length = 0;
  refuse = 0;
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});

const event = (more: Record<string, unknown> = {}) => ({
  RequestType: 'Create',
  ResponseURL: url,
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'active',
  ResourceProperties: { ServiceToken: 'arn' },
  ...more,
});
const plenty = { getRemainingTimeInMillis: () => 600_000 };

describe('custom resource door', () => {
  it('answers SUCCESS with the physical id, by a PUT without content type (the URL is signed for none)', async () => {
    await customResourceDoor(async () => 'id-1')(event(), plenty);
    const ids = { StackId: 'stack', RequestId: 'request', LogicalResourceId: 'active' };
    const body = { Status: 'SUCCESS', PhysicalResourceId: 'id-1', ...ids };
    expect(answers).toEqual([{ method: 'PUT', contentType: undefined, body }]);
  });

  it('answers FAILED with the message of an error, and keeps the physical id', async () => {
    const fail = customResourceDoor(() => Promise.reject(new Error(`no: ${'x'.repeat(5000)}`)));
    await fail(event({ RequestType: 'Update', PhysicalResourceId: 'id-1' }), plenty);
    expect(answers[0]!.body).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'id-1' });
    expect(answers[0]!.body['Reason']).toMatch(/^no: x+$/);
    expect(JSON.stringify(answers[0]!.body).length).toBeLessThan(4096);
  });

  it('answers FAILED when the function would run out of time', async () => {
    const never = customResourceDoor(() => new Promise(() => undefined));
    await never(event(), { getRemainingTimeInMillis: () => 10_005 });
    expect(answers[0]!.body).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('not done in time'),
    });
  });

  it('answers FAILED to a request it cannot read', async () => {
    await customResourceDoor(async () => 'id')(event({ RequestType: 'Rename' }), plenty);
    expect(answers[0]!.body).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'failed' });
  });

  it('tries again when the answer is not taken', async () => {
    refuse = 2;
    await customResourceDoor(async () => 'id')(event(), plenty);
    expect(answers.map(({ body }) => body['Status'])).toEqual(['SUCCESS']);
  });
});
