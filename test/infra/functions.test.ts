import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { synthesize } from '../../lib/infra/synthesize.ts';
import { unscopedActions } from '../../lib/infra/unscoped-actions.ts';

const { template } = synthesize({
  ...{ mailDomain: 'mail.acme.io', logRetentionDays: 30, canaryMinutes: 5, bundle: false },
});
const resources: [string, any][] = Object.entries(template['Resources']);
const of = (type: string) => resources.filter(([, { Type }]) => Type === type);
const functions = of('AWS::Lambda::Function').map(([, resource]) => ({
  name: resource.Metadata['posthorn:entry'].split('/')[1] as string,
  ...resource,
}));
const statements = (name: string): any[] => {
  const { Role } = functions.find((fn) => fn.name === name)!.Properties;
  const roleId = Role['Fn::GetAtt'][0];
  return of('AWS::IAM::Policy')
    .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: any) => Ref === roleId))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
};
const list = <T>(value: T | T[]): T[] => [value].flat() as T[];
const allowed = (name: string) =>
  statements(name)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action }) => list<string>(Action));

describe('functions', () => {
  it('are one for each folder of lambdas, each with its entry in the template', () => {
    expect(functions.map(({ name }) => name).toSorted()).toEqual(readdirSync('lambdas').toSorted());
    for (const { name, Metadata } of functions)
      expect(Metadata['posthorn:entry']).toBe(`lambdas/${name}/handler.ts`);
  });

  it.each(functions.map((fn) => [fn.name, fn] as const))(
    '%s runs on arm64 and Node 24',
    (_name, { Properties }) => {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
      });
    },
  );

  it('have a role each, for Lambda only, without managed policies', () => {
    const roles = functions.map(({ Properties }) => Properties.Role['Fn::GetAtt'][0]);
    expect(new Set(roles).size).toBe(functions.length);
    // Beside them stands only the role that the API takes on for one organization.
    const others = of('AWS::IAM::Role').filter(([id]) => !roles.includes(id));
    expect(others.map(([id]) => id)).toEqual([expect.stringMatching(/^apitenantrole/)]);
    for (const [, { Properties }] of of('AWS::IAM::Role').filter(([id]) => roles.includes(id))) {
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
      expect(Properties.AssumeRolePolicyDocument.Statement[0].Principal).toEqual({
        Service: 'lambda.amazonaws.com',
      });
    }
  });

  it('have a log group each that forgets, and may write to no other', () => {
    const groups = functions.map(({ Properties }) => Properties.LoggingConfig.LogGroup.Ref);
    expect(new Set(groups).size).toBe(functions.length);
    for (const [, { Properties }] of of('AWS::Logs::LogGroup')) expect(Properties.RetentionInDays).toBe(30);
    functions.forEach(({ name }, index) => {
      const logs = statements(name).filter(({ Action }) =>
        list<string>(Action).some((action) => action.startsWith('logs:')),
      );
      expect(logs.map(({ Resource }) => Resource)).toEqual([{ 'Fn::GetAtt': [groups[index], 'Arn'] }]);
    });
  });

  it('exist before anything invokes them with less than their policy', () => {
    for (const { DependsOn } of functions)
      expect(DependsOn.some((id: string) => id.includes('DefaultPolicy'))).toBe(true);
  });
});

