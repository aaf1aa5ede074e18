import { describe, expect, it } from 'vitest';
import { synthesize } from '../../lib/infra/synthesize.ts';

const { template } = synthesize({ mailDomain: 'mail.acme.io', bundle: false });
const entries = Object.entries<any>(template['Resources']);
const of = (type: string) => entries.filter(([, { Type }]) => Type === type);
const one = (type: string, id: RegExp): [string, any] => {
  const found = of(type).filter(([name]) => id.test(name));
  expect(found).toHaveLength(1);
  return found[0]!;
};
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const statements = (name: string): any[] =>
  one('AWS::IAM::Policy', new RegExp(`^webhooks${name}role`))[1].Properties.PolicyDocument.Statement;
const list = (value: string | string[]): string[] => [value].flat();
const allowed = (name: string) =>
  statements(name)
    .filter(
      ({ Effect, Action }) =>
        Effect === 'Allow' && !list(Action).some((action) => /^(logs|sqs):/.test(action)),
    )
    .map(({ Action, Condition }) => ({
      Action,
      keys: Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'],
    }));
const rows = (...actions: string[]) => actions.map((action) => `dynamodb:${action}`);

describe('webhooks', () => {
  const [queue, { Properties: fanOut }] = one('AWS::SQS::Queue', /^webhooksqueue/);
  const [dead] = one('AWS::SQS::Queue', /^webhooksdeadletters/);
  const [deliveries] = one('AWS::SQS::Queue', /^workdeliveries(?!dead)/);

  it('get every event of ours from the bus, in a queue that only their rule may write', () => {
    const [rule, { Properties }] = one('AWS::Events::Rule', /^webhooksrule/);
    expect(Properties).toMatchObject({
      EventPattern: { source: ['posthorn'] },
      EventBusName: { Ref: expect.stringMatching(/^announcebus/) },
      Targets: [{ Arn: arn(queue), DeadLetterConfig: { Arn: arn(dead) } }],
    });
    for (const target of [queue, dead]) {
      const [, policy] = of('AWS::SQS::QueuePolicy').find(
        ([, one]) => one.Properties.Queues[0].Ref === target,
      )!;
      expect(policy.Properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Condition: { ArnEquals: { 'aws:SourceArn': arn(rule) } },
        }),
      );
    }
    expect(fanOut).toMatchObject({
      VisibilityTimeout: 360,
      RedrivePolicy: { deadLetterTargetArn: arn(dead), maxReceiveCount: 5 },
    });
  });

  it('are taken from their queues at once, and fail one by one', () => {
    const mapped = of('AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => Properties);
    for (const id of [queue, deliveries]) {
      const mapping = mapped.find(({ EventSourceArn }) => EventSourceArn['Fn::GetAtt'][0] === id);
      expect(mapping).toMatchObject({ BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] });
      expect(mapping).not.toHaveProperty('MaximumBatchingWindowInSeconds');
    }
  });

  it('have time for a try within their function’s, and their function’s within the queue’s', () => {
    const [, { Properties }] = one('AWS::Lambda::Function', /^webhooksdeliverwebhook/);
    const { TRY_SECONDS, ALLOW_LOOPBACK_WEBHOOKS } = Properties.Environment.Variables;
    expect({ TRY_SECONDS, ALLOW_LOOPBACK_WEBHOOKS }).toEqual({
      TRY_SECONDS: '15',
      ALLOW_LOOPBACK_WEBHOOKS: 'false',
    });
    expect(Properties.Timeout).toBeGreaterThanOrEqual(3 * Number(TRY_SECONDS));
    expect(Properties).not.toHaveProperty('VpcConfig');
    const [, { Properties: waiting }] = one('AWS::SQS::Queue', /^workdeliveries(?!dead)/);
    expect(waiting.VisibilityTimeout).toBe(6 * Properties.Timeout);
  });

  it('may use loopback addresses on the local cloud alone', () => {
    const local = synthesize({ mailDomain: 'mail.acme.io', local: true, bundle: false });
    const [found] = Object.entries<any>(local.template['Resources']).filter(([id, { Type }]) => {
      return Type === 'AWS::Lambda::Function' && id.startsWith('webhooksdeliverwebhook');
    });
    expect(found![1].Properties.Environment.Variables.ALLOW_LOOPBACK_WEBHOOKS).toBe('true');
  });
});

describe('what their functions may do', () => {
  it('is to read an organization and add to it', () => {
    expect(allowed('fanoutwebhooks')).toEqual([
      {
        Action: rows('BatchGetItem', 'ConditionCheckItem', 'GetItem', 'PutItem', 'Query'),
        keys: ['O#*', 'DUE#*'],
      },
      { Action: 's3:GetObject', keys: undefined },
    ]);
  });

  it('is to read and move deliveries, and nothing in the bucket', () => {
    expect(allowed('deliverwebhook')).toEqual([
      { Action: rows('BatchGetItem', 'PutItem', 'UpdateItem'), keys: ['O#*', 'DUE#*'] },
    ]);
  });

  it.each(['fanoutwebhooks', 'deliverwebhook'])('is no line of the ledger: %s', (name) => {
    const denied = statements(name).filter(({ Effect }) => Effect === 'Deny');
    const onLines = denied.filter(({ Condition }) => JSON.stringify(Condition).includes('O#*#A#*'));
    expect(onLines.flatMap(({ Action }) => list(Action))).toContain('dynamodb:PutItem');
  });
});
