import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { table } from '../../lib/adapters/dynamo/table.ts';
import { receivingRegions } from '../../lib/infra/receiving-regions.ts';
import { synthesize } from '../../lib/infra/synthesize.ts';

const zone = { hostedZoneId: 'Z0123456789ABC', hostedZoneName: 'example.org' };
const prod = synthesize({ mailDomain: 'mail.example.org', bundle: false, ...zone }).template;
const elsewhere = synthesize({
  mailDomain: 'mail.acme.io',
  stage: 'dev',
  activateReceiving: 'off',
  bundle: false,
}).template;
const origin = 'http://127.0.0.1:8025';
const local = synthesize({
  mailDomain: 'posthorn.test',
  local: true,
  publicOrigins: [origin],
  bundle: false,
}).template;

const template = Template.fromJSON(prod);
const all = (type: string, of = prod): [id: string, resource: any][] =>
  Object.entries<any>(of['Resources']).filter(([, resource]) => resource.Type === type);
const only = (type: string, of = prod) => {
  const found = all(type, of);
  expect(found, type).toHaveLength(1);
  return { id: found[0]![0], ...found[0]![1] };
};
const byPath = (type: string, start: string) => all(type).find(([id]) => id.startsWith(start))!;
const topicId = byPath('AWS::SNS::Topic', 'intake')[0];
const [bucketId, mailBucket] = byPath('AWS::S3::Bucket', 'store');
const [bucketPolicyId, bucketPolicy] = byPath('AWS::S3::BucketPolicy', 'store');
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const ourAccount = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };

describe('table', () => {
  const { Properties, DeletionPolicy } = only('AWS::DynamoDB::GlobalTable');

  it('has the keys, the two keys-only indexes and the TTL of its one definition', () => {
    const keys = (partition: string, sort: string) => [
      { AttributeName: partition, KeyType: 'HASH' },
      { AttributeName: sort, KeyType: 'RANGE' },
    ];
    const index = ({ name, partitionKey, sortKey }: typeof table.byPod | typeof table.byOrganization) => ({
      IndexName: name,
      KeySchema: keys(partitionKey, sortKey),
      Projection: { ProjectionType: 'KEYS_ONLY' },
    });
    expect(Properties.KeySchema).toEqual(keys(table.partitionKey, table.sortKey));
    expect(Properties.GlobalSecondaryIndexes).toEqual([index(table.byPod), index(table.byOrganization)]);
    expect(Properties.TimeToLiveSpecification).toEqual({ AttributeName: table.ttl, Enabled: true });
  });

  it('streams, is billed by request, recovers to a point in time', () => {
    expect(Properties.StreamSpecification).toEqual({ StreamViewType: 'NEW_AND_OLD_IMAGES' });
    expect(Properties.BillingMode).toBe('PAY_PER_REQUEST');
    expect(Properties.Replicas[0].PointInTimeRecoverySpecification).toEqual({
      PointInTimeRecoveryEnabled: true,
    });
  });

  it('is kept and protected, except in a disposable stage', () => {
    expect([DeletionPolicy, Properties.Replicas[0].DeletionProtectionEnabled]).toEqual(['Retain', true]);
    const dev = only('AWS::DynamoDB::GlobalTable', elsewhere);
    expect([dev.DeletionPolicy, dev.Properties.Replicas[0].DeletionProtectionEnabled]).toEqual([
      'Delete',
      false,
    ]);
  });
});

