import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { AwsError } from '../../../lib/local/aws-error.ts';
import { Clock } from '../../../lib/local/clock.ts';
import type { Caller } from '../../../lib/local/cloud.ts';
import { AccessKeys } from '../../../lib/local/iam/access-keys.ts';
import { Iam } from '../../../lib/local/iam/iam.ts';

const account = '000000000000';
const basic = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
const trust = (Service: string) => ({
  Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service } },
});
const document = (Action: string, Resource = '*') => ({ Statement: [{ Effect: 'Allow', Action, Resource }] });

let clock: Clock;
let printed: string[];
let iam: Iam;

/** Deploys one IAM resource; answers its Ref. */
async function deploy(type: string, logicalId: string, properties: object): Promise<string> {
  const known = iam.resources.find((one) => one.type === type)!;
  const parsed = known.properties.parse(properties);
  return (await known.deploy({ logicalId, physicalName: `p-${logicalId}`, properties: parsed, metadata: {} }))
    .ref;
}

const deployRole = (properties: object = {}) =>
  deploy('AWS::IAM::Role', 'Receive', {
    AssumeRolePolicyDocument: trust('lambda.amazonaws.com'),
    ...properties,
  });

const roleArn = `arn:aws:iam::${account}:role/p-Receive`;
const role: Caller = {
  kind: 'role',
  roleArn,
  arn: `arn:aws:sts::${account}:assumed-role/p-Receive/receive-mail`,
  accessKeyId: 'ASIA',
};
const getObject = { caller: role, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' };

beforeEach(() => {
  clock = new Clock();
  printed = [];
  iam = new Iam({ account, region: 'us-east-1', clock, print: (line) => printed.push(line) });
});

describe('the roles of the template', () => {
  it('are granted by inline, attached and managed policies', async () => {
    const managed = await deploy('AWS::IAM::ManagedPolicy', 'M', {
      PolicyDocument: document('sqs:SendMessage'),
    });
    await deployRole({
      Policies: [{ PolicyName: 'i', PolicyDocument: document('s3:GetObject') }],
      ManagedPolicyArns: [basic, managed],
    });
    await deploy('AWS::IAM::Policy', 'P', {
      PolicyName: 'P',
      PolicyDocument: document('sns:Publish'),
      Roles: ['p-Receive'],
    });
    for (const action of ['s3:GetObject', 'sqs:SendMessage', 'sns:Publish', 'logs:PutLogEvents']) {
      iam.authorize({ caller: role, action, resource: '*' });
    }
    expect(() => iam.authorize({ caller: role, action: 's3:PutObject', resource: '*' })).toThrow(AwsError);
  });

  it('refuse managed policies that are not known', async () => {
    const arn = 'arn:aws:iam::aws:policy/AmazonS3FullAccess';
    await expect(deployRole({ ManagedPolicyArns: [arn] })).rejects.toThrow(`${arn} is not known`);
  });

  it('refuse what they do not enforce', async () => {
    await expect(deployRole({ PermissionsBoundary: 'arn:x' })).rejects.toThrow(/PermissionsBoundary/);
  });

  it('are assumed only by whom they trust', async () => {
    await deployRole({ AssumeRolePolicyDocument: trust('ses.amazonaws.com') });
    const service = (name: string): Caller => ({ kind: 'service', service: `${name}.amazonaws.com` });
    expect(iam.assumeRole(roleArn, service('ses'), 's')).toMatchObject({ kind: 'role', roleArn });
    expect(() => iam.assumeRole(roleArn, service('lambda'), 's')).toThrow(/sts:AssumeRole/);
    expect(iam.refusals[0]!.missing).toBe(
      `the trust policy of ${roleArn} must allow sts:AssumeRole to lambda.amazonaws.com`,
    );
  });
});

describe('a refused call', () => {
  it("fails with AWS's words and prints who, action, resource and the missing grant", async () => {
    await deployRole();
    expect(() => iam.authorize(getObject)).toThrow(
      expect.objectContaining({
        code: 'AccessDenied',
        status: 403,
        message:
          `User: arn:aws:sts::${account}:assumed-role/p-Receive/receive-mail is not authorized to perform: ` +
          's3:GetObject on resource: arn:aws:s3:::b/k because no identity-based policy allows the s3:GetObject action',
      }),
    );
    expect(printed).toEqual([
      `refused: arn:aws:sts::${account}:assumed-role/p-Receive/receive-mail s3:GetObject on arn:aws:s3:::b/k: ` +
        'the policies of role Receive must allow s3:GetObject',
    ]);
    expect(iam.refusals).toHaveLength(1);
  });

  const policies: [action: string, resource: string, where: string][] = [
    ['s3:PutObject', 'arn:aws:s3:::b/k', 'the bucket policy of arn:aws:s3:::b/k'],
    ['sns:Publish', 'arn:aws:sns:us-east-1:0:t', 'the topic policy of arn:aws:sns:us-east-1:0:t'],
    ['sqs:SendMessage', 'arn:aws:sqs:us-east-1:0:q', 'the queue policy of arn:aws:sqs:us-east-1:0:q'],
    [
      'lambda:InvokeFunction',
      'arn:aws:lambda:us-east-1:0:function:f',
      'the Lambda permission of arn:aws:lambda:us-east-1:0:function:f',
    ],
  ];
  it.each(policies)('of a service names the policy for %s', (action, resource, where) => {
    const caller: Caller = { kind: 'service', service: 'ses.amazonaws.com', sourceArn: 'arn:src' };
    expect(() => iam.authorize({ caller, action, resource })).toThrow(
      /because no resource-based policy allows/,
    );
    expect(printed).toEqual([
      `refused: ses.amazonaws.com ${action} on ${resource}: ${where} must allow ${action} to ses.amazonaws.com ` +
        'from arn:src; it has none',
    ]);
  });

  it('by an explicit deny names the statement', () => {
    const caller: Caller = { kind: 'operator', arn: iam.operatorArn, accessKeyId: 'AKIA' };
    iam.authorize({ ...getObject, caller });
    const resourcePolicy = {
      Statement: [
        { Sid: 'Fence', Effect: 'Deny' as const, Principal: '*' as const, Action: '*', Resource: '*' },
      ],
    };
    expect(() => iam.authorize({ ...getObject, caller, resourcePolicy })).toThrow(
      /with an explicit deny in a resource-based policy$/,
    );
    expect(iam.refusals[0]!.missing).toBe(
      'the statement Fence of the bucket policy of arn:aws:s3:::b/k denies it',
    );
  });
});

describe('access keys', () => {
  let home: string;
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'posthorn-'))));
  const keysOf = () => new AccessKeys(home, iam, clock);

  it('are different for each instance of a function and name it', async () => {
    await deployRole();
    const keys = keysOf();
    const [one, two] = [keys.issueKeys(roleArn, 'receive-mail'), keys.issueKeys(roleArn, 'receive-mail')];
    expect(one.accessKeyId).not.toBe(two.accessKeyId);
    expect(one.secretAccessKey).not.toBe(two.secretAccessKey);
    expect(keys.find(one.accessKeyId, one.sessionToken, undefined)).toEqual({
      caller: {
        kind: 'role',
        roleArn,
        arn: (role as { arn: string }).arn,
        accessKeyId: one.accessKeyId,
        functionName: 'receive-mail',
      },
      secret: one.secretAccessKey,
    });
  });

  it('want their own session token, unaltered', async () => {
    await deployRole();
    const keys = keysOf();
    const [one, two] = [keys.issueKeys(roleArn, 'a'), keys.issueKeys(roleArn, 'b')];
    expect(keys.find(one.accessKeyId, undefined, undefined)).toBe('unknown');
    expect(keys.find(one.accessKeyId, two.sessionToken, undefined)).toBe('unknown');
    expect(keys.find(one.accessKeyId, `x${one.sessionToken}`, undefined)).toBe('unknown');
    expect(keys.find('AKIANOBODY', undefined, undefined)).toBe('unknown');
  });

  it('are not issued for a role that Lambda may not assume', async () => {
    await deployRole({ AssumeRolePolicyDocument: trust('ses.amazonaws.com') });
    expect(() => keysOf().issueKeys(roleArn, 'f')).toThrow(
      /lambda.amazonaws.com is not authorized to perform: sts:AssumeRole/,
    );
  });

  it('of another start make no calls, but what they presigned works until the session ends', async () => {
    await deployRole();
    const { accessKeyId, sessionToken, expiration } = keysOf().issueKeys(roleArn, 'f');
    const later = keysOf();
    const signedAt = clock.now();
    expect(later.find(accessKeyId, sessionToken, undefined)).toBe('expired');
    expect(later.find(accessKeyId, sessionToken, signedAt)).toMatchObject({ caller: { roleArn } });
    clock.advance(expiration.getTime() - clock.now() + 1);
    expect(later.find(accessKeyId, sessionToken, signedAt)).toBe('expired');
  });

  it('of an instance that outlives its session are renewed, and presign as long as a session lasts', async () => {
    await deployRole();
    const keys = keysOf();
    const { accessKeyId, sessionToken } = keys.issueKeys(roleArn, 'f');
    clock.advance(30 * 24 * 3600_000);
    const signedAt = clock.now();
    expect(keys.find(accessKeyId, sessionToken, undefined)).toMatchObject({ caller: { roleArn } });
    expect(keys.find(accessKeyId, sessionToken, signedAt)).toMatchObject({ caller: { roleArn } });
    clock.advance(13 * 3600_000);
    expect(keys.find(accessKeyId, sessionToken, signedAt)).toBe('expired');
  });

  it('that STS made last to their end and no longer, over restarts and for what they presigned', async () => {
    const Principal = { AWS: iam.operatorArn };
    await deployRole({ AssumeRolePolicyDocument: { Statement: { ...trust('x').Statement, Principal } } });
    const user: Caller = { kind: 'operator', arn: iam.operatorArn, accessKeyId: 'AKIA' };
    const wish = { roleArn, sessionName: 'me', tags: {}, seconds: 3_600 };
    const { accessKeyId, sessionToken, expiration, id, arn } = keysOf().assume(user, wish);
    expect([id, arn]).toEqual(['AROAp-Receive:me', `arn:aws:sts::${account}:assumed-role/p-Receive/me`]);
    const later = keysOf();
    const caller = { kind: 'role', roleArn, arn, accessKeyId, tags: {} };
    clock.advance(expiration.getTime() - clock.now() - 1_000);
    const signedAt = clock.now();
    for (const presignedAt of [undefined, signedAt]) {
      expect(later.find(accessKeyId, sessionToken, presignedAt)).toMatchObject({ caller });
    }
    clock.advance(1_000);
    for (const presignedAt of [undefined, signedAt, clock.now() + 1]) {
      expect(later.find(accessKeyId, sessionToken, presignedAt)).toBe('expired');
    }
  });

  it('that are revoked take their presigned URLs with them', async () => {
    await deployRole();
    const keys = keysOf();
    const { accessKeyId, sessionToken } = keys.issueKeys(roleArn, 'f');
    keys.revoke(accessKeyId);
    expect(keys.find(accessKeyId, sessionToken, clock.now())).toBe('unknown');
  });

  it('of the operator last as long as the home, for its owner only', () => {
    const operator = keysOf().operator;
    expect(keysOf().operator).toEqual(operator);
    expect(keysOf().find(operator.accessKeyId, undefined, undefined)).toMatchObject({
      caller: { kind: 'operator' },
    });
    expect(statSync(join(home, 'keys.json')).mode & 0o777).toBe(0o600);
  });

  it('of a damaged file stop the start', () => {
    writeFileSync(join(home, 'keys.json'), '{');
    expect(keysOf).toThrow(/keys\.json is damaged/);
  });
});
