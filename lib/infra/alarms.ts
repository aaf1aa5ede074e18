import { ArnFormat, Aws, Duration, Stack } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Config } from './config.ts';
import type { NodeFunction } from './node-function.ts';

interface Watch {
  metric: IMetric;
  /** What a user loses. */
  impact: string;
  /** The alarm goes off at this value or above (or below, when `below`). */
  threshold: number;
  below?: boolean;
  /** Section of the runbook; the alarm's own name when absent. */
  section?: string;
  /** Periods in a row. */
  periods?: number;
  whenMissing?: TreatMissingData;
}

export interface AlarmsProps {
  config: Config;
  functions: NodeFunction<never>[];
  /** By the name of the function that failed. */
  deadLetters: Record<string, { queue: Queue; impact: string }>;
  http: HttpApi;
  intakeQueue: Queue;
  fanOutQueue: Queue;
  deliveryQueue: Queue;
  publisher: NodeFunction<never>;
  clockwork: NodeFunction<never>;
  exporter: NodeFunction<never>;
  /** Hears what the deployment mails itself. */
  canary: NodeFunction<never> | undefined;
}

/** An alarm for each way Posthorn can fail silently; each points to its section of the runbook. */
export class Alarms extends Construct {
  readonly #config: Config;
  readonly #topic: Topic | undefined;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#config = props.config;
    this.#topic =
      props.config.alarmEmail === undefined ? undefined : this.#emailTopic(props.config.alarmEmail);
    for (const fn of props.functions) this.#watchFunction(fn);
    for (const [name, { queue, impact }] of Object.entries(props.deadLetters)) {
      const metric = queue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: 'max',
      });
      this.#watch(`${name}-dead-letters`, { metric, impact, threshold: 1 });
    }
    this.#watchDelays(props);
    if (props.canary) this.#watchCanary(props.canary);
  }

  #watchCanary({ function: { functionName: FunctionName } }: NodeFunction<never>): void {
    const metric = new Metric({
      ...{ namespace: 'Posthorn', metricName: 'CanaryDelay', dimensionsMap: { FunctionName } },
      statistic: Stats.SAMPLE_COUNT,
      period: Duration.minutes(this.#config.canaryMinutes),
    });
    this.#watch('canary-silent', {
      metric,
      impact:
        'Mail that the deployment sends itself does not come back: others’ mail may not come in either.',
      threshold: 0,
      below: true,
      periods: 3,
      whenMissing: TreatMissingData.BREACHING,
    });
  }

  #watchFunction(fn: NodeFunction<never>): void {
    const name = fn.node.id;
    const period = { period: Duration.minutes(5), statistic: 'sum' };
    this.#watch(`${name}-errors`, {
      metric: fn.function.metricErrors(period),
      impact: fn.errorImpact,
      threshold: 1,
    });
    this.#watch(`${name}-throttles`, {
      metric: fn.function.metricThrottles(period),
      impact: `The account's concurrency is used up. ${fn.errorImpact}`,
      section: 'throttles',
      threshold: 1,
      periods: 3,
    });
  }

  #watchDelays(props: AlarmsProps): void {
    const { http, intakeQueue, publisher, clockwork, exporter } = props;
    this.#watchWebhooks(props);
    this.#watch('api-server-errors', {
      metric: http.metricServerError({ period: Duration.minutes(5), statistic: 'sum' }),
      impact: 'Calls end in a 5xx answer, whichever function gave it; nothing they asked for is half done.',
      threshold: 1,
    });
    this.#watch('receive-mail-delay', {
      metric: intakeQueue.metricApproximateAgeOfOldestMessage({
        period: Duration.minutes(5),
        statistic: 'max',
      }),
      impact: 'Mail waits more than ten minutes before it appears in its inbox.',
      threshold: 600,
    });
    this.#watch('publish-event-delay', {
      metric: publisher.function.metric('IteratorAge', { period: Duration.minutes(5), statistic: 'max' }),
      impact:
        'Subscribers hear of changes more than five minutes late, and what was taken down is purged late.',
      threshold: 300_000,
    });
    this.#watch('run-due-stopped', {
      metric: clockwork.function.metricInvocations({ period: Duration.minutes(5), statistic: 'sum' }),
      impact: 'Nothing that waits for its time happens any more.',
      threshold: 0,
      below: true,
      periods: 2,
      whenMissing: TreatMissingData.BREACHING,
    });
    this.#watch('export-ledger-stopped', {
      metric: exporter.function.metricInvocations({ period: Duration.hours(1), statistic: 'sum' }),
      impact: 'New lines of the ledger are no longer copied to where nobody can change them.',
      threshold: 0,
      below: true,
      periods: 3,
      whenMissing: TreatMissingData.BREACHING,
    });
  }

  #watchWebhooks({ fanOutQueue, deliveryQueue }: AlarmsProps): void {
    const age = (queue: Queue) =>
      queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(5), statistic: 'max' });
    this.#watch('fan-out-webhooks-delay', {
      metric: age(fanOutQueue),
      impact: 'Webhooks hear of events more than ten minutes late.',
      threshold: 600,
    });
    this.#watch('deliver-webhook-delay', {
      metric: age(deliveryQueue),
      // A message may wait here for 15 minutes by intent.
      impact: 'Webhooks are tried more than a quarter of an hour after their time.',
      threshold: 1800,
    });
  }

  #watch(name: string, { metric, impact, threshold, below, section, periods = 1, whenMissing }: Watch): void {
    const alarm = new Alarm(this, name, {
      alarmDescription: `${impact} What to do: ${this.#config.runbookUrl}#${section ?? name}`,
      metric,
      threshold,
      comparisonOperator: below
        ? ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: whenMissing ?? TreatMissingData.NOT_BREACHING,
    });
    if (!this.#topic) return;
    alarm.addAlarmAction(new SnsAction(this.#topic));
    alarm.addOkAction(new SnsAction(this.#topic));
  }

  #emailTopic(address: string): Topic {
    const topic = new Topic(this, 'topic', { enforceSSL: true });
    topic.addSubscription(new EmailSubscription(address));
    // The TLS statement replaces the topic's default policy, and with it CloudWatch's right to publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsMayPublish',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnLike: {
            'aws:SourceArn': Stack.of(this).formatArn({
              service: 'cloudwatch',
              resource: 'alarm',
              resourceName: '*',
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    return topic;
  }
}
