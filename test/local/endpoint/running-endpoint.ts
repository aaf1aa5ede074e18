import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { AwsError } from '../../../lib/local/aws-error.ts';
import { Clock } from '../../../lib/local/clock.ts';
import type { Service, ServiceRequest } from '../../../lib/local/cloud.ts';
import { Endpoint, type StrayCall } from '../../../lib/local/endpoint/endpoint.ts';
import { AccessKeys } from '../../../lib/local/iam/access-keys.ts';
import { Iam } from '../../../lib/local/iam/iam.ts';

export interface Received extends Omit<ServiceRequest, 'body'> {
  body: Buffer;
}

/** A service that keeps what it is asked and answers the same to everyone. */
function recorder(scopes: string[], received: Received[], answer: string, contentType: string): Service {
  return {
    scopes,
    resources: [],
    stop: () => Promise.resolve(),
    async handle(request) {
      try {
        received.push({ ...request, body: await buffer(request.body) });
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        return { status: error.status, body: `<Error><Code>${error.code}</Code></Error>` };
      }
      return { status: 200, headers: { 'content-type': contentType }, body: answer };
    },
  };
}

/** An endpoint with services that only note their requests, and one role that Lambda may assume. */
export async function runningEndpoint() {
  const home = mkdtempSync(join(tmpdir(), 'posthorn-'));
  const clock = new Clock();
  const received: Received[] = [];
  const stray: StrayCall[] = [];
  const inactive = new Set<string>();
  const iam = new Iam({ account: '000000000000', region: 'us-east-1', clock, print: () => {} });
  const role = iam.resources.find(({ type }) => type === 'AWS::IAM::Role')!;
  const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } };
  const properties = role.properties.parse({
    RoleName: 'Fn',
    AssumeRolePolicyDocument: { Statement: [trust] },
  });
  await role.deploy({ logicalId: 'Fn', physicalName: 'Fn', properties, metadata: {} });
  const keys = new AccessKeys(home, iam, clock);
  const endpoint = new Endpoint({
    keys,
    clock,
    region: 'us-east-1',
    services: [
      recorder(['dynamodb', 'sqs'], received, '{}', 'application/x-amz-json-1.0'),
      recorder(['ses', 'execute-api'], received, '{}', 'application/json'),
      recorder(['sns'], received, '<ListTopicsResponse><ListTopicsResult/></ListTopicsResponse>', 'text/xml'),
      recorder(['s3'], received, '', 'application/octet-stream'),
    ],
    isActive: (accessKeyId) => !inactive.has(accessKeyId),
    onStrayCall: (call) => stray.push(call),
    print: () => {},
  });
  await endpoint.listen();
  onTestFinished(async () => {
    clock.stop();
    await endpoint.stop();
  });
  const operator = keys.operator;
  const issue = () => keys.issueKeys('arn:aws:iam::000000000000:role/Fn', 'fn');
  return { endpoint, url: endpoint.url, clock, keys, operator, issue, received, stray, inactive };
}

type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
interface Client {
  destroy(): void;
}

/** Options of an SDK client at the endpoint, without retries. */
export const at = (endpoint: string, credentials: Credentials, more: object = {}) => ({
  endpoint,
  region: 'us-east-1',
  maxAttempts: 1,
  credentials,
  forcePathStyle: true,
  ...more,
});

/** The client, closed at the end of the test. */
export function closing<T extends Client>(client: T): T {
  onTestFinished(() => client.destroy());
  return client;
}
