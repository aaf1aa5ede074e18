import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Sha256 } from '@aws-crypto/sha256-js';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCloud, type LocalCloud, type StartOptions } from '../../lib/local/start.ts';
import { newHome, smallCloud, smallStack } from './small-stack.ts';

/** Starts a cloud that the end of the test stops. */
async function started(options: Partial<StartOptions> = {}): Promise<LocalCloud & { printed: string[] }> {
  const printed: string[] = [];
  const cloud = await startCloud(smallCloud({ print: (line) => printed.push(line), ...options }));
  onTestFinished(() => cloud.stop());
  return { ...cloud, printed };
}

const credentialsOf = ({ operator }: LocalCloud, secret = operator.secret_access_key) => ({
  accessKeyId: operator.access_key_id,
  secretAccessKey: secret,
});

/** Calls the operator's route of the API, signed. */
async function callOperatorRoute(
  cloud: LocalCloud,
  secret?: string,
  service = 'execute-api',
): Promise<Response> {
  const { host, hostname, port } = new URL(cloud.api);
  const credentials = credentialsOf(cloud, secret);
  const signer = new SignatureV4({ service, region: 'us-east-1', credentials, sha256: Sha256 });
  const request = {
    method: 'POST',
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: '/operator/a%40b',
  };
  const { headers } = await signer.sign({ ...request, headers: { host }, body: '{"a":1}' });
  return fetch(`${cloud.api}/operator/a%40b`, { method: 'POST', headers, body: '{"a":1}' });
}

