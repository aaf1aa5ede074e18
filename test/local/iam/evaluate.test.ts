import { describe, expect, it } from 'vitest';
import type { Access, Caller, PolicyDocument, PolicyStatement } from '../../../lib/local/cloud.ts';
import { evaluate } from '../../../lib/local/iam/evaluate.ts';

const account = '000000000000';
const place = { account, region: 'us-east-1', now: Date.parse('2026-11-21T12:00:00Z') };
const table = `arn:aws:dynamodb:us-east-1:${account}:table/mail`;
const roleArn = `arn:aws:iam::${account}:role/Receive`;
const sessionArn = `arn:aws:sts::${account}:assumed-role/Receive/receive-fn`;

const role: Caller = {
  kind: 'role',
  roleArn,
  arn: sessionArn,
  accessKeyId: 'ASIA',
  functionName: 'receive-fn',
};
const ses: Caller = {
  kind: 'service',
  service: 'ses.amazonaws.com',
  sourceArn: `arn:aws:ses:us-east-1:${account}:receipt-rule-set/set:receipt-rule/rule`,
  sourceAccount: account,
};
const operator: Caller = {
  kind: 'operator',
  arn: `arn:aws:iam::${account}:user/operator`,
  accessKeyId: 'AKIA',
};
const anonymous: Caller = { kind: 'anonymous' };

const get = { action: 'dynamodb:GetItem', resource: table };
const allow = (more: Partial<PolicyStatement> = {}): PolicyStatement => ({
  Effect: 'Allow',
  Action: 'dynamodb:GetItem',
  Resource: table,
  ...more,
});
const deny = (more: Partial<PolicyStatement> = {}): PolicyStatement => ({ ...allow(more), Effect: 'Deny' });
const without = (statement: PolicyStatement, key: keyof PolicyStatement) => {
  const { [key]: _gone, ...rest } = statement;
  return rest as PolicyStatement;
};

/** One letter each: Allowed, eXplicit deny, iMplicit deny. */
function verdict(caller: Caller, statements: PolicyStatement[], access: Partial<Access> = {}): string {
  const { outcome } = evaluate({ caller, ...get, ...access }, statements, place);
  return { allowed: 'A', 'explicit-deny': 'X', 'implicit-deny': 'M' }[outcome];
}

