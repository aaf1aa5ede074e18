import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AwsError } from '../../lib/local/aws-error.ts';
import { Clock } from '../../lib/local/clock.ts';
import type { Access, Call, Caller, Cloud, Resource, Service } from '../../lib/local/cloud.ts';
import { calm } from '../../lib/local/weather.ts';

/** A cloud whose IAM says yes, or what `deny` says no to; it remembers what it was asked and told. */
export interface StubCloud extends Cloud {
  readonly asked: Access[];
  readonly calls: Call[];
  readonly printed: string[];
  deny: (access: Access) => boolean;
}

export async function stubCloud(overrides: Partial<Cloud> = {}): Promise<StubCloud> {
  const home = overrides.home ?? (await mkdtemp(join(tmpdir(), 'posthorn-')));
  const asked: Access[] = [];
  const calls: Call[] = [];
  const printed: string[] = [];
  const cloud: StubCloud = {
    account: '000000000000',
    region: 'us-east-1',
    durable: false,
    clock: new Clock(),
    weather: calm,
    ...overrides,
    home,
    asked,
    calls,
    printed,
    deny: () => false,
    authorize(access) {
      asked.push(access);
      if (!cloud.deny(access)) return;
      const message = `not authorized to perform: ${access.action} on resource: ${access.resource}`;
      throw new AwsError('AccessDenied', message, { status: 403 });
    },
    record: (call) => void calls.push(call),
    print: (line) => void printed.push(line),
  };
  return cloud;
}

export const testRole: Caller = {
  kind: 'role',
  roleArn: 'arn:aws:iam::000000000000:role/tester',
  arn: 'arn:aws:sts::000000000000:assumed-role/tester/tester',
  accessKeyId: 'AKIATEST',
  functionName: 'tester',
};

/** Serves one service over HTTP without checking signatures. */
export async function serve(service: Service, caller: () => Caller = () => testRole) {
  const server = createServer((request, response) => {
    // As at the real endpoint: a caller that hangs up ends the body, not the process.
    request.on('error', () => undefined);
    void answer(service, caller(), request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, close };
}

async function answer(service: Service, caller: Caller, request: IncomingMessage, response: ServerResponse) {
  const [path, query] = (request.url ?? '/').split(/\?(.*)/s);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : value!,
    ]),
  );
  const {
    status,
    headers: answered,
    body,
  } = await service.handle({
    method: request.method!,
    path: path!,
    query: new URLSearchParams(query ?? ''),
    headers,
    body: request,
    caller,
  });
  response.writeHead(status, answered);
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) response.end(body);
  else await pipeline(body, response);
}

/** Deploys one resource as the template reader would, its properties parsed. */
export async function deploy(
  service: Service,
  type: string,
  properties: unknown,
  physicalName = 'physical-name',
) {
  const found = service.resources.find((resource) => resource.type === type);
  if (found === undefined) throw new Error(`no resource type ${type}`);
  const parsed = found.properties.parse(properties) as unknown;
  const resource: Resource = { logicalId: 'Logical', physicalName, properties: parsed, metadata: {} };
  return found.deploy(resource);
}

/** Ends what a test has opened around one service, whoever calls first, so that nobody is left who does. */
export async function endHouse(house: {
  client: { destroy(): void };
  close: () => Promise<void>;
  engine: { stop(): Promise<void> | void };
  cloud: Cloud;
}): Promise<void> {
  house.client.destroy();
  await house.close();
  await house.engine.stop();
  house.cloud.clock.stop();
  await removeHome(house.cloud);
}

export const removeHome = (cloud: Cloud) => rm(cloud.home, { recursive: true, force: true });

/** Settings of every SDK client in the tests: one try, so that a test sees the first answer. */
export const clientSettings = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
  maxAttempts: 1,
});
