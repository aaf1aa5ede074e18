import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Caller, Cloud, Deployed } from '../../../lib/local/cloud.ts';
import { Lambda } from '../../../lib/local/lambda/lambda.ts';
import type { LambdaOptions } from '../../../lib/local/lambda/lambda-options.ts';
import { removeHome, stubCloud } from '../../support/service-endpoint.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';

export const operator: Caller = {
  kind: 'operator',
  arn: 'arn:aws:iam::000000000000:user/operator',
  accessKeyId: 'OP',
};
const fixtures = fileURLToPath(new URL('../../fixtures/functions/', import.meta.url));

/** A Lambda with a stub cloud around it, and an endpoint that answers what the test says. */
export class LambdaHouse {
  readonly cloud: StubCloud;
  readonly lambda: Lambda;
  readonly retired: string[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end('{}');
  readonly #server = createServer((request, response) => this.answer(request, response));
  #keys = 0;

  private constructor(cloud: StubCloud, options: Partial<LambdaOptions>) {
    this.cloud = cloud;
    this.lambda = new Lambda({
      cloud,
      issueKeys: () => ({
        accessKeyId: `ASIA${++this.#keys}`,
        secretAccessKey: 'secret',
        sessionToken: 'token',
      }),
      retireKeys: (key) => void this.retired.push(key),
      endpointUrl: () => this.endpoint,
      dnsPort: () => 5399,
      grace: 50,
      code: { project: fixtures },
      ...options,
    });
  }

  static async open(
    overrides: Partial<Cloud> = {},
    options: Partial<LambdaOptions> = {},
  ): Promise<LambdaHouse> {
    const house = new LambdaHouse(await stubCloud(overrides), options);
    await new Promise<void>((resolve) => house.#server.listen(0, '127.0.0.1', resolve));
    return house;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Deploys a resource; answers what CloudFormation would know of it. */
  async deploy(type: string, logicalId: string, properties: unknown, metadata = {}): Promise<Deployed> {
    const found = this.lambda.resources.find((resource) => resource.type === type)!;
    return found.deploy({
      logicalId,
      physicalName: logicalId,
      properties: found.properties.parse(properties),
      metadata,
    });
  }

  /** Deploys a fixture as a function of the same name; answers its ARN. */
  async addFunction(fixture: string, properties: Record<string, unknown> = {}): Promise<string> {
    const usual = {
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Role: 'arn:aws:iam::000000000000:role/doer',
    };
    const metadata = { 'posthorn:entry': `${fixture}.ts` };
    const deployed = await this.deploy(
      'AWS::Lambda::Function',
      fixture,
      { ...usual, ...properties },
      metadata,
    );
    return deployed.attributes!['Arn'] as string;
  }

  /** Runs a function and reads its answer. */
  async call(functionArn: string, event: unknown = {}, caller: Caller = operator) {
    const { payload, ...result } = await this.lambda.invoke(functionArn, event, caller, { type: 'sync' });
    return { ...result, payload: JSON.parse(payload!) };
  }

  async close({ keepHome = false } = {}): Promise<void> {
    await this.lambda.stop();
    await this.closeServer();
    if (!keepHome) await removeHome(this.cloud);
  }

  async closeServer(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<any> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}
