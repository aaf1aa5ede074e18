import * as z from 'zod';
import { ignored } from '../ignored.ts';

const texts = z.array(z.string());
const throttling = z.strictObject({
  ThrottlingBurstLimit: z.coerce.number().int().min(0).optional(),
  ThrottlingRateLimit: z.coerce.number().min(0).optional(),
  DetailedMetricsEnabled: ignored('there are no metrics here'),
});
const refused = (why: string) => z.never(why).optional();

/** AWS::ApiGatewayV2::Api. */
export const apiProperties = z.strictObject({
  Name: z.string(),
  ProtocolType: z.literal('HTTP'),
  Description: ignored('for people in the console'),
  DisableExecuteApiEndpoint: z.literal(false, 'this machine has no other endpoint than that one').optional(),
  CorsConfiguration: z
    .strictObject({
      AllowCredentials: z.boolean().default(false),
      AllowHeaders: texts.default([]),
      AllowMethods: texts.default([]),
      AllowOrigins: texts.default([]),
      ExposeHeaders: texts.default([]),
      MaxAge: z.coerce.number().int().optional(),
    })
    .optional(),
  IpAddressType: ignored('it listens on 127.0.0.1'),
  Tags: ignored('tags are for bills'),
});
export type CorsConfiguration = NonNullable<z.infer<typeof apiProperties>['CorsConfiguration']>;

/** AWS::ApiGatewayV2::Stage. */
export const stageProperties = z.strictObject({
  ApiId: z.string(),
  StageName: z.literal(
    '$default',
    'only the $default stage is served here; others have their name in every path',
  ),
  AutoDeploy: z.literal(true, 'without AutoDeploy a stage serves nothing until a deployment is made'),
  Description: ignored('for people in the console'),
  AccessLogSettings: ignored('requests are not logged here'),
  DefaultRouteSettings: throttling.optional(),
  Tags: ignored('tags are for bills'),
});
export type Throttling = z.infer<typeof throttling>;

/** AWS::ApiGatewayV2::Integration. */
export const integrationProperties = z.strictObject({
  ApiId: z.string(),
  IntegrationType: z.literal('AWS_PROXY', 'only Lambda functions can be called here'),
  IntegrationUri: z.string(),
  IntegrationMethod: ignored('Lambda is always called by POST'),
  PayloadFormatVersion: z.literal('2.0'),
  TimeoutInMillis: z.coerce.number().int().min(50).max(30_000).default(30_000),
  Description: ignored('for people in the console'),
  CredentialsArn: refused('the function is called by its Lambda permission here, not with a role'),
});

/** AWS::ApiGatewayV2::Route. */
export const routeProperties = z.strictObject({
  ApiId: z.string(),
  RouteKey: z.union([z.literal('$default'), z.string().regex(/^[A-Z]+ \/\S*$/, 'must be METHOD /path')]),
  AuthorizationType: z.enum(['NONE', 'AWS_IAM']).default('NONE'),
  Target: z.string().regex(/^integrations\/.+$/),
  OperationName: ignored('for people in the console'),
});
