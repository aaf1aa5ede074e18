import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startCloud, type LocalCloud } from '../../../lib/local/start.ts';
import { smallCloud } from '../small-stack.ts';
import { operator } from './sts-house.ts';
import { badWeather } from '../../../lib/local/weather.ts';

const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const allow = (more: object) => ({ Effect: 'Allow', ...more });
const assume = ['sts:AssumeRole', 'sts:TagSession'];
const fence = { 'dynamodb:LeadingKeys': ['O#${aws:PrincipalTag/organization}'] };
const fenced = allow({
  Action: 'dynamodb:PutItem',
  Resource: arn('Table'),
  Condition: { 'ForAllValues:StringLike': fence },
});

/** A function whose role may become the role of a tenant, which alone reaches the table. */
const template = {
  Resources: {
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      },
    },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: policy(
          allow({ Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }),
        ),
      },
    },
    Tenant: {
      Type: 'AWS::IAM::Role',
      Properties: {
        MaxSessionDuration: 3_600,
        Tags: [{ Key: 'app', Value: 'posthorn' }],
        AssumeRolePolicyDocument: policy(
          allow({
            Action: assume,
            Principal: { AWS: arn('Role') },
            Condition: {
              StringLike: { 'aws:RequestTag/organization': 'org_*' },
              'ForAllValues:StringEquals': { 'aws:TagKeys': ['organization'] },
            },
          }),
        ),
        Policies: [{ PolicyName: 'fence', PolicyDocument: policy(fenced) }],
      },
    },
    MayAssume: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'assume',
        PolicyDocument: policy(allow({ Action: assume, Resource: arn('Tenant') })),
        Roles: [{ Ref: 'Role' }],
      },
    },
    Function: {
      Type: 'AWS::Lambda::Function',
      Metadata: { 'posthorn:entry': 'assume.ts' },
      Properties: {
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Timeout: 10,
        Code: {},
        Role: arn('Role'),
      },
    },
  },
  Outputs: { Tenant: { Value: arn('Tenant') } },
};

describe('a function that assumes a role', () => {
  let cloud: LocalCloud;
  beforeAll(
    async () =>
      void (cloud = await startCloud(
        smallCloud({ template, weather: badWeather(1, { 'another-instance': 1 }) }),
      )),
  );
  afterAll(() => cloud.stop());

  const invoke = async (key: string, more: object = {}) => {
    const { Function: name, Table: table } = cloud.refs as { Function: string; Table: string };
    const event = { role: cloud.outputs['Tenant'], table, key, ...more };
    const { payload } = await cloud.services.lambda.invoke(name, event, operator);
    return JSON.parse(payload!) as unknown;
  };
  const puts = () => cloud.calls.list.filter(({ action }) => action === 'PutItem').length;

  it('calls as that role while its invocations last, and no stray call is seen', async () => {
    // Two instances take turns here, so the second half uses credentials of an earlier invocation.
    for (let turn = 0; turn < 4; turn++) expect(await invoke('O#org_a')).toBe(200);
    expect(await invoke('O#org_b')).toMatchObject({ errorType: 'AccessDeniedException' });
    const { Function: name } = cloud.refs;
    const made = cloud.calls.list.filter(({ service }) => service === 'sts' || service === 'dynamodb');
    expect(new Set(made.map(({ by }) => by))).toEqual(new Set([name]));
    expect(made.filter(({ action }) => action === 'AssumeRole')).toHaveLength(2);
    expect(cloud.services.lambda.strayCalls).toEqual([]);
  });

  it('is caught when it calls as that role after its answer', async () => {
    const before = puts();
    expect(await invoke('O#org_a', { stray: true })).toBe('answered');
    const { lambda } = cloud.services;
    await vi.waitFor(() => expect(lambda.strayCalls).toHaveLength(1), 5_000);
    expect(lambda.strayCalls[0]).toMatchObject({ functionName: cloud.refs['Function'], service: 'dynamodb' });
    expect(puts()).toBe(before);
  });
});
