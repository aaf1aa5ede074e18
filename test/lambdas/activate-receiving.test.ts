import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

// SES and CloudFormation's answer box on one port: SES is asked by POST, the answer is PUT.
let active: string | undefined;
const asked: string[] = [];
const answers: Record<string, string>[] = [];
const server = createServer(async (request, response) => {
  const body = (await request.toArray()).join('');
  if (request.method === 'PUT') {
    answers.push(JSON.parse(body));
    return response.end();
  }
  const form = new URLSearchParams(body);
  const action = form.get('Action')!;
  asked.push(action);
  if (action === 'SetActiveReceiptRuleSet') active = form.get('RuleSetName') ?? undefined;
  const set = active === undefined ? '' : `<Metadata><Name>${active}</Name></Metadata><Rules/>`;
  return response.end(`<${action}Response><${action}Result>${set}</${action}Result></${action}Response>`);
});
let url: string;
let handler: (event: unknown, context: { getRemainingTimeInMillis(): number }) => Promise<void>;

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_ENDPOINT_URL', url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  ({ handler } = await import('../../lambdas/activate-receiving/handler.ts'));
});
afterAll(() => {
  server.close();
  vi.unstubAllEnvs();
});
beforeEach(() => {
  active = undefined;
  asked.length = 0;
  answers.length = 0;
});

const properties = {
  RuleSetName: 'ours',
  RulePrefix: 'posthorn-prod_',
  Policy: 'create',
  Rule: '{"Name":"posthorn-prod_mail"}',
};
const call = (RequestType: string, more: Record<string, unknown> = {}) => {
  const ids = { StackId: 's', RequestId: 'r', LogicalResourceId: 'l', ResponseURL: `${url}/box` };
  return handler(
    { RequestType, ...ids, ResourceProperties: properties, ...more },
    { getRemainingTimeInMillis: () => 600_000 },
  );
};

describe('activate-receiving', () => {
  it('activates, says where, and undoes it', async () => {
    await call('Create');
    expect(active).toBe('ours');
    expect(answers).toEqual([
      expect.objectContaining({ Status: 'SUCCESS', PhysicalResourceId: 'receiving-in:ours' }),
    ]);
    await call('Delete', { PhysicalResourceId: 'receiving-in:ours' });
    expect(active).toBeUndefined();
    expect(answers[1]).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'receiving-in:ours' });
  });

  it('refuses beside another active set, and the rollback of that changes nothing either', async () => {
    active = 'theirs';
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    await call('Create');
    expect(answers[0]).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('theirs is active'),
    });
    await call('Delete', { PhysicalResourceId: answers[0]!['PhysicalResourceId'] });
    expect(answers[1]).toMatchObject({ Status: 'SUCCESS' });
    expect(new Set(asked)).toEqual(new Set(['DescribeActiveReceiptRuleSet']));
  });

  it('switches from its former set when an update replaces it', async () => {
    active = 'former';
    await call('Update', {
      PhysicalResourceId: 'receiving-in:former',
      OldResourceProperties: { ...properties, RuleSetName: 'former' },
    });
    expect(active).toBe('ours');
    expect(answers[0]).toMatchObject({ PhysicalResourceId: 'receiving-in:ours' });
  });
});
