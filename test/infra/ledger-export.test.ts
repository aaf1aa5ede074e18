import { describe, expect, it } from 'vitest';
import { exportedKey, lineKey, listKey, sealKey } from '../../lib/adapters/dynamo/keys.ts';
import { synthesize, type SynthesizeOptions } from '../../lib/infra/synthesize.ts';
import type { PolicyStatement, RoleCaller } from '../../lib/local/cloud.ts';
import { evaluate } from '../../lib/local/iam/evaluate.ts';

const synthesized = (options: Partial<SynthesizeOptions> = {}) =>
  synthesize({ mailDomain: 'mail.acme.io', bundle: false, ...options }).template;
const prod = synthesized();
const local = synthesized({ mailDomain: 'posthorn.test', local: true });
const the = (type: string, start = 'ledgerexport', from = prod) => {
  const found = Object.entries<any>(from['Resources']).filter(
    ([id, { Type }]) => Type === type && id.startsWith(start),
  );
  expect(found, `${start} ${type}`).toHaveLength(1);
  return { id: found[0]![0], ...found[0]![1] };
};
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const objects = { 'Fn::Join': ['', [arn(the('AWS::S3::Bucket').id), '/*']] };

describe('the bucket of the ledger’s export', () => {
  const { id, Properties } = the('AWS::S3::Bucket');
  const retention = (options: Partial<SynthesizeOptions>) =>
    the('AWS::S3::Bucket', 'ledgerexport', synthesized(options)).Properties.ObjectLockConfiguration;

  it('locks every version it is given, for a year in governance mode unless told otherwise', () => {
    expect(Properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 365 } },
      },
    });
    expect(retention({ ledgerRetentionMode: 'compliance', ledgerRetentionDays: 3650 })).toEqual({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 3650 } },
    });
  });

  it('is closed to the public, encrypted, without access-control lists', () => {
    expect(Object.values(Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    const [rule] = Properties.BucketEncryption.ServerSideEncryptionConfiguration;
    expect(rule.ServerSideEncryptionByDefault).toEqual({ SSEAlgorithm: 'AES256' });
    expect(Properties.OwnershipControls.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
  });

  it('stays when the stack goes, in a disposable stage too', () => {
    for (const from of [prod, synthesized({ stage: 'dev' }), local])
      expect(the('AWS::S3::Bucket', 'ledgerexport', from)).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
      });
  });

  it('refuses calls without TLS, and everybody who would take away or set a lock aside', () => {
    const { Bucket, PolicyDocument } = the('AWS::S3::BucketPolicy').Properties;
    expect(Bucket).toEqual({ Ref: id });
    expect(PolicyDocument.Statement).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Action: 's3:*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
      {
        Sid: 'NobodyTakesAway',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: [
          's3:BypassGovernanceRetention',
          's3:DeleteObject',
          's3:DeleteObjectVersion',
          's3:PutObjectRetention',
        ],
        Resource: objects,
      },
    ]);
  });

  it('is in the outputs', () => {
    expect(prod['Outputs'].LedgerBucket.Value).toEqual({ Ref: id });
  });
});

describe('export-ledger', () => {
  const statements: any[] = the('AWS::IAM::Policy').Properties.PolicyDocument.Statement;
  const tableId = the('AWS::DynamoDB::GlobalTable', '').id;
  const tableArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/mail';
  const onTable: PolicyStatement[] = statements
    .filter(({ Resource }) => JSON.stringify(Resource) === JSON.stringify(arn(tableId)))
    .map((statement) => ({ ...statement, Resource: tableArn }));
  const roleArn = 'arn:aws:iam::000000000000:role/exporter';
  const caller: RoleCaller = { kind: 'role', roleArn, arn: roleArn, accessKeyId: 'ASIA' };
  const may = (action: string, ...keys: string[]): boolean =>
    evaluate(
      {
        caller,
        action: `dynamodb:${action}`,
        resource: tableArn,
        context: { 'dynamodb:LeadingKeys': keys },
      },
      onTable,
      { account: '000000000000', region: 'us-east-1', now: Date.now() },
    ).outcome === 'allowed';
  const organization = 'org_01k0000000000000000000000a';
  const line = lineKey(organization, '2026-01-31', '01k0000000000000000000000b').pk;
  const seal = sealKey(organization, 1).pk;
  const cursor = exportedKey(organization).pk;
  // A label that ends as the export's own partition does.
  const labelled = (ending: string) =>
    listKey({ organization_id: organization, uid: 'inb_1' }, { of: 'messages', label: `x${ending}` }, 'z').pk;

  it('is started each hour', () => {
    const rule = the('AWS::Events::Rule');
    const fn = the('AWS::Lambda::Function');
    expect(rule.Properties).toMatchObject({
      ScheduleExpression: 'rate(1 hour)',
      State: 'ENABLED',
      Targets: [{ Arn: arn(fn.id) }],
    });
    expect(the('AWS::Lambda::Permission').Properties).toMatchObject({
      Principal: 'events.amazonaws.com',
      SourceArn: arn(rule.id),
    });
  });

  it('has as long as Lambda gives, and knows the table and the bucket', () => {
    const { Timeout, Environment } = the('AWS::Lambda::Function').Properties;
    expect([Timeout, Environment.Variables]).toEqual([
      15 * 60,
      { TABLE_NAME: { Ref: tableId }, LEDGER_BUCKET_NAME: { Ref: the('AWS::S3::Bucket').id } },
    ]);
  });

  it('reads organizations, seals and lines', () => {
    expect([may('Query', 'ORGS'), may('Query', seal), may('BatchGetItem', line)]).toEqual([true, true, true]);
  });

  it('writes how far it came and nothing else of the table', () => {
    expect([may('GetItem', cursor), may('PutItem', cursor)]).toEqual([true, true]);
    for (const key of [seal, line, `O#${organization}`, 'ORGS', labelled('#X'), labelled('#S')])
      expect([key, may('PutItem', key)]).toEqual([key, false]);
    for (const action of ['UpdateItem', 'DeleteItem', 'BatchWriteItem', 'Scan'])
      expect([action, may(action, cursor)]).toEqual([action, false]);
  });

  it('reads no mail and no secret', () => {
    const inbox = `O#${organization}#I#inb_1`;
    for (const key of [inbox, `${inbox}#E`, labelled('#S'), labelled('#X'), `O#${organization}#W`, 'SECRET'])
      for (const action of ['Query', 'GetItem', 'BatchGetItem'])
        expect([action, key, may(action, key)]).toEqual([action, key, false]);
  });

  it('puts objects and looks at them; it removes none and changes no lock', () => {
    const s3 = statements.filter(({ Action }) => [Action].flat().some((one) => one.startsWith('s3:')));
    expect(s3).toEqual([{ Effect: 'Allow', Action: ['s3:PutObject', 's3:GetObject'], Resource: objects }]);
  });

  it('is the only one that reaches the bucket', () => {
    const reaching = Object.entries<any>(prod['Resources'])
      .filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
      .filter(([, { Properties }]) => JSON.stringify(Properties).includes(the('AWS::S3::Bucket').id));
    expect(reaching.map(([id]) => id)).toEqual([the('AWS::IAM::Policy').id]);
  });
});
