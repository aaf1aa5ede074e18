import { expect, it, vi } from 'vitest';
import type { Service } from '../../../lib/local/cloud.ts';
import { DynamoDb } from '../../../lib/local/dynamodb/dynamodb.ts';
import { Endpoint } from '../../../lib/local/endpoint/endpoint.ts';
import { AccessKeys } from '../../../lib/local/iam/access-keys.ts';
import { Iam } from '../../../lib/local/iam/iam.ts';
import { deploy, removeHome, stubCloud } from '../../support/service-endpoint.ts';
import { LambdaHouse } from './lambda-house.ts';

it("lets a function's SDK calls through as its role, while its invocation lasts", async () => {
  const cloud = await stubCloud();
  const iam = new Iam({ ...cloud, print: cloud.print });
  cloud.authorize = (access) => iam.authorize(access);
  const keys = new AccessKeys(cloud.home, iam, cloud.clock);
  const table = new DynamoDb(cloud);
  const place: { endpoint?: Endpoint } = {};
  const house = await LambdaHouse.open(
    { home: cloud.home, clock: cloud.clock },
    {
      cloud,
      issueKeys: (role, name) => keys.issueKeys(role, name),
      retireKeys: (key) => keys.retire(key),
      endpointUrl: () => place.endpoint!.url,
    },
  );
  const { lambda } = house;
  place.endpoint = new Endpoint({
    services: [table, lambda],
    keys,
    clock: cloud.clock,
    region: cloud.region,
    isActive: (key) => lambda.isActive(key),
    onStrayCall: (call) => lambda.reportStrayCall(call),
    print: cloud.print,
  });
  await place.endpoint.listen();
  await deploy(table, 'AWS::DynamoDB::Table', {
    TableName: 'mail',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  });
  const roles = { resources: iam.resources } as Service;
  const trust = (service: string) => ({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' },
  });
  const policy = {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: '*' },
  };
  await deploy(roles, 'AWS::IAM::Role', {
    RoleName: 'writer',
    AssumeRolePolicyDocument: trust('lambda.amazonaws.com'),
    Policies: [{ PolicyName: 'write', PolicyDocument: policy }],
  });
  await deploy(roles, 'AWS::IAM::Role', {
    RoleName: 'idle',
    AssumeRolePolicyDocument: trust('lambda.amazonaws.com'),
  });
  await deploy(roles, 'AWS::IAM::Role', {
    RoleName: 'foreign',
    AssumeRolePolicyDocument: trust('ec2.amazonaws.com'),
  });
  const role = (name: string) => `arn:aws:iam::000000000000:role/${name}`;
  const add = (FunctionName: string, name = FunctionName) =>
    house.addFunction('sdk', { FunctionName, Role: role(name), Timeout: 10 });

  expect((await house.call(await add('writer'), { key: 'a' })).payload).toBe(200);
  const denied = await house.call(await add('idle'), { key: 'b' });
  expect(denied.payload).toMatchObject({ errorType: 'AccessDeniedException' });
  expect(denied.payload.errorMessage).toContain(
    'assumed-role/idle/idle is not authorized to perform: dynamodb:PutItem',
  );
  await expect(add('refused', 'foreign')).rejects.toThrow(/sdk: .*sts:AssumeRole/);

  expect((await house.call('writer', { key: 'c', stray: true })).payload).toBe('answered');
  await vi.waitFor(() => expect(lambda.strayCalls).toHaveLength(1), 5_000);
  expect(lambda.strayCalls[0]).toMatchObject({ functionName: 'writer', service: 'dynamodb' });
  const puts = cloud.calls.filter(({ action }) => action === 'PutItem').map(({ by }) => by);
  expect(puts).toEqual(['writer', 'idle']);
  await lambda.stop();
  await table.stop();
  await place.endpoint.stop();
  await house.closeServer();
  await removeHome(cloud);
}, 20_000);
