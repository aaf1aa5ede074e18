import { describe, expect, it } from 'vitest';
import type { Caller, PolicyStatement } from '../../../lib/local/cloud.ts';
import { evaluate } from '../../../lib/local/iam/evaluate.ts';

const account = '000000000000';
const place = { account, region: 'us-east-1', now: Date.parse('2026-11-21T12:00:00Z') };
const roleArn = `arn:aws:iam::${account}:role/Receive`;
const role: Caller = {
  kind: 'role',
  roleArn,
  arn: `${roleArn}/session`,
  accessKeyId: 'ASIA',
  tags: { Organization: 'org_a', 'a b@c': '*' },
};

type Conditions = NonNullable<PolicyStatement['Condition']>;
const keys = (...values: string[]) => ({ 'dynamodb:LeadingKeys': values });
const conditions: [
  name: string,
  condition: Conditions,
  context: Record<string, string | string[]>,
  expected: string,
][] = [
  ['StringEquals', { StringEquals: { 'aws:PrincipalArn': roleArn } }, {}, 'A'],
  ['StringEquals knows no wildcard', { StringEquals: { 'aws:PrincipalArn': '*' } }, {}, 'M'],
  ['keys in any case', { StringEquals: { 'AWS:principalarn': roleArn } }, {}, 'A'],
  [
    'several keys must all hold',
    { StringEquals: { 'aws:PrincipalArn': roleArn, 's3:prefix': 'x' } },
    {},
    'M',
  ],
  ['one of several values', { StringEquals: { 's3:prefix': ['a', 'b'] } }, { 's3:prefix': 'b' }, 'A'],
  ['StringEquals without the key', { StringEquals: { 's3:prefix': 'a' } }, {}, 'M'],
  ['StringEqualsIfExists without the key', { StringEqualsIfExists: { 's3:prefix': 'a' } }, {}, 'A'],
  [
    'StringEqualsIfExists with another',
    { StringEqualsIfExists: { 's3:prefix': 'a' } },
    { 's3:prefix': 'b' },
    'M',
  ],
  ['StringNotEquals', { StringNotEquals: { 's3:prefix': 'a' } }, { 's3:prefix': 'b' }, 'A'],
  [
    'StringNotEquals of one of them',
    { StringNotEquals: { 's3:prefix': ['a', 'b'] } },
    { 's3:prefix': 'b' },
    'M',
  ],
  ['StringNotEquals without the key', { StringNotEquals: { 's3:prefix': 'a' } }, {}, 'A'],
  ['StringEqualsIgnoreCase', { StringEqualsIgnoreCase: { 's3:prefix': 'ABC' } }, { 's3:prefix': 'abc' }, 'A'],
  [
    'StringNotEqualsIgnoreCase',
    { StringNotEqualsIgnoreCase: { 's3:prefix': 'ABC' } },
    { 's3:prefix': 'abc' },
    'M',
  ],
  ['StringLike', { StringLike: { 's3:prefix': 'org1/*' } }, { 's3:prefix': 'org1/a/b' }, 'A'],
  ['StringLike of another', { StringLike: { 's3:prefix': 'org1/*' } }, { 's3:prefix': 'org12/a' }, 'M'],
  ['StringNotLike', { StringNotLike: { 's3:prefix': 'org1/*' } }, { 's3:prefix': 'org2/a' }, 'A'],
  [
    'a variable in a value',
    { StringEquals: { 's3:prefix': '${aws:PrincipalAccount}' } },
    { 's3:prefix': account },
    'A',
  ],
  [
    'ArnLike',
    { ArnLike: { 'aws:SourceArn': 'arn:aws:s3:*:*:b*' } },
    { 'aws:SourceArn': 'arn:aws:s3:::bucket' },
    'A',
  ],
  [
    'ArnEquals has wildcards too',
    { ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::b*' } },
    { 'aws:SourceArn': 'arn:aws:s3:::bucket' },
    'A',
  ],
  [
    'ArnNotLike',
    { ArnNotLike: { 'aws:SourceArn': 'arn:aws:s3:::b*' } },
    { 'aws:SourceArn': 'arn:aws:s3:::bucket' },
    'M',
  ],
  [
    'ArnNotEquals',
    { ArnNotEquals: { 'aws:SourceArn': 'arn:aws:s3:::b' } },
    { 'aws:SourceArn': 'arn:aws:s3:::c' },
    'A',
  ],
  ['Bool', { Bool: { 'aws:SecureTransport': 'true' } }, {}, 'A'],
  ['Bool as a boolean', { Bool: { 'aws:SecureTransport': false } }, {}, 'M'],
  ['Null true', { Null: { 's3:prefix': 'true' } }, {}, 'A'],
  ['Null true with the key', { Null: { 's3:prefix': 'true' } }, { 's3:prefix': '' }, 'M'],
  ['Null false', { Null: { 's3:prefix': 'false' } }, { 's3:prefix': 'x' }, 'A'],
  ['NumericLessThanEquals', { NumericLessThanEquals: { 's3:max-keys': '10' } }, { 's3:max-keys': '10' }, 'A'],
  ['NumericGreaterThan', { NumericGreaterThan: { 's3:max-keys': '10' } }, { 's3:max-keys': '9' }, 'M'],
  ['NumericEquals', { NumericEquals: { 's3:max-keys': '10' } }, { 's3:max-keys': '10.0' }, 'A'],
  ['NumericNotEquals', { NumericNotEquals: { 's3:max-keys': '10' } }, { 's3:max-keys': '9' }, 'A'],
  ['Numeric of no number', { NumericLessThan: { 's3:max-keys': '10' } }, { 's3:max-keys': 'x' }, 'M'],
  ['DateLessThan', { DateLessThan: { 'aws:CurrentTime': '2026-11-22T00:00:00Z' } }, {}, 'A'],
  ['DateGreaterThan', { DateGreaterThan: { 'aws:CurrentTime': '2026-11-22T00:00:00Z' } }, {}, 'M'],
  ['Date in seconds', { DateGreaterThanEquals: { 'aws:EpochTime': '1700000000' } }, {}, 'A'],
  ['IpAddress', { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, {}, 'A'],
  ['IpAddress of one', { IpAddress: { 'aws:SourceIp': '10.0.0.1' } }, {}, 'M'],
  ['IpAddress of the other family', { IpAddress: { 'aws:SourceIp': '::/0' } }, {}, 'M'],
  ['NotIpAddress', { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '::/0'] } }, {}, 'A'],
  [
    'ForAllValues: every key in the fence',
    { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['O#1', 'O#1#*'] } },
    keys('O#1', 'O#1#I#2'),
    'A',
  ],
  [
    'ForAllValues: one outside',
    { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'O#1*' } },
    keys('O#1', 'O#2'),
    'M',
  ],
  [
    'ForAllValues: holds without the key',
    { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'O#1*' } },
    {},
    'A',
  ],
  [
    '… unless Null asks for it',
    {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'O#1*' },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
    {},
    'M',
  ],
  [
    'ForAnyValue: one inside',
    { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': 'O#1' } },
    keys('O#2', 'O#1'),
    'A',
  ],
  [
    'ForAnyValue: does not hold without the key',
    { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': 'O#1' } },
    {},
    'M',
  ],
  [
    'ForAnyValue:StringNotEquals without the key',
    { 'ForAnyValue:StringNotEquals': { 'dynamodb:LeadingKeys': 'O#1' } },
    {},
    'M',
  ],
  [
    'ForAllValues:StringNotLike',
    { 'ForAllValues:StringNotLike': { 'dynamodb:LeadingKeys': 'O#1*' } },
    keys('O#2', 'O#1'),
    'M',
  ],
  ['a session tag', { StringEquals: { 'aws:PrincipalTag/Organization': 'org_a' } }, {}, 'A'],
  [
    'a session tag, its key in another case',
    { StringLike: { 'AWS:principaltag/organization': 'org_?' } },
    {},
    'A',
  ],
  [
    'a session tag, its value in another case',
    { StringEquals: { 'aws:PrincipalTag/Organization': 'ORG_A' } },
    {},
    'M',
  ],
  ['a session tag that is not there', { StringLike: { 'aws:PrincipalTag/pod': '*' } }, {}, 'M'],
  ['a session tag that must not be there', { Null: { 'aws:PrincipalTag/pod': 'true' } }, {}, 'A'],
  [
    "a tag of the role that the session's replaces",
    { StringEquals: { 'aws:PrincipalTag/ORGANIZATION': 'org_r' } },
    {},
    'M',
  ],
  ['a tag of the role alone', { StringEquals: { 'aws:PrincipalTag/team': 'mail' } }, {}, 'A'],
  [
    'a tag as a variable',
    { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'O#${aws:PrincipalTag/organization}#*' } },
    keys('O#org_a#I#1'),
    'A',
  ],
  [
    'a tag as a variable, of another',
    { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'O#${aws:PrincipalTag/organization}' } },
    keys('O#org_a', 'O#org_ab'),
    'M',
  ],
  [
    'a variable whose value is a star',
    { StringLike: { 's3:prefix': '${aws:PrincipalTag/a b@c}' } },
    { 's3:prefix': 'x' },
    'M',
  ],
  [
    'a variable without its tag',
    { StringLike: { 's3:prefix': '${aws:PrincipalTag/pod}' } },
    { 's3:prefix': '' },
    'M',
  ],
  [
    '… with a default',
    { StringLike: { 's3:prefix': "${aws:PrincipalTag/pod, 'p'}" } },
    { 's3:prefix': 'p' },
    'A',
  ],
  [
    'tags of a request',
    { StringLike: { 'aws:RequestTag/Organization': 'org_*' } },
    { 'aws:RequestTag/organization': 'org_b' },
    'A',
  ],
  [
    'the tag of the session is none of the request',
    { StringLike: { 'aws:RequestTag/Organization': '*' } },
    {},
    'M',
  ],
  [
    'keys of tags: another beside',
    { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['organization'] } },
    { 'aws:TagKeys': ['organization', 'team'] },
    'M',
  ],
  [
    'keys of tags: none at all',
    { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['organization'] } },
    {},
    'A',
  ],
];

describe('conditions', () => {
  it.each(conditions)('%s', (_name, Condition, context, expected) => {
    const grant: PolicyStatement = { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: '*', Condition };
    const access = {
      caller: role,
      action: 'dynamodb:GetItem',
      resource: 'arn:aws:dynamodb:us-east-1:0:table/mail',
    };
    const roleTags = { organization: 'org_r', team: 'mail' };
    const { outcome } = evaluate({ ...access, context }, [grant], { ...place, roleTags });
    expect(outcome).toBe(expected === 'A' ? 'allowed' : 'implicit-deny');
  });
});
