import { describe, expect, it } from 'vitest';
import { lintPolicies } from '../../../lib/local/iam/lint.ts';

const statement = (more: object) => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...more });
const condition = (Condition: object) => statement({ Condition });

const refused: [name: string, statement: object, message: RegExp][] = [
  [
    'an unknown operator',
    condition({ StringMatches: { 's3:prefix': 'x' } }),
    /operator StringMatches is not known/,
  ],
  ['BinaryEquals', condition({ BinaryEquals: { 's3:prefix': 'x' } }), /operator BinaryEquals/],
  [
    'an unknown quantifier',
    condition({ 'ForSome:StringLike': { 's3:prefix': 'x' } }),
    /operator ForSome:StringLike/,
  ],
  [
    'an unknown key',
    condition({ StringEquals: { 'aws:SourceVpce': 'x' } }),
    /key aws:SourceVpce is not known/,
  ],
  [
    'a many-valued key without a quantifier',
    condition({ StringLike: { 'dynamodb:LeadingKeys': 'x' } }),
    /write ForAllValues:StringLike/,
  ],
  [
    'an unknown variable',
    statement({ Resource: 'arn:aws:s3:::b/${aws:ResourceTag/org}/*' }),
    /variable aws:ResourceTag\/org/,
  ],
  [
    'an unknown variable in a value',
    condition({ StringLike: { 's3:prefix': '${saml:sub}/*' } }),
    /variable saml:sub/,
  ],
  [
    'a family of tag keys without a tag',
    condition({ StringLike: { 'aws:PrincipalTag/': 'x' } }),
    /key aws:PrincipalTag\/ is not known/,
  ],
  [
    'the many keys of tags without a quantifier',
    condition({ StringEquals: { 'aws:TagKeys': 'organization' } }),
    /write ForAllValues:StringEquals/,
  ],
  ['NotPrincipal', statement({ NotPrincipal: '*' }), /NotPrincipal/],
  ['a federated principal', statement({ Principal: { Federated: 'x' } }), /Principal/],
  ['both Action and NotAction', statement({ NotAction: 's3:*' }), /one of Action and NotAction/],
  ['a resource that is no ARN', statement({ Resource: 'bucket/*' }), /bucket\/\* is no ARN/],
  ['an action that is none', statement({ Action: 'GetObject' }), /GetObject is no action/],
  ['an unknown effect', statement({ Effect: 'Maybe' }), /Effect/],
];

describe('the policies of a template', () => {
  it.each(refused)('refuse %s, naming where it stands', (_name, bad, message) => {
    const properties = { Policies: [{ PolicyDocument: { Statement: [statement({}), bad] } }] };
    const lint = () => lintPolicies('Resources.Role.Properties', properties);
    expect(lint).toThrow(message);
    expect(lint).toThrow(/^Resources\.Role\.Properties\.Policies\.0\.PolicyDocument\.Statement\.1/);
  });

  it('name a statement by its Sid', () => {
    const properties = { PolicyDocument: { Statement: [{ ...condition({ Nope: {} }), Sid: 'Mine' }] } };
    expect(() => lintPolicies('X', properties)).toThrow(/^X\.PolicyDocument\.Statement\.Mine\.Condition/);
  });

  it('take variables only in the version that has them', () => {
    const mine = statement({ Resource: 'arn:aws:s3:::b/${aws:PrincipalTag/org}/${*}' });
    for (const Version of ['2008-10-17', undefined]) {
      const PolicyDocument = { ...(Version && { Version }), Statement: mine };
      expect(() => lintPolicies('X', { PolicyDocument })).toThrow(
        'X.PolicyDocument: IAM takes ${aws:PrincipalTag/org} literally unless the policy has Version 2012-10-17',
      );
    }
    lintPolicies('X', { PolicyDocument: { Version: '2012-10-17', Statement: mine } });
  });

  it('pass when all is known', () => {
    const statements = [
      condition({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['${aws:PrincipalAccount}*'] } }),
      condition({ Null: { 'dynamodb:LeadingKeys': 'false' }, Bool: { 'aws:SecureTransport': true } }),
      statement({ Principal: { Service: ['ses.amazonaws.com'] } }),
      condition({ StringLike: { 'AWS:requesttag/Organization': '${aws:PrincipalTag/a b@c}' } }),
      condition({ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['x'] } }),
      condition({ StringEquals: { 'sts:RoleSessionName': 'x' } }),
    ];
    lintPolicies('X', { PolicyDocument: { Version: '2012-10-17', Statement: statements }, Other: [1, null] });
  });
});
