import { Aws, Duration, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { CfnReceiptRule, CfnReceiptRuleSet } from 'aws-cdk-lib/aws-ses';
import { Topic, TopicPolicy } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { type Queue, QueueEncryption, Queue as SqsQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Env } from '../../lambdas/receive-mail/env.ts';
import { keepsLedger } from './append-only.ts';
import type { Config } from './config.ts';
import { deadLetters } from './dead-letters.ts';
import { incomingPrefix, type MailStore } from './mail-store.ts';
import { mimeWorker } from './mime-worker.ts';
import { NodeFunction } from './node-function.ts';

const timeout = Duration.minutes(2);

/** Mail's way in: SES → bucket and topic → queue → `receive-mail`. */
export class MailIntake extends Construct {
  readonly function: NodeFunction<Env>;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly ruleSet: CfnReceiptRuleSet;
  readonly rule: CfnReceiptRule;
  readonly ruleDefinition: CfnReceiptRule.RuleProperty;

  constructor(scope: Construct, id: string, config: Config, store: MailStore) {
    super(scope, id);
    const { topic, policy } = this.#topic();
    this.deadLetters = deadLetters(this, 'dead-letters', 'receive-mail');
    this.queue = new SqsQueue(this, 'queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // AWS asks for six times the function's timeout, so that a throttled batch is not handed out twice.
      visibilityTimeout: Duration.seconds(timeout.toSeconds() * 6),
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });
    topic.addSubscription(new SqsSubscription(this.queue));
    this.function = this.#function(config, store);
    this.ruleSet = new CfnReceiptRuleSet(this, 'rule-set');
    this.ruleDefinition = this.#definition(config, store, topic);
    this.rule = new CfnReceiptRule(this, 'rule', {
      ruleSetName: this.ruleSet.ref,
      rule: this.ruleDefinition,
    });
    // SES tries both grants when the rule is made, and refuses the rule without them.
    this.rule.node.addDependency(this.#letSesWrite(store), policy);
  }

  #topic(): { topic: Topic; policy: TopicPolicy } {
    // Plain: SES can publish to no topic that is encrypted with an AWS-managed key, and the queue behind it is encrypted.
    const topic = new Topic(this, 'topic');
    const policy = new TopicPolicy(this, 'topic-policy', { topics: [topic] });
    policy.document.addStatements(
      // A policy of its own replaces the default one, so SES's right has to be spelled out.
      new PolicyStatement({
        sid: 'SesMayPublish',
        principals: [new ServicePrincipal('ses.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      new PolicyStatement({
        sid: 'TlsOnly',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
    return { topic, policy };
  }

  #letSesWrite({ bucket }: MailStore): Construct {
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'SesMayPutIncoming',
        principals: [new ServicePrincipal('ses.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`${incomingPrefix}*`)],
        // The account, not the rule's ARN: the rule may come to stand in another rule set (adopt).
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    return bucket.policy!;
  }

  #definition({ mailDomain }: Config, { bucket }: MailStore, topic: Topic): CfnReceiptRule.RuleProperty {
    const s3Action = {
      bucketName: bucket.bucketName,
      objectKeyPrefix: incomingPrefix,
      topicArn: topic.topicArn,
    };
    return {
      // Unique in the account, for the case that it is adopted into another set.
      name: `${rulePrefix(this)}mail`,
      enabled: true,
      recipients: [mailDomain, `.${mailDomain}`],
      scanEnabled: true,
      tlsPolicy: 'Optional',
      actions: [{ s3Action }],
    };
  }

  #function(config: Config, { table, bucket }: MailStore): NodeFunction<Env> {
    const receiveMail = new NodeFunction<Env>(this, 'receive-mail', {
      config,
      environment: {
        TABLE_NAME: table.tableName,
        BUCKET_NAME: bucket.bucketName,
        MAIL_DOMAIN: config.mailDomain,
      },
      description: 'Takes mail that SES accepted into the inboxes it is for',
      errorImpact: 'Mail that senders were told is accepted does not appear in its inbox.',
      memory: 2048,
      timeout,
      workers: mimeWorker,
    });
    receiveMail.takesFrom(this.queue);
    ingestGrants(receiveMail, { table, bucket });
    new EventSourceMapping(this, 'mapping', {
      target: receiveMail.function,
      eventSourceArn: this.queue.queueArn,
      batchSize: 5,
      reportBatchItemFailures: true,
    });
    return receiveMail;
  }
}

/** What the names of this deployment's receipt rules begin with; `_` stands in no stack name. */
export const rulePrefix = (scope: Construct) => `${Stack.of(scope).stackName}_`;

/** What taking a mail in needs; the reconciler in `run-due` does the same. */
export function ingestGrants(
  fn: NodeFunction<Env>,
  { table, bucket }: Pick<MailStore, 'table' | 'bucket'>,
): void {
  fn.allow({
    actions: [
      'GetItem',
      'BatchGetItem',
      'Query',
      'PutItem',
      'UpdateItem',
      'DeleteItem',
      'ConditionCheckItem',
    ].map((a) => `dynamodb:${a}`),
    on: [table.tableArn],
  });
  keepsLedger(fn, table.tableArn);
  fn.allow({
    actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
    on: [bucket.arnForObjects('*')],
    because:
      'Mail objects lie under the organization they belong to, which is known only once the envelope is read.',
  });
  // Only SES puts mail there.
  fn.deny(['s3:PutObject'], [bucket.arnForObjects(`${incomingPrefix}*`)]);
  // S3 says 403 instead of 404 for a missing object to those who may not list; that question has no prefix.
  fn.allow({
    actions: ['s3:ListBucket'],
    on: [bucket.bucketArn],
    conditions: { StringLikeIfExists: { 's3:prefix': [`${incomingPrefix}*`, messageFolder] } },
  });
}

/** The objects of one message: `<organization>/<inbox>/<message>/`. */
const messageFolder = '*/*/*/';