const anyResource = { Resource: '*' };
const identity: [name: string, statements: PolicyStatement[], expected: string, access?: Partial<Access>][] =
  [
    ['nothing', [], 'M'],
    ['the exact grant', [allow()], 'A'],
    ['another action', [allow({ Action: 'dynamodb:PutItem' })], 'M'],
    ['an action in another case', [allow({ Action: 'DynamoDB:getitem' })], 'A'],
    ['a list of actions', [allow({ Action: ['a:B', 'dynamodb:GetItem'] })], 'A'],
    ['a wildcard in the action', [allow({ Action: 'dynamodb:Get*' })], 'A'],
    ['one letter as ?', [allow({ Action: 'dynamodb:GetIte?' })], 'A'],
    ['? is one letter', [allow({ Action: 'dynamodb:GetItem?' })], 'M'],
    ['every action', [allow({ Action: '*' })], 'A'],
    ['NotAction of another', [without(allow({ NotAction: 's3:*' }), 'Action')], 'A'],
    ['NotAction of this', [without(allow({ NotAction: 'dynamodb:*' }), 'Action')], 'M'],
    ['every resource', [allow(anyResource)], 'A'],
    ['a resource by wildcard', [allow({ Resource: 'arn:aws:dynamodb:*:*:table/m*' })], 'A'],
    ['a wildcard that would cross a colon', [allow({ Resource: 'arn:aws:*:table/mail' })], 'M'],
    ['resources are case-sensitive', [allow({ Resource: table.toUpperCase() })], 'M'],
    ['the index is another resource', [allow()], 'M', { resource: `${table}/index/1` }],
    [
      'the index by wildcard',
      [allow({ Resource: `${table}/index/*` })],
      'A',
      { resource: `${table}/index/1` },
    ],
    ['NotResource of another', [without(allow({ NotResource: 'arn:aws:s3:::b/*' }), 'Resource')], 'A'],
    ['NotResource of this', [without(allow({ NotResource: `${table}*` }), 'Resource')], 'M'],
    [
      'a dot is a dot',
      [allow({ Resource: 'arn:aws:s3:::a.b/*', Action: '*' })],
      'M',
      { resource: 'arn:aws:s3:::aXb/k' },
    ],
    [
      'a key with a colon',
      [allow({ Resource: 'arn:aws:s3:::b/*', Action: '*' })],
      'A',
      { resource: 'arn:aws:s3:::b/a:c\nd' },
    ],
    ['deny beats allow', [allow(), deny()], 'X'],
    ['deny of another action', [allow(), deny({ Action: 'dynamodb:Put*' })], 'A'],
    ['deny with NotAction', [allow(), without(deny({ NotAction: 'dynamodb:GetItem' }), 'Action')], 'A'],
    [
      'a call on no resource type',
      [allow({ Action: 'ses:GetAccount', ...anyResource })],
      'A',
      { action: 'ses:GetAccount', resource: '*' },
    ],
    [
      'a variable in the resource',
      [allow({ Resource: 'arn:aws:s3:::b/${aws:PrincipalAccount}/*', Action: '*' })],
      'A',
      { resource: `arn:aws:s3:::b/${account}/k` },
    ],
    [
      'a variable without value',
      [allow({ Resource: 'arn:aws:s3:::b/${aws:username}/*', Action: '*' })],
      'M',
      { resource: 'arn:aws:s3:::b//k' },
    ],
    [
      "a variable's default",
      [allow({ Resource: "arn:aws:s3:::b/${aws:username, 'me'}/*", Action: '*' })],
      'A',
      { resource: 'arn:aws:s3:::b/me/k' },
    ],
    [
      'an escaped star',
      [allow({ Resource: 'arn:aws:s3:::b/${*}', Action: '*' })],
      'M',
      { resource: 'arn:aws:s3:::b/x' },
    ],
    [
      'an escaped star, as such',
      [allow({ Resource: 'arn:aws:s3:::b/${*}', Action: '*' })],
      'A',
      { resource: 'arn:aws:s3:::b/*' },
    ],
    [
      'a star in the value of a variable is no wildcard',
      [allow({ Action: '*', Resource: 'arn:aws:s3:::b/${s3:prefix}/k' })],
      'M',
      { resource: 'arn:aws:s3:::b/x/k', context: { 's3:prefix': '*' } },
    ],
  ];

const policy = (...statements: Partial<PolicyStatement>[]): PolicyDocument => ({
  Statement: statements.map((statement) => ({
    Effect: 'Allow',
    Action: 's3:PutObject',
    Resource: 'arn:aws:s3:::b/*',
    ...statement,
  })),
});
const put = { action: 's3:PutObject', resource: 'arn:aws:s3:::b/incoming/1' };
const sesService = { Principal: { Service: 'ses.amazonaws.com' } };
const fromAccount = { StringEquals: { 'aws:SourceAccount': account } };
const noTls = {
  Effect: 'Deny',
  Principal: { AWS: '*' },
  Action: 's3:*',
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
} as const;

