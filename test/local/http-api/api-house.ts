import { request } from 'node:http';
import type { Caller, Cloud } from '../../../lib/local/cloud.ts';
import type { SignedRequest } from '../../../lib/local/http-api/api.ts';
import { HttpApi } from '../../../lib/local/http-api/http-api.ts';
import { LambdaHouse } from '../lambda/lambda-house.ts';

interface Sent {
  method?: string;
  /** As it goes over the wire. */
  path: string;
  /** Names and values in turn, or an object. */
  headers?: Record<string, string> | string[];
  body?: string | Buffer;
}

/** An HTTP API with the `echo` function behind it. */
export class ApiHouse {
  readonly lambdas: LambdaHouse;
  readonly api: HttpApi;
  readonly signed: SignedRequest[] = [];
  caller: Caller | undefined;
  id = '';
  port = 0;

  private constructor(lambdas: LambdaHouse) {
    this.lambdas = lambdas;
    this.api = new HttpApi({
      cloud: lambdas.cloud,
      lambda: lambdas.lambda,
      verifySignature: (signed) => {
        this.signed.push(signed);
        return this.caller;
      },
      port: 0,
    });
  }

  static async open(given: { api?: object; stage?: object; cloud?: Partial<Cloud> } = {}): Promise<ApiHouse> {
    const house = new ApiHouse(await LambdaHouse.open(given.cloud));
    house.port = await house.api.listen();
    await house.lambdas.addFunction('echo', { Timeout: 30 });
    const created = await house.deploy('Api', 'Api', { Name: 'mail', ProtocolType: 'HTTP', ...given.api });
    house.id = created.ref;
    await house.deploy('Stage', 'Stage', {
      ApiId: house.id,
      StageName: '$default',
      AutoDeploy: true,
      ...given.stage,
    });
    return house;
  }

  deploy(kind: string, logicalId: string, properties: object) {
    const found = this.api.resources.find(({ type }) => type === `AWS::ApiGatewayV2::${kind}`)!;
    return found.deploy({
      ...{ logicalId, physicalName: logicalId, metadata: {} },
      properties: found.properties.parse(properties),
    });
  }

  /** Adds a route to a function, `echo` unless told otherwise. */
  async addRoute(key: string, { iam = false, timeout = 30_000, functionName = 'echo' } = {}): Promise<void> {
    const integration = `Integration${key}`;
    await this.deploy('Integration', integration, {
      ApiId: this.id,
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
      PayloadFormatVersion: '2.0',
      TimeoutInMillis: timeout,
    });
    await this.deploy('Route', `Route${key}`, {
      ...{ ApiId: this.id, RouteKey: key, Target: `integrations/${integration}` },
      ...(iam && { AuthorizationType: 'AWS_IAM' }),
    });
  }

  /** Sends a request exactly as given. */
  send({ method = 'GET', path, headers = {}, body }: Sent) {
    return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string; json: any }>(
      (resolve, reject) => {
        const pairs = Array.isArray(headers) ? headers : Object.entries(headers).flat();
        const hasHost = pairs.some((text) => text.toLowerCase() === 'host');
        const length = body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))];
        const all = [
          ...(hasHost ? [] : ['host', `127.0.0.1:${this.port}`]),
          'connection',
          'close',
          ...pairs,
          ...length,
        ];
        const target = { host: '127.0.0.1', port: this.port, method, path, headers: all, agent: false };
        const sent = request(target, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => void chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const json: unknown = /^[[{]/.test(text) ? JSON.parse(text) : undefined;
            resolve({ status: response.statusCode!, headers: response.headers, text, json });
          });
        });
        sent.on('error', reject);
        sent.end(body);
      },
    );
  }

  async close(): Promise<void> {
    await this.api.stop();
    await this.lambdas.close();
  }
}
