import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { synthesize } from '../../lib/infra/synthesize.ts';

const options = { mailDomain: 'mail.acme.io', canaryMinutes: 5, bundle: false } as const;
const { template } = synthesize({
  ...options,
  alarmEmail: 'ops@acme.io',
  runbookUrl: 'https://wiki.acme.io/runbook',
});
const of = (type: string, from = template): any[] =>
  Object.values<any>(from['Resources']).filter(({ Type }) => Type === type);
const alarms = of('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
const sections = new Map(
  readFileSync('docs/runbook.md', 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);
const anchor = ({ AlarmDescription }: any) => /#([\w-]+)$/.exec(AlarmDescription)?.[1] ?? AlarmDescription;
const dimension = ({ Dimensions }: any) => Dimensions[0].Value.Ref ?? Dimensions[0].Value['Fn::GetAtt'][0];

describe('alarms', () => {
  it.each(alarms.map((alarm) => [anchor(alarm), alarm] as const))(
    'say what is lost, and %s is a section of the runbook that says it too',
    (name, { AlarmDescription }) => {
      expect(AlarmDescription).toMatch(/^[A-Z].{30,}\. What to do: https:\/\/wiki\.acme\.io\/runbook#/);
      expect(sections.get(name)).toMatch(/\*\*A user loses:\*\* .{30}[^]*\*\*Look:\*\* [^]*\*\*Do:\*\* /);
    },
  );

  it('leave no section of the runbook without an alarm', () => {
    expect([...sections.keys()].filter((name) => !alarms.some((alarm) => anchor(alarm) === name))).toEqual(
      [],
    );
  });

  it.each(['Errors', 'Throttles'])('watch the %s of every function', (metric) => {
    const functions = Object.entries<any>(template['Resources']).filter(
      ([, { Type }]) => Type === 'AWS::Lambda::Function',
    );
    const watched = alarms.filter(({ MetricName }) => MetricName === metric).map(dimension);
    expect(watched.toSorted()).toEqual(functions.map(([id]) => id).toSorted());
  });

  it('watch every dead-letter queue for its first message', () => {
    const queues = Object.entries<any>(template['Resources'])
      .filter(([id, { Type }]) => Type === 'AWS::SQS::Queue' && id.includes('deadletters'))
      .map(([id]) => id);
    const depth = alarms.filter(({ MetricName }) => MetricName === 'ApproximateNumberOfMessagesVisible');
    expect(depth.map(dimension).toSorted()).toEqual(queues.toSorted());
    expect(depth.map(({ Threshold }) => Threshold)).toEqual(queues.map(() => 1));
  });

  it('watch for what stands still, and take silence of the clockwork for a failure', () => {
    const by = (metric: string) => alarms.find(({ MetricName }) => MetricName === metric);
    expect(by('ApproximateAgeOfOldestMessage')).toMatchObject({ Threshold: 600 });
    expect(by('IteratorAge')).toMatchObject({ Threshold: 300_000 });
    const still = {
      ComparisonOperator: 'LessThanOrEqualToThreshold',
      Threshold: 0,
      TreatMissingData: 'breaching',
    };
    expect(by('Invocations')).toMatchObject(still);
    expect(by('5xx')).toMatchObject({ Threshold: 1 });
  });

  const named = (name: string) => alarms.find((alarm) => anchor(alarm) === name);

  it.each([
    ['fan-out-webhooks-delay', /^webhooksqueue/, 600],
    // A message may wait there for a quarter of an hour by intent.
    ['deliver-webhook-delay', /^workdeliveries(?!dead)/, 1800],
    ['receive-mail-delay', /^intakequeue/, 600],
  ])('%s goes by the oldest message of its queue', (name, queue, Threshold) => {
    const alarm = named(name);
    expect(alarm).toMatchObject({
      MetricName: 'ApproximateAgeOfOldestMessage',
      Statistic: 'Maximum',
      Threshold,
    });
    expect(dimension(alarm)).toMatch(queue);
  });

  it('tell when the ledger was not exported for three hours', () => {
    expect(named('export-ledger-stopped')).toMatchObject({
      ...{ MetricName: 'Invocations', Statistic: 'Sum', Period: 3600, EvaluationPeriods: 3, Threshold: 0 },
      ...{ ComparisonOperator: 'LessThanOrEqualToThreshold', TreatMissingData: 'breaching' },
    });
    expect(dimension(named('export-ledger-stopped'))).toMatch(/^ledgerexport/);
  });

  it('write to the address that was given, on a topic CloudWatch may publish to', () => {
    expect(of('AWS::SNS::Subscription')).toContainEqual(
      expect.objectContaining({
        Properties: expect.objectContaining({ Protocol: 'email', Endpoint: 'ops@acme.io' }),
      }),
    );
    for (const { AlarmActions, OKActions } of alarms)
      expect([AlarmActions?.length, OKActions?.length]).toEqual([1, 1]);
    const policy = of('AWS::SNS::TopicPolicy').find(({ Properties }) =>
      JSON.stringify(Properties.Topics).includes('alarms'),
    );
    expect(policy.Properties.PolicyDocument.Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
      }),
    );
  });

  it('stay quiet without an address', () => {
    const quiet = synthesize(options).template;
    expect(of('AWS::CloudWatch::Alarm', quiet).length).toBe(alarms.length);
    expect(of('AWS::CloudWatch::Alarm', quiet).some(({ Properties }) => Properties.AlarmActions)).toBe(false);
  });
});
