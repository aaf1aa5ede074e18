import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Clock } from '../../lib/local/clock.ts';
import type { StartOptions } from '../../lib/local/start.ts';
import { calm } from '../../lib/local/weather.ts';

const statement = (Action: string, Resource: unknown) => ({
  Statement: [{ Effect: 'Allow', Action, Resource }],
});
const ref = (Ref: string) => ({ Ref });
const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

/** A function with its own role, which may do what `Policies` says. */
function lambda(name: string, entry: string, Policies: object[] = []) {
  const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } };
  return {
    [`${name}Role`]: {
      Type: 'AWS::IAM::Role',
      Properties: { AssumeRolePolicyDocument: { Statement: [trust] }, Policies },
    },
    [name]: {
      Type: 'AWS::Lambda::Function',
      Metadata: { 'posthorn:entry': `${entry}.ts` },
      Properties: { Handler: 'index.handler', Runtime: 'nodejs24.x', Code: {}, Role: arn(`${name}Role`) },
    },
  };
}

/** A table, a custom resource whose function writes to it, and an HTTP API with one route for the operator. */
export function smallStack(): { Resources: Record<string, any>; Outputs: Record<string, unknown> } {
  const grant = { PolicyName: 'table', PolicyDocument: statement('dynamodb:PutItem', arn('Table')) };
  const api = { ApiId: ref('Api') };
  const integration = { 'Fn::Join': ['/', ['integrations', ref('Integration')]] };
  return {
    Resources: {
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          TableName: 'seeded',
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          BillingMode: 'PAY_PER_REQUEST',
        },
      },
      ...lambda('Seeder', 'custom-resource', [grant]),
      ...lambda('Echo', 'echo'),
      Seed: { Type: 'Custom::Seed', Properties: { ServiceToken: arn('Seeder'), Table: ref('Table') } },
      Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'api', ProtocolType: 'HTTP' } },
      Stage: {
        Type: 'AWS::ApiGatewayV2::Stage',
        Properties: { ...api, StageName: '$default', AutoDeploy: true },
      },
      Integration: {
        Type: 'AWS::ApiGatewayV2::Integration',
        Properties: {
          ...api,
          IntegrationType: 'AWS_PROXY',
          IntegrationUri: arn('Echo'),
          PayloadFormatVersion: '2.0',
        },
      },
      Route: {
        Type: 'AWS::ApiGatewayV2::Route',
        Properties: {
          ...api,
          RouteKey: 'ANY /operator/{proxy+}',
          AuthorizationType: 'AWS_IAM',
          Target: integration,
        },
      },
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          Action: 'lambda:InvokeFunction',
          FunctionName: arn('Echo'),
          Principal: 'apigateway.amazonaws.com',
          SourceArn: {
            'Fn::Sub': 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*',
          },
        },
      },
    },
    Outputs: {
      Request: { Value: { 'Fn::GetAtt': ['Seed', 'Request'] } },
      Origin: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } },
    },
  };
}

export const newHome = () => join(mkdtempSync(join(tmpdir(), 'posthorn-')), 'home');

/** Options to start the small stack with, on free ports and in a home of its own. */
export const smallCloud = (options: Partial<StartOptions> = {}): StartOptions => ({
  template: smallStack(),
  stackName: 'small',
  home: newHome(),
  port: 0,
  smtpPort: 0,
  dnsPort: 0,
  domain: 'posthorn.test',
  region: 'us-east-1',
  durable: false,
  clock: new Clock(),
  weather: calm,
  code: { project: fileURLToPath(new URL('../fixtures/functions/', import.meta.url)) },
  print: () => {},
  ...options,
});
