import { createHash } from 'node:crypto';
import type * as z from 'zod';
import type { Deployed, Resource, ResourceType } from '../cloud.ts';
import type { Service, ServiceResponse } from '../cloud.ts';
import { Api } from './api.ts';
import type { ApiGiven } from './api.ts';
import { apiProperties, integrationProperties, routeProperties, stageProperties } from './api-properties.ts';
import { ApiServer } from './api-server.ts';
import { apiMessage } from './proxy-answer.ts';
import { Throttle } from './throttle.ts';

export interface HttpApiOptions extends ApiGiven {
  /** 0 takes any free one. */
  port: number;
}

/** API Gateway's HTTP APIs: one API with its `$default` stage, served on 127.0.0.1. */
export class HttpApi implements Service {
  readonly scopes = [];
  readonly resources: readonly ResourceType[];
  readonly #options: HttpApiOptions;
  readonly #server: ApiServer;
  #api: Api | undefined;

  constructor(options: HttpApiOptions) {
    this.#options = options;
    this.#server = new ApiServer(
      async (request) => (await this.#api?.answer(request)) ?? apiMessage(404, 'Not Found'),
      (line) => options.cloud.print(line),
    );
    this.resources = [
      { type: 'AWS::ApiGatewayV2::Api', properties: apiProperties, deploy: (one) => this.#create(one) },
      { type: 'AWS::ApiGatewayV2::Stage', properties: stageProperties, deploy: (one) => this.#open(one) },
      {
        type: 'AWS::ApiGatewayV2::Integration',
        properties: integrationProperties,
        deploy: (one) => this.#integrate(one),
      },
      { type: 'AWS::ApiGatewayV2::Route', properties: routeProperties, deploy: (one) => this.#route(one) },
    ];
  }

  /** Takes the port, before anything is deployed: the endpoint is an attribute of the API. Answers the port. */
  listen(): Promise<number> {
    return this.#server.listen(this.#options.port);
  }

  /** Without trailing slash. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** Its control plane is not played; APIs come from the template. */
  handle(): Promise<ServiceResponse> {
    return Promise.resolve({ status: 404, body: JSON.stringify({ message: 'Not Found' }) });
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  #create({ physicalName, properties }: Resource<z.infer<typeof apiProperties>>): Deployed {
    if (this.#api !== undefined) throw new Error('one HTTP API is served here, and the template has another');
    // Ten lower-case letters and digits, as AWS gives; the same for as long as the home exists.
    const id = BigInt(`0x${createHash('sha256').update(physicalName).digest('hex')}`)
      .toString(36)
      .slice(0, 10);
    this.#api = new Api(id, properties.CorsConfiguration, this.#options);
    return { ref: id, attributes: { ApiId: id, ApiEndpoint: this.endpoint } };
  }

  #open({ properties }: Resource<z.infer<typeof stageProperties>>): Deployed {
    this.#find(properties.ApiId).throttle = new Throttle(
      this.#options.cloud.clock,
      properties.DefaultRouteSettings ?? {},
    );
    return { ref: properties.StageName };
  }

  #integrate({ logicalId, properties }: Resource<z.infer<typeof integrationProperties>>): Deployed {
    const functionArn = /arn:[^:]+:lambda:[^:]*:\d*:function:[\w-]+/.exec(properties.IntegrationUri)?.[0];
    if (functionArn === undefined) throw new Error(`${properties.IntegrationUri} is not a Lambda function`);
    this.#find(properties.ApiId).integrations.set(logicalId, {
      functionArn,
      timeout: properties.TimeoutInMillis,
    });
    return { ref: logicalId, attributes: { IntegrationId: logicalId } };
  }

  #route({ logicalId, properties }: Resource<z.infer<typeof routeProperties>>): Deployed {
    const { ApiId, RouteKey, AuthorizationType, Target } = properties;
    const api = this.#find(ApiId);
    const integrationId = Target.slice('integrations/'.length);
    if (!api.integrations.has(integrationId)) throw new Error(`there is no integration ${integrationId}`);
    api.routes.add({ key: RouteKey, iam: AuthorizationType === 'AWS_IAM', integrationId });
    return { ref: logicalId, attributes: { RouteId: logicalId } };
  }

  #find(id: string): Api {
    if (this.#api?.id !== id) throw new Error(`there is no API ${id}`);
    return this.#api;
  }
}
