import { describe, expect, it } from 'vitest';
import { synthesize } from '../../lib/infra/synthesize.ts';

const of = (canaryMinutes?: number) => {
  const options = {
    mailDomain: 'mail.acme.io',
    bundle: false,
    ...(canaryMinutes !== undefined && { canaryMinutes }),
  };
  const { Resources } = synthesize(options).template;
  return (type: string, start = 'canary'): [string, any][] =>
    Object.entries<any>(Resources).filter(([id, { Type }]) => Type === type && id.startsWith(start));
};
const on = of(5);
const one = (type: string, start?: string) => {
  const found = on(type, start);
  expect(found, `${start} ${type}`).toHaveLength(1);
  return { id: found[0]![0], ...found[0]![1] };
};
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const address = 'canary@mail.acme.io';

describe('the canary', () => {
  it('is not there unless somebody asks for it', () => {
    expect([...of()('AWS::Lambda::Function'), ...of(0)('AWS::Events::Rule')]).toEqual([]);
  });

  it('is sent every so many minutes', () => {
    const { Properties } = one('AWS::Events::Rule', 'canaryschedule');
    const target = arn(one('AWS::Lambda::Function', 'canarysendcanary').id);
    expect(Properties).toMatchObject({
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      Targets: [{ Arn: target }],
    });
  });

  it('may write to itself, and to nobody else', () => {
    const { Statement } = one('AWS::IAM::Policy', 'canarysendcanary').Properties.PolicyDocument;
    const ses = Statement.filter(({ Action }: any) =>
      [Action].flat().some((name) => name.startsWith('ses:')),
    );
    expect(ses).toMatchObject([
      {
        Effect: 'Allow',
        Action: 'ses:SendEmail',
        Condition: {
          StringEquals: { 'ses:FromAddress': address },
          'ForAllValues:StringEquals': { 'ses:Recipients': [address] },
        },
      },
    ]);
    expect(JSON.stringify(ses[0].Resource)).toMatch(/:identity\/"?,?.*domainidentity/);
  });

  it('may make its inbox in the operator’s organization, and nothing of a tenant’s', () => {
    const { Statement } = one('AWS::IAM::Policy', 'canarysendcanary').Properties.PolicyDocument;
    const keys = Statement.flatMap(({ Effect, Condition }: any) =>
      Effect === 'Allow' ? (Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? []) : [],
    );
    expect(keys).toEqual([
      ...['canary', 'postmaster', 'abuse'].map((name) => `ADDR#${name}@mail.acme.io`),
      ...['O#org_operator*', 'ORGS', 'DUE#*'],
    ]);
  });

  it('is heard when a mail of its own came into its inbox with nothing against it', () => {
    const { Properties } = one('AWS::Events::Rule', 'canaryarrival');
    expect(Properties).toMatchObject({
      EventBusName: { Ref: expect.stringMatching(/^announcebus/) },
      EventPattern: {
        source: ['posthorn'],
        'detail-type': ['message.received'],
        detail: { inbox_id: [address], from: [address] },
      },
      Targets: [{ Arn: arn(one('AWS::Lambda::Function', 'canaryhearcanary').id) }],
    });
    // It has no rights but to its log.
    const { Statement } = one('AWS::IAM::Policy', 'canaryhearcanary').Properties.PolicyDocument;
    expect(Statement.flatMap(({ Action }: any) => Action)).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });

  it('is missed after three of its times', () => {
    const { Properties } = one('AWS::CloudWatch::Alarm', 'alarmscanarysilent');
    expect(Properties).toMatchObject({
      ...{ Namespace: 'Posthorn', MetricName: 'CanaryDelay', Statistic: 'SampleCount', Period: 300 },
      Dimensions: [
        { Name: 'FunctionName', Value: { Ref: one('AWS::Lambda::Function', 'canaryhearcanary').id } },
      ],
      ...{ EvaluationPeriods: 3, Threshold: 0, ComparisonOperator: 'LessThanOrEqualToThreshold' },
      TreatMissingData: 'breaching',
    });
  });
});