const onResource: [
  name: string,
  caller: Caller,
  document: PolicyDocument | undefined,
  expected: string,
  own?: PolicyStatement[],
][] = [
  ['a service without any policy', ses, undefined, 'M'],
  ['a service with only the TLS denial', ses, policy(noTls), 'M'],
  ['a service that is named', ses, policy(sesService), 'A'],
  ['another service', ses, policy({ Principal: { Service: 's3.amazonaws.com' } }), 'M'],
  ['a service of the account', ses, policy({ ...sesService, Condition: fromAccount }), 'A'],
  [
    'a service of another account',
    ses,
    policy({ ...sesService, Condition: { StringEquals: { 'aws:SourceAccount': '1' } } }),
    'M',
  ],
  [
    'a service by source ARN',
    ses,
    policy({
      ...sesService,
      Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:ses:us-east-1:${account}:receipt-rule-set/set:*` } },
    }),
    'A',
  ],
  [
    'a service from another source',
    ses,
    policy({
      ...sesService,
      Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:ses:us-east-1:${account}:identity/*` } },
    }),
    'M',
  ],
  [
    'a service as anyone of the account',
    ses,
    policy({ Principal: { AWS: '*' }, Condition: { StringEquals: { 'AWS:SourceOwner': account } } }),
    'A',
  ],
  ['a service is no AWS principal', ses, policy({ Principal: { AWS: account } }), 'M'],
  ['a service, on another key', ses, policy({ ...sesService, Resource: 'arn:aws:s3:::b/other/*' }), 'M'],
  ['a service, denied', ses, policy(sesService, { ...sesService, Effect: 'Deny' }), 'X'],
  ['a role by the resource alone', role, policy({ Principal: { AWS: roleArn } }), 'A'],
  ['a role by its session', role, policy({ Principal: { AWS: [sessionArn] } }), 'A'],
  ['a role as anyone', role, policy({ Principal: '*' }), 'A'],
  [
    'a role by the account, without an own grant',
    role,
    policy({ Principal: { AWS: `arn:aws:iam::${account}:root` } }),
    'M',
  ],
  [
    'a role denied by the account',
    role,
    policy({ Effect: 'Deny', Principal: { AWS: account } }),
    'X',
    [allow({ Action: 's3:*', ...anyResource })],
  ],
  ['a role by its own grant alone', role, policy(noTls), 'A', [allow({ Action: 's3:*', ...anyResource })]],
  [
    'a role denied by the resource',
    role,
    policy({ Effect: 'Deny', Principal: '*' }),
    'X',
    [allow({ Action: 's3:*', ...anyResource })],
  ],
  [
    'a role denied by itself, allowed by the resource',
    role,
    policy({ Principal: '*' }),
    'X',
    [deny({ Action: 's3:*', ...anyResource })],
  ],
  ['another role', role, policy({ Principal: { AWS: `${roleArn}2` } }), 'M'],
  ['a statement without a principal', role, policy({}), 'M'],
  ['anonymous', anonymous, undefined, 'M'],
  ['anonymous where anyone may', anonymous, policy({ Principal: '*' }), 'A'],
  ['anonymous is not of the account', anonymous, policy({ Principal: { AWS: account } }), 'M'],
  [
    'the operator',
    operator,
    policy({ Effect: 'Deny', Principal: { AWS: operator.arn } }),
    'X',
    [allow({ Action: '*', ...anyResource })],
  ],
];

describe('identity policies', () => {
  it.each(identity)('%s', (_name, statements, expected, access) => {
    expect(verdict(role, statements, access)).toBe(expected);
  });
});

describe('resource policies', () => {
  it.each(onResource)('%s', (_name, caller, resourcePolicy, expected, own = []) => {
    expect(verdict(caller, own, { ...put, resourcePolicy })).toBe(expected);
  });
});

describe('a trust policy', () => {
  const trusting = (principal: PolicyStatement['Principal'], more: Partial<PolicyStatement> = {}) => ({
    resourcePolicy: {
      Statement: { Effect: 'Allow' as const, Action: 'sts:AssumeRole', Principal: principal!, ...more },
    },
    action: 'sts:AssumeRole',
    resource: `arn:aws:iam::${account}:role/tenant`,
    trustNeeded: true,
  });
  const own = [allow({ Action: 'sts:*', ...anyResource })];
  const cases: [name: string, own: PolicyStatement[], access: Partial<Access>, expected: string][] = [
    ['that names the role is enough', [], trusting({ AWS: roleArn }), 'A'],
    ['that names the account is not', [], trusting({ AWS: account }), 'M'],
    ['that names the account leaves it to the own policies', own, trusting({ AWS: account }), 'A'],
    ['that names another is not helped by the own policies', own, trusting({ AWS: operator.arn }), 'M'],
    [
      'that allows another action neither',
      own,
      trusting({ AWS: account }, { Action: 'sts:TagSession' }),
      'M',
    ],
    [
      'whose condition fails neither',
      own,
      trusting({ AWS: account }, { Condition: { Null: { 'aws:PrincipalArn': 'true' } } }),
      'M',
    ],
    ['that denies wins', own, trusting({ AWS: account }, { Effect: 'Deny' }), 'X'],
    ['that is not there refuses', own, { ...trusting('*'), resourcePolicy: undefined }, 'M'],
  ];
  it.each(cases)('%s', (_name, statements, access, expected) => {
    expect(verdict(role, statements, access)).toBe(expected);
  });
});
