import { AssumeRoleCommand, STSClient, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { onTestFinished } from 'vitest';
import type { Caller, PolicyStatement, Service } from '../../../lib/local/cloud.ts';
import { DynamoDb } from '../../../lib/local/dynamodb/dynamodb.ts';
import { Endpoint, type StrayCall } from '../../../lib/local/endpoint/endpoint.ts';
import { AccessKeys } from '../../../lib/local/iam/access-keys.ts';
import { Iam } from '../../../lib/local/iam/iam.ts';
import { lintPolicies } from '../../../lib/local/iam/lint.ts';
import { S3 } from '../../../lib/local/s3/s3.ts';
import { Sts } from '../../../lib/local/sts/sts.ts';
import { deploy, removeHome, stubCloud } from '../../support/service-endpoint.ts';
import { at, closing } from '../endpoint/running-endpoint.ts';

export const account = '000000000000';
export const roleArn = (name: string) => `arn:aws:iam::${account}:role/${name}`;
export const table = `arn:aws:dynamodb:us-east-1:${account}:table/mail`;

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** The trust of the role `tenant` in the api's role, as the mailroom deploys it. */
export const tenantTrust: PolicyStatement = {
  Effect: 'Allow',
  Principal: { AWS: roleArn('api') },
  Action: ['sts:AssumeRole', 'sts:TagSession'],
  Condition: {
    StringLike: { 'aws:RequestTag/organization': 'org_*' },
    'ForAllValues:StringEquals': { 'aws:TagKeys': ['organization'] },
  },
};

/** What a session of `tenant` may do: everything of its organization and nothing of another. */
export const tenantPolicy: PolicyStatement[] = [
  {
    Effect: 'Allow',
    Action: ['dynamodb:*Item', 'dynamodb:Query'],
    Resource: [table, `${table}/index/*`],
    Condition: {
      'ForAllValues:StringLike': {
        'dynamodb:LeadingKeys': [
          'O#${aws:PrincipalTag/organization}',
          'O#${aws:PrincipalTag/organization}#*',
          'KEY#*',
        ],
      },
    },
  },
  {
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::bucket/${aws:PrincipalTag/organization}/*',
  },
];

const assumeTenant: PolicyStatement = {
  Effect: 'Allow',
  Action: ['sts:AssumeRole', 'sts:TagSession'],
  Resource: roleArn('tenant'),
};
const lambdaTrust: PolicyStatement = {
  Effect: 'Allow',
  Action: 'sts:AssumeRole',
  Principal: { Service: 'lambda.amazonaws.com' },
};

export type StsHouse = Awaited<ReturnType<typeof stsHouse>>;

/** STS, DynamoDB and S3 with a real IAM behind the endpoint, the api's role, and one instance of its function. */
export async function stsHouse() {
  const cloud = await stubCloud();
  const iam = new Iam({ ...cloud, print: cloud.print });
  cloud.authorize = (access) => iam.authorize(access);
  const newKeys = () => new AccessKeys(cloud.home, iam, cloud.clock);
  const keys = newKeys();
  const [dynamoDb, s3] = [new DynamoDb(cloud), new S3(cloud)];
  const frozen = new Set<string>();
  const stray: StrayCall[] = [];
  const serve = async (withKeys: AccessKeys) => {
    const endpoint = new Endpoint({
      services: [dynamoDb, s3, new Sts(cloud, withKeys)],
      keys: withKeys,
      clock: cloud.clock,
      region: cloud.region,
      isActive: (key, token) => !frozen.has(withKeys.instanceKey(key, token)),
      onStrayCall: (call) => stray.push(call),
      print: cloud.print,
    });
    await endpoint.listen();
    onTestFinished(() => endpoint.stop());
    return endpoint.url;
  };
  onTestFinished(async () => {
    cloud.clock.stop();
    await dynamoDb.stop();
    await s3.stop();
    await removeHome(cloud);
  });
  // A client of the test signs by the cloud's clock, as one inside a function does.
  const settings = (endpoint: string, credentials: Credentials) =>
    at(endpoint, credentials, { systemClockOffset: cloud.clock.now() - Date.now() });
  const url = await serve(keys);
  const role = async (
    name: string,
    trust: PolicyStatement[],
    own: PolicyStatement[] = [],
    more: object = {},
  ) => {
    const document = (Statement: PolicyStatement[]) => ({ Version: '2012-10-17', Statement });
    const properties = {
      RoleName: name,
      AssumeRolePolicyDocument: document(trust),
      Policies: [{ PolicyName: 'own', PolicyDocument: document(own) }],
      ...more,
    };
    lintPolicies(name, properties);
    await deploy({ resources: iam.resources } as Service, 'AWS::IAM::Role', properties);
  };
  await role('api', [lambdaTrust], [assumeTenant]);
  const api = keys.issueKeys(roleArn('api'), 'api-fn');
  return {
    cloud,
    iam,
    keys,
    dynamoDb,
    s3,
    frozen,
    stray,
    role,
    api,
    url,
    /** Makes the role whose sessions are fenced in an organization. */
    tenant: (trust: PolicyStatement = tenantTrust, more: object = {}) =>
      role('tenant', [trust], tenantPolicy, more),
    /** Keys of an instance of a function with a role of its own. */
    instanceOf: async (name: string, own: PolicyStatement[] = []) => {
      await role(name, [lambdaTrust], own);
      return keys.issueKeys(roleArn(name), `${name}-fn`);
    },
    /** Another endpoint with the keys read anew, as after a restart; answers its URL. */
    restarted: () => serve(newKeys()),
    sts: (credentials: Credentials = api, endpoint = url) =>
      closing(new STSClient(settings(endpoint, credentials))),
    client: <T extends { destroy(): void }>(
      Client: new (settings: ReturnType<typeof at>) => T,
      credentials: Credentials,
      endpoint = url,
    ) => closing(new Client(settings(endpoint, credentials))),
  };
}

export const organizationTag = (Value: string) => ({ Tags: [{ Key: 'organization', Value }] });

/** Assumes `tenant` for an organization, or what `more` says; answers credentials as SDK clients take them. */
export async function assume(
  sts: STSClient,
  organization: string,
  more: Partial<AssumeRoleCommandInput> = {},
): Promise<Required<Credentials> & { expiration: Date }> {
  const wish = {
    RoleArn: roleArn('tenant'),
    RoleSessionName: organization,
    ...organizationTag(organization),
  };
  const { Credentials: got } = await sts.send(new AssumeRoleCommand({ ...wish, ...more }));
  return {
    accessKeyId: got!.AccessKeyId!,
    secretAccessKey: got!.SecretAccessKey!,
    sessionToken: got!.SessionToken!,
    expiration: got!.Expiration!,
  };
}

export const operator: Caller = {
  kind: 'operator',
  arn: `arn:aws:iam::${account}:user/operator`,
  accessKeyId: 'AKIA',
};
