import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Env as DeliverEnv } from '../../lambdas/deliver-webhook/env.ts';
import type { Env as FanOutEnv } from '../../lambdas/fan-out-webhooks/env.ts';
import { type Announce, eventSource } from './announce.ts';
import { keepsLedger, ledgerLines } from './append-only.ts';
import type { Config } from './config.ts';
import { deadLetters } from './dead-letters.ts';
import type { MailStore } from './mail-store.ts';
import { NodeFunction } from './node-function.ts';
import { workTimeouts, type WorkQueues } from './work-queues.ts';

const fanOutTimeout = Duration.minutes(1);
/** Seconds an endpoint has for a try. Those of a batch run side by side, so the function's minute is enough. */
const trySeconds = 15;

/** Rows of organizations, and of what waits: no credential, address or secret of the mailroom. */
const organizationsAndDue = {
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['O#*', 'DUE#*'] },
};

/** From the bus to endpoints: events → `fan-out-webhooks` → deliveries → (stream, queue) → `deliver-webhook`. */
export class Webhooks extends Construct {
  readonly fanOut: NodeFunction<FanOutEnv>;
  readonly deliver: NodeFunction<DeliverEnv>;
  /** Events that nobody has made deliveries of yet. */
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(
    scope: Construct,
    id: string,
    config: Config,
    store: MailStore,
    { bus }: Announce,
    { deliveries }: WorkQueues,
  ) {
    super(scope, id);
    this.deadLetters = deadLetters(this, 'dead-letters', 'fan-out-webhooks');
    this.queue = new Queue(this, 'queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(fanOutTimeout.toSeconds() * 6),
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });
    new Rule(this, 'rule', {
      description: 'Events that webhooks may hear',
      eventBus: bus,
      eventPattern: { source: [eventSource] },
      targets: [new SqsQueue(this.queue, { deadLetterQueue: this.deadLetters })],
    });
    this.fanOut = this.#fanOut(config, store);
    this.deliver = this.#deliver(config, store);
    for (const [name, fn, queue] of [
      ['fan-out-mapping', this.fanOut, this.queue],
      ['deliver-mapping', this.deliver, deliveries.queue],
    ] as const) {
      fn.takesFrom(queue);
      new EventSourceMapping(this, name, {
        target: fn.function,
        eventSourceArn: queue.queueArn,
        // No window: a message that is alone goes at once.
        batchSize: 10,
        reportBatchItemFailures: true,
      });
    }
  }

  #fanOut(config: Config, { table, bucket }: MailStore): NodeFunction<FanOutEnv> {
    const fn = new NodeFunction<FanOutEnv>(this, 'fan-out-webhooks', {
      config,
      environment: { TABLE_NAME: table.tableName, BUCKET_NAME: bucket.bucketName },
      description: 'Makes a delivery of each event for each webhook that hears it',
      errorImpact: 'Webhooks hear of events late; the events wait.',
      memory: 1024,
      timeout: fanOutTimeout,
    });
    fn.allow({
      actions: ['BatchGetItem', 'ConditionCheckItem', 'GetItem', 'PutItem', 'Query'].map(
        (action) => `dynamodb:${action}`,
      ),
      on: [table.tableArn],
      conditions: organizationsAndDue,
    });
    writesNoLedger(fn, table.tableArn);
    fn.allow({
      actions: ['s3:GetObject'],
      on: [bucket.arnForObjects('*/*/*/body')],
      because: 'Bodies lie under the organization they belong to, which only the event names.',
    });
    return fn;
  }

  #deliver(config: Config, { table }: MailStore): NodeFunction<DeliverEnv> {
    const fn = new NodeFunction<DeliverEnv>(this, 'deliver-webhook', {
      config,
      environment: {
        TABLE_NAME: table.tableName,
        TRY_SECONDS: String(trySeconds),
        ALLOW_LOOPBACK_WEBHOOKS: config.stage === 'local' ? 'true' : 'false',
      },
      description: 'Tries to deliver events to webhooks',
      errorImpact: 'Webhooks hear of events late; each delivery is tried again.',
      // In no VPC: from there no address of the operator's own network is in reach.
      memory: 512,
      timeout: workTimeouts.deliveries,
    });
    fn.allow({
      actions: ['BatchGetItem', 'PutItem', 'UpdateItem'].map((action) => `dynamodb:${action}`),
      on: [table.tableArn],
      conditions: organizationsAndDue,
    });
    writesNoLedger(fn, table.tableArn);
    return fn;
  }
}

/** Nobody calls here, so nothing of this is a line of the ledger. */
function writesNoLedger(fn: Pick<NodeFunction<never>, 'deny'>, tableArn: string): void {
  keepsLedger(fn, tableArn);
  fn.deny(['dynamodb:PutItem'], [tableArn], ledgerLines);
}