async function seeded(cloud: LocalCloud, key: string) {
  const client = new DynamoDBClient({
    endpoint: cloud.aws,
    region: 'us-east-1',
    credentials: credentialsOf(cloud),
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return (await client.send(new GetItemCommand({ TableName: 'seeded', Key: { pk: { S: key } } }))).Item;
}

describe('startCloud', () => {
  it('deploys the template: resources, grants, custom resources and outputs', async () => {
    const cloud = await started();
    expect(cloud.outputs).toEqual({ Request: 'Create', Origin: cloud.api });
    expect(cloud.refs).toMatchObject({
      Table: 'seeded',
      Seed: 'seed',
      EchoRole: expect.stringMatching(/^small-EchoRole-/),
    });
    expect(await seeded(cloud, 'Create')).toEqual({ pk: { S: 'Create' } });
    expect(cloud.calls.list).toContainEqual(
      expect.objectContaining({ service: 'dynamodb', action: 'PutItem' }),
    );
    expect(cloud.iam.refusals).toEqual([]);
  });

  it('continues where the home was', async () => {
    const home = newHome();
    const first = await started({ home });
    await first.stop();
    const second = await started({ home });
    expect(second.operator).toEqual(first.operator);
    expect(second.refs).toEqual(first.refs);
    expect(second.outputs['Request']).toBe('Create');
    expect(await seeded(second, 'Create')).toBeDefined();
    // The custom resource did not change, so nobody asked its function again.
    expect(second.calls.list.filter(({ action }) => action === 'Invoke')).toEqual([]);
  });

  it("lets the operator's signature through the API, and nobody else", async () => {
    const cloud = await started();
    const answer = await callOperatorRoute(cloud);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      requestContext: { authorizer: { iam: { userArn: 'arn:aws:iam::000000000000:user/operator' } } },
    });
    expect((await callOperatorRoute(cloud, 'wrong')).status).toBe(403);
    expect((await callOperatorRoute(cloud, undefined, 's3')).status).toBe(403);
    expect((await fetch(`${cloud.api}/operator/x`)).status).toBe(403);
    expect(cloud.printed).toContainEqual(
      expect.stringMatching(/^refused: the signature of POST \/operator\/a%40b: .*does not match/),
    );
  });

  it('answers 503 for a service that is out of order', async () => {
    const cloud = await started();
    cloud.outages.add('dynamodb');
    await expect(seeded(cloud, 'Create')).rejects.toThrow(
      expect.objectContaining({ name: 'ServiceUnavailable' }),
    );
    cloud.outages.clear();
    expect(await seeded(cloud, 'Create')).toBeDefined();
  });

  const taken: [
    grant: string,
    take: (template: ReturnType<typeof smallStack>) => void,
    message: RegExp,
    missing: string | RegExp,
  ][] = [
    [
      "a role's policy",
      ({ Resources }) => (Resources['SeederRole'].Properties.Policies = []),
      /^Resources\.Seed \(Custom::Seed\): the function refused the Create request: AccessDenied/,
      'the policies of role SeederRole must allow dynamodb:PutItem',
    ],
    [
      "a role's trust in Lambda",
      ({ Resources }) =>
        (Resources['EchoRole'].Properties.AssumeRolePolicyDocument.Statement[0].Principal.Service =
          'ses.amazonaws.com'),
      /^Resources\.Echo \(AWS::Lambda::Function\): .*sts:AssumeRole/,
      /^the trust policy of .*EchoRole.* must allow sts:AssumeRole to lambda.amazonaws.com$/,
    ],
  ];
  it.each(taken)('fails without %s, naming it', async (_grant, take, message, missing) => {
    const template = smallStack();
    take(template);
    const printed: string[] = [];
    await expect(started({ template, print: (line) => printed.push(line) })).rejects.toThrow(message);
    const refusal = printed.find((line) => line.startsWith('refused: '))!;
    expect(refusal.split(': ').at(-1)).toEqual(
      typeof missing === 'string' ? missing : expect.stringMatching(missing),
    );
  });

  it('refuses calls through the API when the Lambda permission is gone', async () => {
    const template = smallStack();
    delete template.Resources['Permission'];
    const cloud = await started({ template });
    expect((await callOperatorRoute(cloud)).status).toBe(500);
    expect(cloud.iam.refusals).toMatchObject([
      { who: 'apigateway.amazonaws.com', action: 'lambda:InvokeFunction' },
    ]);
    expect(cloud.iam.refusals[0]!.missing).toMatch(
      /^the Lambda permission of .* must allow lambda:InvokeFunction to apigateway/,
    );
  });

  const unknown: [what: string, change: (resources: Record<string, any>) => void, message: RegExp][] = [
    [
      'resource type',
      (r) => (r['Odd'] = { Type: 'AWS::Kinesis::Stream' }),
      /^Resources\.Odd: .*AWS::Kinesis::Stream/,
    ],
    ['property', (r) => (r['Table'].Properties.Colour = 'red'), /Resources\.Table\.Properties\.Colour/],
    [
      'intrinsic',
      (r) => (r['Table'].Properties.TableName = { 'Fn::Transform': {} }),
      /Resources\.Table\.Properties\.TableName: .*Fn::Transform/,
    ],
    [
      'condition key',
      (r) =>
        (r['SeederRole'].Properties.Policies[0].PolicyDocument.Statement[0].Condition = {
          StringEquals: { 'aws:SourceVpc': 'x' },
        }),
      /^Resources\.SeederRole\.Properties\.Policies\.0\.PolicyDocument\.Statement\.0\.Condition\.StringEquals: .*aws:SourceVpc/,
    ],
  ];
  it.each(unknown)(
    'stops at an unknown %s, and leaves the home and the ports free',
    async (_what, change, message) => {
      const [home, template] = [newHome(), smallStack()];
      change(template.Resources);
      const port = await freePort();
      await expect(started({ home, template, port })).rejects.toThrow(message);
      await started({ home, port });
    },
  );

  it('says which port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    await expect(started({ port })).rejects.toThrow(`127.0.0.1:${port} is in use; choose another port`);
    await expect(started({ smtpPort: port })).rejects.toThrow(`127.0.0.1:${port} is in use`);
    await expect(started({ dnsPort: port })).rejects.toThrow(`127.0.0.1:${port} is in use`);
  });

  it('says that a home is in use, and leaves the one that uses it alone', async () => {
    const home = newHome();
    const cloud = await started({ home });
    await expect(started({ home })).rejects.toThrow(`${home} is in use by process ${process.pid}`);
    expect((await callOperatorRoute(cloud)).status).toBe(200);
  });

  it('stops quickly, twice without harm, and lets its process end', async () => {
    const module = fileURLToPath(new URL('start-and-stop.ts', import.meta.url));
    const child = spawn(process.execPath, [module, newHome()], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(code).toBe(0);
    expect(Number(said)).toBeLessThan(5000);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