describe('bucket', () => {
  const { Properties } = mailBucket;
  const statements = bucketPolicy.Properties.PolicyDocument.Statement;

  it('is closed to the public, encrypted, and keeps no versions', () => {
    expect(Object.values(Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    const [rule] = Properties.BucketEncryption.ServerSideEncryptionConfiguration;
    expect(rule.ServerSideEncryptionByDefault).toEqual({ SSEAlgorithm: 'AES256' });
    expect(Properties).not.toHaveProperty('VersioningConfiguration');
    expect(Properties).not.toHaveProperty('ObjectLockConfiguration');
  });

  it('refuses every call without TLS', () => {
    expect(statements[0]).toMatchObject({
      Effect: 'Deny',
      Action: 's3:*',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    });
  });

  it('lets SES of this account put mail into incoming/ and nowhere else', () => {
    expect(statements.slice(1)).toEqual([
      {
        Sid: 'SesMayPutIncoming',
        Effect: 'Allow',
        Principal: { Service: 'ses.amazonaws.com' },
        Action: 's3:PutObject',
        Resource: { 'Fn::Join': ['', [arn(bucketId), '/incoming/*']] },
        Condition: ourAccount,
      },
    ]);
  });

  it('ends abandoned uploads, and forgets only mail nobody could take in, and archives by their days', () => {
    const { Rules } = Properties.LifecycleConfiguration;
    expect(Rules.slice(0, 2)).toEqual([
      {
        Id: 'abandoned-uploads',
        Status: 'Enabled',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 14 },
      },
      { Id: 'never-taken-in', Status: 'Enabled', Prefix: 'incoming/', ExpirationInDays: 30 },
    ]);
    expect(Rules.slice(2)).toEqual(
      [7, 30, 90, 365, 1095, 3650].map((days) => ({
        Id: `archives-of-${days}-days`,
        Status: 'Enabled',
        TagFilters: [{ Key: 'posthorn-archive-days', Value: String(days) }],
        ExpirationInDays: days + 7,
      })),
    );
  });
});

describe('mail domain', () => {
  const identity = only('AWS::SES::EmailIdentity');
  const attribute = (name: string) => ({ 'Fn::GetAtt': [identity.id, name] });
  const records = Object.fromEntries(
    all('AWS::Route53::RecordSet').map(([id, { Properties: p }]) => [
      id.replace(/^domain|[0-9A-F]{8}$/g, ''),
      p,
    ]),
  );

  it('is an identity with Easy DKIM of 2048 bits and its own MAIL FROM', () => {
    expect(identity.Properties).toEqual({
      EmailIdentity: 'mail.example.org',
      DkimSigningAttributes: { NextSigningKeyLength: 'RSA_2048_BIT' },
      MailFromAttributes: {
        MailFromDomain: 'bounce.mail.example.org',
        BehaviorOnMxFailure: 'USE_DEFAULT_VALUE',
      },
    });
  });

  it('receives for itself and its subdomains where SES receives', () => {
    const inbound = ['', ['10 inbound-smtp.', { Ref: 'AWS::Region' }, '.amazonaws.com']];
    const mx = { Type: 'MX', ResourceRecords: [{ 'Fn::Join': inbound }], HostedZoneId: zone.hostedZoneId };
    expect(records['mx']).toMatchObject({ Name: 'mail.example.org', ...mx });
    expect(records['mxsubdomains']).toMatchObject({ Name: '*.mail.example.org', ...mx });
  });

  it('publishes SPF and DMARC', () => {
    const spf = ['"v=spf1 include:amazonses.com ~all"'];
    expect(records['spf']).toMatchObject({ Type: 'TXT', Name: 'mail.example.org', ResourceRecords: spf });
    const dmarc = {
      Type: 'TXT',
      Name: '_dmarc.mail.example.org',
      ResourceRecords: ['"v=DMARC1; p=quarantine"'],
    };
    expect(records['dmarc']).toMatchObject(dmarc);
  });

  it.each([1, 2, 3])('publishes DKIM record %i by the name and zone SES returns', (n) => {
    expect(records[`dkim${n}`]).toMatchObject({
      Type: 'CNAME',
      Name: attribute(`DkimDNSTokenName${n}`),
      ResourceRecords: [attribute(`DkimDNSTokenValue${n}`)],
    });
    expect(JSON.stringify(prod)).not.toContain('dkim.amazonses.com');
  });

  it('publishes what MAIL FROM needs', () => {
    const feedback = { 'Fn::Join': ['', ['10 feedback-smtp.', { Ref: 'AWS::Region' }, '.amazonses.com']] };
    const name = { Name: 'bounce.mail.example.org' };
    expect(records['mailfrommx']).toMatchObject({ Type: 'MX', ...name, ResourceRecords: [feedback] });
    expect(records['mailfromspf']).toMatchObject({ Type: 'TXT', ...name });
    expect(Object.keys(records)).toHaveLength(9);
  });

  it('touches no DNS without a zone, and lists the same nine records for another DNS host', () => {
    expect(all('AWS::Route53::RecordSet', elsewhere)).toEqual([]);
    const text = JSON.stringify(elsewhere['Outputs'].DnsRecords.Value);
    expect(text.match(/\\"type\\":/g)).toHaveLength(9);
    expect(prod['Outputs']).not.toHaveProperty('DnsRecords');
  });

  it('tells the api function the same records', () => {
    const env = all('AWS::Lambda::Function', elsewhere).find(([id]) => id.startsWith('apifunction'))![1]
      .Properties.Environment;
    expect(env.Variables.DNS_RECORDS).toEqual(elsewhere['Outputs'].DnsRecords.Value);
  });
});

describe('mail intake', () => {
  const rule = only('AWS::SES::ReceiptRule');
  const queue = byPath('AWS::SQS::Queue', 'intakequeue');
  const deadLetters = byPath('AWS::SQS::Queue', 'intakedeadletters');

  it('has one static rule for the domain and its subdomains, with scanning, that takes mail without TLS too', () => {
    expect(rule.Properties.Rule).toEqual({
      Name: 'posthorn-prod_mail',
      Enabled: true,
      Recipients: ['mail.example.org', '.mail.example.org'],
      ScanEnabled: true,
      TlsPolicy: 'Optional',
      Actions: [
        {
          S3Action: {
            BucketName: { Ref: bucketId },
            ObjectKeyPrefix: 'incoming/',
            TopicArn: { Ref: topicId },
          },
        },
      ],
    });
  });

  it('makes the rule only once SES may write to bucket and topic', () => {
    const policies = [bucketPolicyId, byPath('AWS::SNS::TopicPolicy', 'intake')[0]];
    expect(rule.DependsOn.toSorted()).toEqual(policies.toSorted());
  });

  it('gives the rule set no name of its own, so that it can be replaced', () => {
    expect(only('AWS::SES::ReceiptRuleSet')).not.toHaveProperty('Properties');
  });

  it('lets SES of this account publish, whatever the TLS denial takes away', () => {
    const [grant, denial] = byPath('AWS::SNS::TopicPolicy', 'intake')[1].Properties.PolicyDocument.Statement;
    expect(grant).toMatchObject({
      Effect: 'Allow',
      Principal: { Service: 'ses.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: { Ref: topicId },
      Condition: ourAccount,
    });
    expect(denial).toMatchObject({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
  });

  it('hands the notice from the topic to the queue, and only that topic may', () => {
    template.hasResourceProperties('AWS::SNS::Subscription', {
      TopicArn: { Ref: topicId },
      Protocol: 'sqs',
      Endpoint: arn(queue[0]),
    });
    const statements = byPath('AWS::SQS::QueuePolicy', 'intakequeue')[1].Properties.PolicyDocument.Statement;
    expect(statements.filter(({ Effect }: any) => Effect === 'Allow')).toEqual([
      expect.objectContaining({
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Condition: { ArnEquals: { 'aws:SourceArn': { Ref: topicId } } },
      }),
    ]);
  });

  it('tries five times, then keeps the notice for 14 days', () => {
    const redrive = { deadLetterTargetArn: arn(deadLetters[0]), maxReceiveCount: 5 };
    expect(queue[1].Properties.RedrivePolicy).toEqual(redrive);
    expect(deadLetters[1].Properties.MessageRetentionPeriod).toBe(14 * 86_400);
  });

  it('gives notices to receive-mail, failing singly, and hides them six times as long as it may run', () => {
    const [id, { Properties }] = byPath('AWS::Lambda::Function', 'intakereceivemail');
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: arn(queue[0]),
      FunctionName: { Ref: id },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    expect(queue[1].Properties.VisibilityTimeout).toBe(6 * Properties.Timeout);
  });
});

describe('activation', () => {
  it('asks for the rule set politely, after the rule is there', () => {
    const { Properties, DependsOn } = only('Custom::ActiveReceiptRuleSet');
    expect(Properties).toMatchObject({ Policy: 'create', RulePrefix: 'posthorn-prod_' });
    expect(Properties.RuleSetName).toEqual({ Ref: only('AWS::SES::ReceiptRuleSet').id });
    expect(DependsOn).toContain(only('AWS::SES::ReceiptRule').id);
  });

  it('hands over the very rule, in the spelling of SES, with its references resolved by CloudFormation', () => {
    const [, parts] = only('Custom::ActiveReceiptRuleSet').Properties.Rule['Fn::Join'];
    const json = parts.map((part: any) => (typeof part === 'string' ? part : `$${part.Ref}`)).join('');
    const plain = JSON.stringify(only('AWS::SES::ReceiptRule').Properties.Rule).replace(
      /\{"Ref":"(\w+)"\}/g,
      '"$$$1"',
    );
    expect(JSON.parse(json)).toEqual(JSON.parse(plain));
  });

  it('can be left to a person, who is told how', () => {
    expect(all('Custom::ActiveReceiptRuleSet', elsewhere)).toEqual([]);
    expect(JSON.stringify(elsewhere['Outputs'].ActivateReceiving.Value)).toContain(
      'set-active-receipt-rule-set',
    );
  });
});

describe('HTTP API', () => {
  const target = (key: string) => {
    const [, route] = all('AWS::ApiGatewayV2::Route').find(
      ([, { Properties }]) => Properties.RouteKey === key,
    )!;
    const [, [, { Ref: integration }]] = route.Properties.Target['Fn::Join'];
    return prod['Resources'][integration].Properties.IntegrationUri['Fn::GetAtt'][0].replace(
      /[0-9A-F]{8}$/,
      '',
    );
  };

  it('has three routes, and IAM before the operator', () => {
    const routes = all('AWS::ApiGatewayV2::Route').map(([, { Properties: p }]) => [
      p.RouteKey,
      p.AuthorizationType,
    ]);
    expect(routes.toSorted()).toEqual([
      ['ANY /v0/operator/{proxy+}', 'AWS_IAM'],
      ['ANY /v0/{proxy+}', 'NONE'],
      ['GET /health', 'NONE'],
    ]);
    expect(target('ANY /v0/operator/{proxy+}')).toBe('apioperatorfunction');
    expect(target('ANY /v0/{proxy+}')).toBe('apifunction');
    expect(target('GET /health')).toBe('apihealthfunction');
  });

  it('is throttled, and logs calls without query strings and addresses', () => {
    const { Properties } = only('AWS::ApiGatewayV2::Stage');
    expect(Properties.DefaultRouteSettings).toEqual({
      ThrottlingBurstLimit: 2000,
      ThrottlingRateLimit: 2000,
    });
    expect(Properties.AccessLogSettings.Format).toContain('$context.requestId');
    expect(Properties.AccessLogSettings.Format).not.toMatch(/query|sourceIp|protocol|userAgent|caller/i);
  });

  it('is its own public origin unless others are given', () => {
    const origins = (of: typeof prod) =>
      all('AWS::Lambda::Function', of).find(([id]) => id.startsWith('apifunction'))![1].Properties.Environment
        .Variables;
    expect(origins(prod).PUBLIC_ORIGINS).toEqual({
      'Fn::GetAtt': [only('AWS::ApiGatewayV2::Api').id, 'ApiEndpoint'],
    });
    expect(origins(local).PUBLIC_ORIGINS).toBe(origin);
    expect(origins(prod).ALLOW_LOOPBACK_WEBHOOKS).toBe('false');
    expect(origins(local).ALLOW_LOOPBACK_WEBHOOKS).toBe('true');
  });
});

describe('due and announcing', () => {
  it('starts run-due each minute', () => {
    const [id] = byPath('AWS::Lambda::Function', 'duerundue');
    const [ruleId, rule] = byPath('AWS::Events::Rule', 'due');
    expect(rule.Properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [{ Arn: arn(id) }],
    });
    template.hasResourceProperties('AWS::Lambda::Permission', {
      FunctionName: arn(id),
      Principal: 'events.amazonaws.com',
      SourceArn: arn(ruleId),
    });
  });

  it('gives publish-event new events, nudged ones and rows of work, and nothing else', () => {
    const mapping = all('AWS::Lambda::EventSourceMapping').find(
      ([id, { Properties }]) => Properties.StartingPosition && id.startsWith('announce'),
    )![1];
    const patterns = mapping.Properties.FilterCriteria.Filters.map(({ Pattern }: any) => JSON.parse(Pattern));
    const isEvent = { [table.rowType]: { S: [table.eventRow] } };
    const [there, missing] = [[{ exists: true }], [{ exists: false }]];
    expect(patterns).toEqual([
      { dynamodb: { NewImage: { ...isEvent, position: { N: missing } } } },
      { dynamodb: { NewImage: { ...isEvent, nudges: { N: there }, org_pk: { S: there } } } },
      { dynamodb: { NewImage: { [table.rowType]: { S: [table.taskRow] } } } },
    ]);
    expect(mapping.Properties).toMatchObject({
      EventSourceArn: { 'Fn::GetAtt': [only('AWS::DynamoDB::GlobalTable').id, 'StreamArn'] },
      StartingPosition: 'TRIM_HORIZON',
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: 20,
      DestinationConfig: {
        OnFailure: { Destination: arn(byPath('AWS::SQS::Queue', 'announcedeadletters')[0]) },
      },
    });
  });

  it('gives seal-ledger the lines of the stream, written or touched, for as long as the stream has them', () => {
    const of = (resources: any) =>
      Object.entries<any>(resources['Resources']).find(
        ([id, { Type }]) => Type === 'AWS::Lambda::EventSourceMapping' && id.startsWith('ledger'),
      )![1].Properties;
    const mapping = of(prod);
    const isLine = { [table.rowType]: { S: [table.lineRow] } };
    expect(mapping.FilterCriteria.Filters.map(({ Pattern }: any) => JSON.parse(Pattern))).toEqual([
      { dynamodb: { NewImage: isLine } },
      { dynamodb: { OldImage: isLine } },
    ]);
    expect(mapping).toMatchObject({
      EventSourceArn: { 'Fn::GetAtt': [only('AWS::DynamoDB::GlobalTable').id, 'StreamArn'] },
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 1000,
      MaximumBatchingWindowInSeconds: 60,
      BisectBatchOnFunctionError: true,
      DestinationConfig: {
        OnFailure: { Destination: arn(byPath('AWS::SQS::Queue', 'ledgerdeadletters')[0]) },
      },
    });
    expect(mapping).not.toHaveProperty('MaximumRetryAttempts');
    expect(of(local).MaximumBatchingWindowInSeconds).toBe(1);
  });

  it('has a bus of a name that subscribers can write down', () => {
    expect(only('AWS::Events::EventBus').Properties.Name).toBe('posthorn-prod');
  });
});

describe('queues', () => {
  it('are all encrypted and refuse calls without TLS', () => {
    const queues = all('AWS::SQS::Queue');
    expect(queues.map(([, { Properties }]) => Properties.SqsManagedSseEnabled)).toEqual(
      queues.map(() => true),
    );
    for (const [id] of queues) {
      template.hasResourceProperties('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: id }],
        PolicyDocument: Match.objectLike({
          Statement: Match.arrayWith([
            Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ]),
        }),
      });
    }
  });
});

describe('a function that takes from a queue', () => {
  const mapped = all('AWS::Lambda::EventSourceMapping')
    .map(([, { Properties }]) => Properties)
    .filter(({ EventSourceArn }) => EventSourceArn['Fn::GetAtt'][1] === 'Arn')
    .map((mapping) => [
      prod['Resources'][mapping.FunctionName.Ref].Metadata['posthorn:entry'].split('/')[1],
      mapping,
    ]);

  it('is each of these', () => {
    const names = ['receive-mail', 'fan-out-webhooks', 'deliver-webhook', 'remove-inbox'];
    expect(mapped.map(([name]) => name).toSorted()).toEqual(names.toSorted());
  });

  it.each(mapped)('has its time before a message shows again, and fails singly: %s', (_, mapping) => {
    const { Timeout } = prod['Resources'][mapping.FunctionName.Ref].Properties;
    const { VisibilityTimeout } = prod['Resources'][mapping.EventSourceArn['Fn::GetAtt'][0]].Properties;
    // AWS refuses a mapping whose function may run longer than its messages are hidden.
    expect(VisibilityTimeout).toBeGreaterThan(Timeout);
    expect(mapping.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
  });
});

describe('what a person must know', () => {
  it('is in the outputs', () => {
    const outputs = prod['Outputs'];
    expect(outputs.MailDomain.Value).toBe('mail.example.org');
    expect(outputs.ReceivingRegion.Value).toEqual({ Ref: 'AWS::Region' });
    expect(outputs.ApiOrigin.Value).toEqual({
      'Fn::GetAtt': [only('AWS::ApiGatewayV2::Api').id, 'ApiEndpoint'],
    });
    const text = (name: string) => JSON.stringify(outputs[name].Value);
    expect(text('LeaveSandbox')).toContain('aws sesv2 put-account-details');
    expect(text('FirstOrganization')).toMatch(/curl --aws-sigv4 aws:amz:.*\/v0\/operator\/organizations/);
  });

  it('is said by CloudFormation before anything is made: Region and reserved domains', () => {
    const rule = (of: typeof prod, start: string): any =>
      Object.entries(of['Rules'] ?? {}).find(([id]) => id.startsWith(start))?.[1];
    expect(rule(prod, 'rulesregion').Assertions[0].Assert).toEqual({
      'Fn::Contains': [[...receivingRegions], { Ref: 'AWS::Region' }],
    });
    expect(rule(prod, 'rulesmaildomain').Assertions[0].AssertDescription).toMatch(/reserved/);
    expect(rule(elsewhere, 'rulesmaildomain')).toBeUndefined();
    expect(local).not.toHaveProperty('Rules');
  });
});

describe('the template', () => {
  it('stays far from the limits of CloudFormation (500 resources, 1 MB)', () => {
    expect(Object.keys(prod['Resources']).length).toBeLessThan(200);
    expect(JSON.stringify(prod).length).toBeLessThan(200_000);
  });

  it('names only what has to be named', () => {
    const named = Object.entries<any>(prod['Resources'])
      .filter(([, { Properties }]) =>
        Object.keys(Properties ?? {}).some((key) =>
          /^(Table|Bucket|Queue|Topic|Function|Role|LogGroup|RuleSet|Alarm)Name$/.test(key),
        ),
      )
      .filter(
        ([, { Type }]) =>
          !['AWS::SES::ReceiptRule', 'AWS::Lambda::EventSourceMapping', 'AWS::Lambda::Permission'].includes(
            Type,
          ),
      )
      .map(([, { Type }]) => Type);
    // The custom resource's RuleSetName is a reference.
    expect(named).toEqual(['Custom::ActiveReceiptRuleSet']);
  });

  it('is the same for the local cloud, which only has its zone and gives everything up', () => {
    expect(
      all('AWS::Route53::RecordSet', local).every(
        ([, { Properties }]) => Properties.HostedZoneId === 'Z0LOCAL',
      ),
    ).toBe(true);
    expect(only('AWS::DynamoDB::GlobalTable', local).DeletionPolicy).toBe('Delete');
    const types = (of: typeof prod) =>
      Object.values<any>(of['Resources'])
        .map(({ Type }) => Type)
        .sort();
    expect(types(local)).toEqual(types(prod));
    expect(Object.keys(local['Parameters'] ?? {})).toEqual([]);
  });

  it('comes out the same twice', () => {
    const again = synthesize({ mailDomain: 'mail.example.org', bundle: false, ...zone }).template;
    expect(again).toEqual(prod);
  });
});