describe('grants', () => {
  it('name no action by wildcard', () => {
    for (const { name } of functions)
      expect(allowed(name).filter((action) => action.includes('*'))).toEqual([]);
  });

  it('reach every resource only for the listed actions, each alone, in activate-receiving', () => {
    const everything = functions.flatMap(({ name }) =>
      statements(name)
        .filter(({ Effect, Resource }) => Effect === 'Allow' && list(Resource).includes('*'))
        .map(({ Action }) => [name, Action]),
    );
    expect(everything).toEqual(
      Object.values(unscopedActions).map((action) => ['activate-receiving', action]),
    );
  });

  it('reach indexes by name', () => {
    const resources = JSON.stringify(of('AWS::IAM::Policy'));
    expect(resources).toContain('/index/by-pod');
    expect(resources).not.toContain('/index/*');
  });

  const denied = (name: string, from = statements(name)) => from.filter(({ Effect }) => Effect === 'Deny');
  const onKeys = (...keys: string[]) => ({
    Condition: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': keys } },
  });

  const ledgerDenial = expect.objectContaining({
    Effect: 'Deny',
    Action: ['dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'],
    ...onKeys('O#*#A#*'),
  });
  const proofDenial = expect.objectContaining({
    Effect: 'Deny',
    Action: expect.arrayContaining(['dynamodb:PutItem', 'dynamodb:UpdateItem']),
    ...onKeys('O#*#S', 'O#*#X'),
  });

  it('keep whoever changes rows from the lines of the ledger', () => {
    for (const name of ['api', 'operator', 'publish-event', 'receive-mail', 'run-due'])
      expect([name, denied(name)]).toEqual([name, expect.arrayContaining([ledgerDenial, proofDenial])]);
  });

  it('keep the API’s own credentials from what lies in inboxes', () => {
    expect(denied('api')).toContainEqual(expect.objectContaining(onKeys('O#*#I#*', 'O#*#T#*')));
    expect(allowed('api').filter((action) => action.startsWith('s3:'))).toEqual([]);
  });

  it('let a session of the tenant role reach its organization alone', () => {
    const [[roleId, role]] = of('AWS::IAM::Role').filter(([id]) => /^apitenantrole/.test(id)) as [
      [string, any],
    ];
    expect(role.Properties.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: ['sts:AssumeRole', 'sts:TagSession'],
        Principal: { AWS: { 'Fn::GetAtt': [expect.stringMatching(/^apirole/), 'Arn'] } },
        Condition: {
          StringLike: { 'aws:RequestTag/organization': 'org_*' },
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['organization'] },
        },
      },
    ]);
    const own = of('AWS::IAM::Policy')
      .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: any) => Ref === roleId))
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
    for (const { Effect, Action, Condition } of own.filter((one: any) => one.Effect === 'Allow')) {
      if (Action === 's3:GetObject' || Action === 'dynamodb:PutItem') continue;
      const keys = list<string>(Condition['ForAllValues:StringLike']['dynamodb:LeadingKeys']);
      expect([Effect, keys.filter((key) => key.startsWith('O#'))]).toEqual([
        'Allow',
        ['O#${aws:PrincipalTag/organization}', 'O#${aws:PrincipalTag/organization}#*'],
      ]);
    }
    expect(JSON.stringify(own)).toContain('/${aws:PrincipalTag/organization}/*');
    expect(denied('', own)).toEqual([ledgerDenial, proofDenial]);
  });

  it('without the wall keep the API from mail that belongs to nobody yet', () => {
    const open = synthesize({ mailDomain: 'mail.acme.io', tenantFence: false, bundle: false });
    expect(JSON.stringify(open.template)).not.toContain(
      'sts:AssumeRole","Effect":"Allow","Principal":{"AWS"',
    );
    expect(JSON.stringify(open.template)).toContain('/incoming/*');
  });

  it('keep everybody but SES from putting mail where it belongs to nobody', () => {
    const incoming = { 'Fn::Join': ['', [expect.anything(), '/incoming/*']] };
    for (const name of ['receive-mail', 'run-due']) {
      expect(denied(name)).toEqual([
        ledgerDenial,
        proofDenial,
        { Effect: 'Deny', Action: 's3:PutObject', Resource: incoming },
      ]);
    }
  });

  it.each([
    ['health', /^logs:/],
    ['operator', /^(logs|dynamodb):/],
    ['activate-receiving', /^(logs|ses):/],
    ['api', /^(logs|dynamodb|sts):/],
    ['receive-mail', /^(logs|dynamodb|s3|sqs):/],
    ['run-due', /^(logs|dynamodb|s3):/],
    ['publish-event', /^(logs|dynamodb|events|sqs):/],
    ['seal-ledger', /^(logs|dynamodb|sqs):/],
    ['fan-out-webhooks', /^(logs|dynamodb|s3|sqs):/],
    ['deliver-webhook', /^(logs|dynamodb|sqs):/],
    ['export-ledger', /^(logs|dynamodb|s3):/],
  ])('keep %s to the services it needs', (name, services) => {
    expect(allowed(name).filter((action) => !services.test(action))).toEqual([]);
  });

  it('let seal-ledger write seals and nothing else', () => {
    const rows = statements('seal-ledger').filter(({ Action }) => list(Action).includes('dynamodb:PutItem'));
    expect(rows).toMatchObject([
      {
        Action: ['dynamodb:GetItem', 'dynamodb:PutItem'],
        Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['O#*#S'] } },
      },
    ]);
  });

  it('let nobody change or scan the table, or change the bucket', () => {
    const actions = functions.flatMap(({ name }) => allowed(name));
    expect(
      actions.filter(
        (action) => /Scan|Table|Bucket(?!$)|PutBucket|PartiQL/.test(action) && action !== 's3:ListBucket',
      ),
    ).toEqual([]);
  });

  it('list the bucket only below incoming/ or one message', () => {
    for (const name of ['receive-mail', 'run-due']) {
      const listing = statements(name).filter(({ Action }) => list(Action).includes('s3:ListBucket'));
      expect(listing.map(({ Condition }) => Condition)).toEqual([
        { StringLikeIfExists: { 's3:prefix': ['incoming/*', '*/*/*/'] } },
      ]);
    }
  });

  it('write archives only where archives are, and remove-inbox nothing else', () => {
    const bucket = of('AWS::S3::Bucket').find(([id]) => id.startsWith('store'))![0];
    const under = (key: string) => ({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [bucket, 'Arn'] }, `/${key}`]] });
    const s3 = statements('remove-inbox').filter(({ Action }) => list<string>(Action)[0]!.startsWith('s3:'));
    expect(s3).toEqual([
      { Effect: 'Allow', Action: 's3:DeleteObject', Resource: under('org_*/*') },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: under('org_*/*') },
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload'],
        Resource: under('org_*/archives/*'),
      },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: { 'Fn::GetAtt': [bucket, 'Arn'] },
        Condition: { StringLikeIfExists: { 's3:prefix': ['org_*/*'] } },
      },
    ]);
  });
});
