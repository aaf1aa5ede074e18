import { GetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PolicyStatement } from '../../../lib/local/cloud.ts';
import { calm } from '../../../lib/local/weather.ts';
import {
  account,
  assume,
  organizationTag,
  roleArn,
  stsHouse,
  tenantTrust,
  type StsHouse,
} from './sts-house.ts';

let house: StsHouse;
beforeEach(async () => void (house = await stsHouse()));

const session = (role: string, name: string) => `arn:aws:sts::${account}:assumed-role/${role}/${name}`;
const refused = (action: string) => ({
  name: 'AccessDenied',
  message: expect.stringContaining(
    `User: ${session('api', 'api-fn')} is not authorized to perform: sts:${action} on resource: ${roleArn('tenant')}`,
  ),
});

describe('AssumeRole', () => {
  it('answers keys of a session that carries its tags and ends by the clock', async () => {
    await house.tenant();
    const RoleSessionName = 'a+b=c,d.e@f-g_1';
    const input = {
      RoleArn: roleArn('tenant'),
      RoleSessionName,
      DurationSeconds: 900,
      ...organizationTag('org_a'),
    };
    const answer = await house.sts().send(new AssumeRoleCommand(input));
    expect(answer.AssumedRoleUser).toEqual({
      Arn: session('tenant', RoleSessionName),
      AssumedRoleId: `AROAtenant:${RoleSessionName}`,
    });
    const { AccessKeyId, SessionToken, Expiration } = answer.Credentials!;
    expect(AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    const seconds = (Expiration!.getTime() - house.cloud.clock.now()) / 1000;
    expect(seconds).toBeGreaterThan(890);
    expect(seconds).toBeLessThanOrEqual(900);
    expect(house.keys.find(AccessKeyId!, SessionToken, undefined)).toMatchObject({
      caller: {
        kind: 'role',
        roleArn: roleArn('tenant'),
        arn: session('tenant', RoleSessionName),
        tags: { organization: 'org_a' },
        functionName: 'api-fn',
        instanceKey: house.api.accessKeyId,
      },
    });
    expect(house.cloud.calls).toEqual([{ service: 'sts', action: 'AssumeRole', by: 'api-fn' }]);
  });

  it('lasts an hour when not told otherwise', async () => {
    await house.tenant();
    const { expiration } = await assume(house.sts(), 'org_a');
    expect(Math.abs(expiration.getTime() - house.cloud.clock.now() - 3_600_000)).toBeLessThan(10_000);
  });

  it('takes an empty list of tags for none', async () => {
    await house.role('tenant', [
      { Effect: 'Allow', Principal: { AWS: roleArn('api') }, Action: 'sts:AssumeRole' },
    ]);
    await assume(house.sts(), 'org_a', { Tags: [] });
  });
});

describe('the trust policy', () => {
  const trust = (more: Partial<PolicyStatement>) => house.tenant({ ...tenantTrust, ...more });
  const root = { AWS: `arn:aws:iam::${account}:root` };

  it('refuses whom it does not name, whatever the own policies of the caller say', async () => {
    await house.instanceOf('other');
    await trust({ Principal: { AWS: roleArn('other') } });
    await expect(assume(house.sts(), 'org_a')).rejects.toMatchObject(refused('AssumeRole'));
    await expect(assume(house.sts(house.keys.operator), 'org_a')).rejects.toThrow(
      'because no role trust policy allows the sts:AssumeRole action',
    );
    expect(house.iam.refusals[0]!.missing).toBe(
      `the trust policy of ${roleArn('tenant')} must allow sts:AssumeRole to ${session('api', 'api-fn')}`,
    );
    expect(house.cloud.calls[0]).toEqual({
      service: 'sts',
      action: 'AssumeRole',
      by: 'api-fn',
      error: 'AccessDenied',
    });
  });

  it('is enough when it names the role or its session', async () => {
    const bare = await house.instanceOf('bare');
    await trust({ Principal: { AWS: roleArn('bare') } });
    await assume(house.sts(bare), 'org_a');
    await trust({ Principal: { AWS: session('bare', 'bare-fn') } });
    await assume(house.sts(bare), 'org_a');
    await trust({ Principal: { AWS: session('bare', 'bare-gn') } });
    await expect(assume(house.sts(bare), 'org_a')).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it("wants the caller's own grant when it names the account", async () => {
    const bare = await house.instanceOf('bare');
    await trust({ Principal: root });
    await assume(house.sts(), 'org_a');
    await expect(assume(house.sts(bare), 'org_a')).rejects.toThrow(
      'because no identity-based policy allows the sts:AssumeRole action',
    );
    expect(house.iam.refusals[0]!.missing).toBe('the policies of role Logical must allow sts:AssumeRole');
  });

  it('must allow sts:TagSession for a session with tags', async () => {
    await trust({ Action: 'sts:AssumeRole' });
    await expect(assume(house.sts(), 'org_a')).rejects.toMatchObject(refused('TagSession'));
  });

  it('that names the account leaves sts:TagSession to the caller too', async () => {
    const own: PolicyStatement = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' };
    const half = await house.instanceOf('half', [own]);
    await trust({ Principal: root });
    await expect(assume(house.sts(half), 'org_a')).rejects.toThrow(
      /identity-based policy allows the sts:TagSession/,
    );
  });

  it("does not lift the caller's own denial", async () => {
    const own: PolicyStatement = { Effect: 'Deny', Action: 'sts:TagSession', Resource: '*' };
    const shy = await house.instanceOf('shy', [own]);
    await trust({ Principal: { AWS: roleArn('shy') } });
    await expect(assume(house.sts(shy), 'org_a')).rejects.toThrow(
      /explicit deny in an identity-based policy/,
    );
  });

  const wrong: [what: string, tags: { Key: string; Value: string }[] | undefined][] = [
    ['another value', [{ Key: 'organization', Value: 'pod_a' }]],
    ['another key', [{ Key: 'team', Value: 'org_a' }]],
    [
      'a key beside it',
      [
        { Key: 'organization', Value: 'org_a' },
        { Key: 'team', Value: 'x' },
      ],
    ],
    ['no tag', undefined],
  ];
  it.each(wrong)('that fences the tags refuses %s', async (_what, Tags) => {
    await house.tenant();
    await expect(assume(house.sts(), 'org_a', { Tags })).rejects.toMatchObject(refused('AssumeRole'));
  });

  it('matches keys of tags in any case, and the name of the session', async () => {
    const StringEquals = { 'aws:requesttag/ORGANIZATION': 'org_a', 'sts:RoleSessionName': 'org_a' };
    await trust({ Condition: { StringEquals } });
    await assume(house.sts(), 'org_a');
    await expect(assume(house.sts(), 'org_a', { RoleSessionName: 'x1' })).rejects.toMatchObject(
      refused('AssumeRole'),
    );
  });

  it('of a role that does not exist is as closed as any', async () => {
    await expect(assume(house.sts(), 'org_a')).rejects.toMatchObject(refused('AssumeRole'));
  });

  const never: [what: string, more: Partial<PolicyStatement>, message: RegExp][] = [
    [
      'a role that is not there yet',
      { Principal: { AWS: roleArn('later') } },
      /Invalid principal.*role\/later/,
    ],
    ['a pattern', { Principal: { AWS: roleArn('*') } }, /Invalid principal/],
    ['no principal', { Principal: undefined as never }, /Missing required field Principal/],
    ['a resource', { Resource: '*' }, /prohibited field Resource/],
    ['an action of another service', { Action: 's3:GetObject' }, /only specify STS/],
  ];
  it.each(never)('with %s is not deployed', async (_what, more, message) => {
    const { Principal, ...rest } = { ...tenantTrust, ...more };
    const statement = Principal === undefined ? rest : { ...rest, Principal };
    await expect(house.tenant(statement)).rejects.toThrow(message);
  });
});

describe('the length of a session', () => {
  const long = { DurationSeconds: 3_601 };

  it('is an hour at most for a caller that is a session itself, whatever the role allows', async () => {
    await house.tenant(tenantTrust, { MaxSessionDuration: 43_200 });
    await assume(house.sts(), 'org_a', { DurationSeconds: 3_600 });
    await expect(assume(house.sts(), 'org_a', long)).rejects.toMatchObject({
      name: 'ValidationError',
      message:
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    });
  });

  it('is what the role allows for a user', async () => {
    const principal = { ...tenantTrust, Principal: { AWS: house.iam.operatorArn } };
    const sts = house.sts(house.keys.operator);
    await house.tenant(principal, { MaxSessionDuration: 7_200 });
    await assume(sts, 'org_a', { DurationSeconds: 7_200 });
    await expect(assume(sts, 'org_a', { DurationSeconds: 7_201 })).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    });
    await house.tenant(principal);
    await expect(assume(sts, 'org_a', long)).rejects.toThrow(/MaxSessionDuration/);
  });

  it('is bounded by IAM in the template', async () => {
    await expect(house.tenant(tenantTrust, { MaxSessionDuration: 900 })).rejects.toThrow(
      /MaxSessionDuration/,
    );
  });

  it('ends by the clock, for every service', async () => {
    await house.tenant();
    const keys = await assume(house.sts(), 'org_a', { DurationSeconds: 900 });
    const identity = () => house.sts(keys).send(new GetCallerIdentityCommand({}));
    house.cloud.clock.advance(890_000);
    await identity();
    house.cloud.clock.advance(11_000);
    await expect(identity()).rejects.toMatchObject({
      name: 'ExpiredToken',
      $metadata: { httpStatusCode: 403 },
    });
    const get = new GetItemCommand({ TableName: 'mail', Key: { pk: { S: 'O#org_a' } } });
    await expect(house.client(DynamoDBClient, keys).send(get)).rejects.toMatchObject({
      name: 'ExpiredTokenException',
    });
  });

  it('goes on over a restart', async () => {
    await house.tenant();
    const keys = await assume(house.sts(), 'org_a');
    const url = await house.restarted();
    const identity = await house.sts(keys, url).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(session('tenant', 'org_a'));
    await expect(house.sts(house.api, url).send(new GetCallerIdentityCommand({}))).rejects.toThrow(/expired/);
  });
});

describe('a session of STS', () => {
  it('hands its tags to nobody: a role it assumes has its own', async () => {
    await house.tenant();
    const next: PolicyStatement = {
      Effect: 'Allow',
      Principal: { AWS: roleArn('tenant') },
      Action: 'sts:AssumeRole',
    };
    const mine = { ...next, Condition: { StringEquals: { 'aws:PrincipalTag/organization': 'org_a' } } };
    await house.role('next', [mine]);
    const target = { RoleArn: roleArn('next'), Tags: undefined };
    const first = await assume(house.sts(), 'org_a');
    const second = await assume(house.sts(first), 'org_a', target);
    expect(house.keys.find(second.accessKeyId, second.sessionToken, undefined)).toMatchObject({
      caller: { tags: {}, functionName: 'api-fn', instanceKey: house.api.accessKeyId },
    });
    const stranger = await assume(house.sts(), 'org_b');
    await expect(assume(house.sts(stranger), 'org_b', target)).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it('wants its own token, unaltered', async () => {
    await house.tenant();
    const [a, b] = [await assume(house.sts(), 'org_a'), await assume(house.sts(), 'org_b')];
    const [body, seal] = a.sessionToken.split('.') as [string, string];
    const text = Buffer.from(body, 'base64url').toString().replace('"org_a"', '"org_b"');
    const forged = `${Buffer.from(text).toString('base64url')}.${seal}`;
    for (const sessionToken of [forged, b.sessionToken]) {
      const identity = house.sts({ ...a, sessionToken }).send(new GetCallerIdentityCommand({}));
      await expect(identity).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    }
  });

  it('counts for the instance that assumed it: stray when that one is frozen', async () => {
    await house.tenant();
    const keys = await assume(house.sts(), 'org_a');
    const call = () => house.sts(keys).send(new GetCallerIdentityCommand({}));
    house.frozen.add(house.api.accessKeyId);
    await expect(call()).rejects.toMatchObject({ name: 'CallOutsideInvocation' });
    expect(house.stray).toEqual([{ functionName: 'api-fn', service: 'sts', request: 'POST /' }]);
    house.frozen.clear();
    await call();
    expect(house.cloud.calls.at(-1)).toEqual({ service: 'sts', action: 'GetCallerIdentity', by: 'api-fn' });
  });

  it("of the operator is nobody's call but its own", async () => {
    await house.tenant({ ...tenantTrust, Principal: { AWS: house.iam.operatorArn } });
    const keys = await assume(house.sts(house.keys.operator), 'org_a');
    await house.sts(keys).send(new GetCallerIdentityCommand({}));
    expect(house.cloud.calls.at(-1)!.by).toBe('tenant');
  });
});

describe('GetCallerIdentity', () => {
  it('tells each who it is, and needs no grant', async () => {
    const who = async (credentials: Parameters<StsHouse['sts']>[0]) => {
      const { Account, Arn, UserId } = await house.sts(credentials).send(new GetCallerIdentityCommand({}));
      return [Account, Arn, UserId];
    };
    const own: PolicyStatement = { Effect: 'Deny', Action: '*', Resource: '*' };
    expect(await who(await house.instanceOf('none', [own]))).toEqual([
      account,
      session('none', 'none-fn'),
      'AROAnone:none-fn',
    ]);
    expect(await who(house.keys.operator)).toEqual([
      account,
      `arn:aws:iam::${account}:user/operator`,
      'AIDAoperator',
    ]);
  });
});

describe('a wrong request', () => {
  const detected = (at: string, rule: string) =>
    `at '${at}' failed to satisfy constraint: Member must ${rule}`;
  const tags = (Key: string, Value = 'x') => ({ Tags: [{ Key, Value }] });
  const many = { Tags: Array.from({ length: 51 }, (_, at) => ({ Key: `k${at}`, Value: 'x' })) };
  const wrong: [what: string, more: object, message: string][] = [
    [
      'a short name',
      { RoleSessionName: 'a' },
      detected('roleSessionName', 'have length greater than or equal to 2'),
    ],
    ['a long name', { RoleSessionName: 'a'.repeat(65) }, detected('roleSessionName', 'have length less')],
    ['a name with a space', { RoleSessionName: 'a b' }, detected('roleSessionName', 'satisfy regular')],
    ['no name', { RoleSessionName: undefined }, detected('roleSessionName', 'not be null')],
    ['no role', { RoleArn: undefined }, detected('roleArn', 'not be null')],
    ['a role that is no ARN', { RoleArn: 'a'.repeat(20) }, 'is invalid'],
    ['a short session', { DurationSeconds: 899 }, detected('durationSeconds', 'have value greater')],
    ['a long session', { DurationSeconds: 43_201 }, detected('durationSeconds', 'have value less')],
    ['a tag without a key', tags(''), detected('tags.1.member.key', 'have length greater')],
    ['a long key', tags('k'.repeat(129)), detected('tags.1.member.key', 'have length less')],
    ['a key with a star', tags('*'), detected('tags.1.member.key', 'satisfy')],
    ['a long value', tags('k', 'v'.repeat(257)), detected('tags.1.member.value', 'have length less')],
    ['a value with a star', tags('organization', 'org_*'), detected('tags.1.member.value', 'satisfy')],
    ['a value with a variable', tags('organization', '${x}'), detected('tags.1.member.value', 'satisfy')],
    ['51 tags', many, detected('tags', 'have length less than or equal to 50')],
    ['a reserved key', tags('AWS:x'), 'reserved'],
    ['Policy', { Policy: '{}' }, 'does not play Policy'],
    ['PolicyArns', { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/x' }] }, 'does not play PolicyArns'],
    ['ExternalId', { ExternalId: 'x1' }, 'does not play ExternalId'],
    ['TransitiveTagKeys', { TransitiveTagKeys: ['x'] }, 'does not play TransitiveTagKeys'],
    ['SerialNumber', { SerialNumber: 'GAHT12345678' }, 'does not play SerialNumber'],
    ['SourceIdentity', { SourceIdentity: 'x1' }, 'does not play SourceIdentity'],
  ];
  it.each(wrong)('with %s is refused before anything is granted', async (_what, more, message) => {
    await house.tenant();
    await expect(assume(house.sts(), 'org_a', more)).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining(message),
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('is told every fault at once', async () => {
    const more = { RoleSessionName: '*', DurationSeconds: 1 };
    await expect(assume(house.sts(), 'org_a', more)).rejects.toThrow(
      /^3 validation errors detected: .*roleSession/,
    );
  });

  it('with two tags that differ only in case is refused', async () => {
    await house.tenant();
    const Tags = ['organization', 'Organization'].map((Key) => ({ Key, Value: 'org_a' }));
    await expect(assume(house.sts(), 'org_a', { Tags })).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    });
  });

  it('for another action is no action', async () => {
    await expect(house.sts().send(new GetSessionTokenCommand({}))).rejects.toMatchObject({
      name: 'InvalidAction',
      message: expect.stringContaining('Could not find operation GetSessionToken for version 2011-06-15'),
    });
  });

  it('in bad weather is one too many', async () => {
    await house.tenant();
    const sts = house.sts();
    Object.assign(house.cloud, { weather: { ...calm, strikes: (what: string) => what === 'throttle' } });
    await expect(assume(sts, 'org_a')).rejects.toMatchObject({ name: 'Throttling' });
  });
});
