import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type LocalCloud, startCloud } from '../../../lib/local/start.ts';
import { newHome, smallCloud } from '../small-stack.ts';

const DOMAIN = 'posthorn.test';
const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
const record = (Name: unknown, Type: string, value: unknown) => ({
  Type: 'AWS::Route53::RecordSet',
  Properties: { HostedZoneId: 'ZLOCAL', Name, Type, TTL: '300', ResourceRecords: [value] },
});
const dkim = (part: string, at: number) => ({ 'Fn::GetAtt': ['Identity', `DkimDNSToken${part}${at}`] });
const dkimRecords = Object.fromEntries(
  [1, 2, 3].map((at) => [`Dkim${at}`, record(dkim('Name', at), 'CNAME', dkim('Value', at))]),
);

const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } };
const grant = {
  Effect: 'Allow',
  Action: 'ses:SendRawEmail',
  Resource: { 'Fn::Sub': 'arn:aws:ses:${AWS::Region}:${AWS::AccountId}:identity/posthorn.test' },
  Condition: { StringLike: { 'ses:FromAddress': `ann@*${DOMAIN}` } },
};
const bucketGrant = {
  Effect: 'Allow',
  Action: 's3:PutObject',
  Principal: { Service: 'ses.amazonaws.com' },
  Resource: { 'Fn::Sub': '${Bucket.Arn}/*' },
};
const template = {
  Resources: {
    Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'arrived' } },
    Policy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: { Ref: 'Bucket' },
        PolicyDocument: { Version: '2012-10-17', Statement: [bucketGrant] },
      },
    },
    Identity: { Type: 'AWS::SES::EmailIdentity', Properties: { EmailIdentity: DOMAIN } },
    ...dkimRecords,
    Mx: record(DOMAIN, 'MX', { 'Fn::Sub': '10 inbound-smtp.${AWS::Region}.amazonaws.com' }),
    Dmarc: record(`_dmarc.${DOMAIN}`, 'TXT', '"v=DMARC1; p=reject"'),
    Rules: { Type: 'AWS::SES::ReceiptRuleSet', Properties: { RuleSetName: 'main' } },
    Rule: {
      Type: 'AWS::SES::ReceiptRule',
      DependsOn: ['Policy'],
      Properties: {
        RuleSetName: { Ref: 'Rules' },
        Rule: { Name: 'all', Enabled: true, Actions: [{ S3Action: { BucketName: { Ref: 'Bucket' } } }] },
      },
    },
    SenderRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: { Statement: [trust] },
        Policies: [{ PolicyName: 'send', PolicyDocument: { Version: '2012-10-17', Statement: [grant] } }],
      },
    },
    Sender: {
      Type: 'AWS::Lambda::Function',
      Metadata: { 'posthorn:entry': 'send-mail.ts' },
      Properties: {
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Code: {},
        Role: arn('SenderRole'),
        Timeout: 30,
        MemorySize: 512,
      },
    },
  },
  Outputs: { Sender: { Value: arn('Sender') } },
};

const home = newHome();
const printed: string[] = [];
let cloud: LocalCloud;
let s3: S3Client;
beforeAll(async () => {
  // Outside us-east-1 SES goes by other names.
  cloud = await startCloud(
    smallCloud({ home, template, region: 'eu-west-1', print: (line) => void printed.push(line) }),
  );
  cloud.services.mail.ses.rules.activate('main');
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, region } = cloud.operator;
  const credentials = { accessKeyId, secretAccessKey };
  s3 = new S3Client({ endpoint: cloud.aws, region, credentials, forcePathStyle: true });
});
afterAll(async () => {
  s3.destroy();
  await cloud.stop();
  await rm(dirname(home), { recursive: true, force: true });
});

async function send(mail: {
  from: string;
  to: string;
  size: number;
}): Promise<{ id?: string; error?: string }> {
  const operator = { kind: 'operator', arn: cloud.iam.operatorArn, accessKeyId: '' } as const;
  const { payload } = await cloud.services.lambda.invoke(cloud.outputs['Sender']!, mail, operator);
  return JSON.parse(payload!) as { id?: string; error?: string };
}

it("a function's mail goes through the endpoint, its role's grant, and SMTP into the bucket", async () => {
  // In base64 more than any other service takes in a request.
  const size = 13_500_000;
  const { id, error } = await send({ from: `ann@${DOMAIN}`, to: `bob@${DOMAIN}`, size });
  expect(error).toBeUndefined();
  const key = await vi.waitFor(
    async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'arrived' }));
      const found = Contents.find(({ Size }) => Size! > size);
      expect(found).toBeDefined();
      return found!.Key!;
    },
    { timeout: 10_000, interval: 50 },
  );
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'arrived', Key: key }));
  const head = Buffer.from(await Body!.transformToByteArray()).toString('latin1', 0, 8_000);
  expect(head).toContain(`Return-Path: <${id}@eu-west-1.amazonses.com>`);
  expect(head).toContain(`\r\nMessage-ID: <${id}@eu-west-1.amazonses.com>\r\n`);
  expect(head).toMatch(
    /\r\n spf=pass [^]*dkim=pass header\.i=@posthorn\.test;[^]*dmarc=pass header\.from=posthorn\.test;/,
  );
  expect(printed).toEqual([]);
});

it('and is refused where the condition of the grant does not hold', async () => {
  const answer = await send({ from: `eve@${DOMAIN}`, to: `bob@${DOMAIN}`, size: 10 });
  expect(answer).toEqual({ error: 'AccessDeniedException' });
  expect(printed).toEqual([
    expect.stringMatching(/^refused: .* ses:SendRawEmail on .*identity\/posthorn\.test/),
  ]);
});
