import { describe, expect, it } from 'vitest';
import { resolve } from '../../../lib/local/template/intrinsics.ts';
import { scopeOf } from './scope-of.ts';

const scope = scopeOf(
  {
    Parameters: {
      Stage: { Type: 'String', Default: 'dev' },
      Asked: { Type: 'String' },
      BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/x/version' },
    },
    Mappings: { Hosts: { 'us-east-1': { smtp: 'inbound-smtp.us-east-1.amazonaws.com' } } },
    Conditions: {
      IsDev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] },
      NotDev: { 'Fn::Not': [{ Condition: 'IsDev' }] },
      Both: { 'Fn::And': [{ Condition: 'IsDev' }, { 'Fn::Equals': ['a', 'a'] }] },
      Either: { 'Fn::Or': [{ Condition: 'NotDev' }, { 'Fn::Equals': ['a', 'b'] }] },
      Round: { 'Fn::Not': [{ Condition: 'About' }] },
      About: { 'Fn::Not': [{ Condition: 'Round' }] },
      Asks: { 'Fn::Equals': [{ 'Fn::GetAtt': ['Queue', 'Arn'] }, 'x'] },
      Odd: { 'Fn::Xor': [] },
    },
    Resources: { Alarm: { Type: 'AWS::CloudWatch::Alarm' } },
  },
  { Queue: { ref: 'http://q', attributes: { Arn: 'arn:q', 'Outputs.Deep': 'deep', List: ['x', 'y'] } } },
);

const resolved: [name: string, value: unknown, expected: unknown][] = [
  ['plain data', { a: [1, true, null, 'x'] }, { a: [1, true, null, 'x'] }],
  ['Ref of a resource', { Ref: 'Queue' }, 'http://q'],
  ['Ref of a parameter', { Ref: 'Stage' }, 'dev'],
  ['AWS::AccountId', { Ref: 'AWS::AccountId' }, '000000000000'],
  ['AWS::Region', { Ref: 'AWS::Region' }, 'us-east-1'],
  ['AWS::Partition', { Ref: 'AWS::Partition' }, 'aws'],
  ['AWS::URLSuffix', { Ref: 'AWS::URLSuffix' }, 'amazonaws.com'],
  ['AWS::StackName', { Ref: 'AWS::StackName' }, 'posthorn'],
  ['AWS::StackId', { Ref: 'AWS::StackId' }, 'arn:aws:cloudformation:us-east-1:000000000000:stack/posthorn/1'],
  ['NoValue in an object', { a: { Ref: 'AWS::NoValue' }, b: 1 }, { b: 1 }],
  ['NoValue in a list', [{ Ref: 'AWS::NoValue' }, 1], [1]],
  ['GetAtt', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:q'],
  ['GetAtt as a string', { 'Fn::GetAtt': 'Queue.Arn' }, 'arn:q'],
  ['GetAtt with dots', { 'Fn::GetAtt': ['Queue', 'Outputs.Deep'] }, 'deep'],
  ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }, 1]] }, 'a-dev-1'],
  ['Join over a list attribute', { 'Fn::Join': [',', { 'Fn::GetAtt': ['Queue', 'List'] }] }, 'x,y'],
  ['Sub', { 'Fn::Sub': '${Stage}/${AWS::Region}/${Queue.Arn}/${Queue}' }, 'dev/us-east-1/arn:q/http://q'],
  ['Sub keeps a literal', { 'Fn::Sub': '${!Stage} $ {x}' }, '${Stage} $ {x}'],
  ['Sub with a map', { 'Fn::Sub': ['${A}-${Stage}', { A: { Ref: 'Stage' } }] }, 'dev-dev'],
  ['Sub inserts $& as it is', { 'Fn::Sub': ['${A}', { A: '$&$1' }] }, '$&$1'],
  ['Select', { 'Fn::Select': ['1', ['a', 'b']] }, 'b'],
  ['Select of Split', { 'Fn::Select': [2, { 'Fn::Split': [':', 'a:b:c'] }] }, 'c'],
  ['Split', { 'Fn::Split': ['/', 'a//b'] }, ['a', '', 'b']],
  ['If true', { 'Fn::If': ['IsDev', { Ref: 'Stage' }, 'no'] }, 'dev'],
  ['If false', { 'Fn::If': ['NotDev', 'no', 'yes'] }, 'yes'],
  ['If to NoValue', { a: { 'Fn::If': ['NotDev', 1, { Ref: 'AWS::NoValue' }] } }, {}],
  ['And', { 'Fn::If': ['Both', 1, 2] }, 1],
  ['Or', { 'Fn::If': ['Either', 1, 2] }, 2],
  [
    'FindInMap',
    { 'Fn::FindInMap': ['Hosts', { Ref: 'AWS::Region' }, 'smtp'] },
    'inbound-smtp.us-east-1.amazonaws.com',
  ],
  ['Base64', { 'Fn::Base64': { Ref: 'Stage' } }, 'ZGV2'],
  ['ToJsonString', { 'Fn::ToJsonString': { a: { Ref: 'Stage' } } }, '{"a":"dev"}'],
];

const refused: [name: string, value: unknown, message: RegExp][] = [
  [
    'an unknown function',
    { a: { 'Fn::Cidr': [] } },
    /^here\.a: the intrinsic function Fn::Cidr is not known/,
  ],
  ['ImportValue', { 'Fn::ImportValue': 'x' }, /Fn::ImportValue is not known/],
  ['a function beside data', { Ref: 'Queue', x: 1 }, /must be the only key/],
  ['an unknown name', { Ref: 'Nobody' }, /^here\.Ref: Nobody is not in the template/],
  ['an ignored resource', { Ref: 'Alarm' }, /Alarm \(AWS::CloudWatch::Alarm\) has no value/],
  ['an unknown attribute', { 'Fn::GetAtt': ['Queue', 'Url'] }, /Queue has no attribute Url/],
  ['a parameter without a value', { Ref: 'Asked' }, /^Parameters\.Asked: has no default/],
  ['the bootstrap version', { Ref: 'BootstrapVersion' }, /BootstrapVersion has no value here/],
  ['an index outside', { 'Fn::Select': [2, ['a']] }, /no element 2/],
  ['a missing mapping', { 'Fn::FindInMap': ['Hosts', 'eu', 'smtp'] }, /no mapping Hosts \/ eu \/ smtp/],
  ['an unknown condition', { 'Fn::If': ['Nope', 1, 2] }, /^Conditions\.Nope: there is no such condition/],
  ['circular conditions', { 'Fn::If': ['Round', 1, 2] }, /Round → About → Round|refers to itself/],
  ['a condition over a resource', { 'Fn::If': ['Asks', 1, 2] }, /cannot ask a resource/],
  ['an unknown condition function', { 'Fn::If': ['Odd', 1, 2] }, /Fn::Xor is not known/],
  ['a dynamic reference', '{{resolve:ssm:/x}}', /dynamic references/],
  ['a joined object', { 'Fn::Join': ['', [{ a: 1 }]] }, /wants a single value/],
];

describe('intrinsic functions', () => {
  it.each(resolved)('%s', (_name, value, expected) => {
    expect(resolve(value, scope, 'here')).toEqual(expected);
  });

  it.each(refused)('refuses %s', (_name, value, message) => {
    expect(() => resolve(value, scope, 'here')).toThrow(message);
  });
});
