import { Duration, Stack } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Env } from '../../lambdas/publish-event/env.ts';
import { table as layout } from '../adapters/dynamo/table.ts';
import { keepsLedger } from './append-only.ts';
import type { Config } from './config.ts';
import { deadLetters } from './dead-letters.ts';
import type { MailStore } from './mail-store.ts';
import { NodeFunction } from './node-function.ts';
import type { WorkQueues } from './work-queues.ts';

/** `source` of everything on the bus. */
export const eventSource = 'posthorn';

const ofType = (type: string) => ({ [layout.rowType]: { S: FilterRule.isEqual(type) } });
const isEvent = ofType(layout.eventRow);
const unnumbered = { position: { N: FilterRule.notExists() } };
const waits = {
  nudges: { N: FilterRule.exists() },
  [layout.byOrganization.partitionKey]: { S: FilterRule.exists() },
};

/** What an account may do with the rules it made. */
const managing = [
  'DeleteRule',
  'DescribeRule',
  'DisableRule',
  'EnableRule',
  'PutTargets',
  'RemoveTargets',
  'ListTargetsByRule',
  'ListTagsForResource',
  'TagResource',
  'UntagResource',
];

/** From a row to those who want to know: events of the stream → `publish-event` → bus, rows of work → their queues. */
export class Announce extends Construct {
  readonly bus: EventBus;
  readonly function: NodeFunction<Env>;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, config: Config, { table }: MailStore, work: WorkQueues) {
    super(scope, id);
    this.bus = new EventBus(this, 'bus', {
      // Subscribers in other stacks name it.
      eventBusName: Stack.of(this).stackName,
      description: 'Events of Posthorn: ids and headers, no bodies',
    });
    this.deadLetters = deadLetters(this, 'dead-letters', 'publish-event');
    this.function = new NodeFunction<Env>(this, 'publish-event', {
      config,
      environment: {
        TABLE_NAME: table.tableName,
        EVENT_BUS_NAME: this.bus.eventBusName,
        DELIVERIES_QUEUE_URL: work.deliveries.queue.queueUrl,
        REMOVALS_QUEUE_URL: work.removals.queue.queueUrl,
      },
      description: 'Puts each event row on the bus, and tells the queues of rows of work',
      errorImpact:
        'Subscribers hear of changes late, and what was taken down is purged late; no mail is lost.',
      memory: 512,
      timeout: Duration.minutes(1),
    });
    this.#grants(table, work);
    this.#subscribers(config);
    this.#mapping(table.tableStreamArn!);
  }

  #grants(table: TableV2, work: WorkQueues): void {
    const fn = this.function;
    fn.readsStream(table, this.deadLetters);
    fn.allow({
      actions: ['BatchGetItem', 'UpdateItem'].map((action) => `dynamodb:${action}`),
      on: [table.tableArn],
    });
    keepsLedger(fn, table.tableArn);
    fn.allow({ actions: ['events:PutEvents'], on: [this.bus.eventBusArn] });
    fn.allow({
      actions: ['sqs:SendMessage'],
      on: [work.deliveries.queue, work.removals.queue].map(({ queueArn }) => queueArn),
    });
  }

  /** Lets other accounts keep rules of their own on the bus, for our events; to rules of others they have no way. */
  #subscribers({ busSubscribers }: Config): void {
    if (busSubscribers.length === 0) return;
    const grant = (sid: string, actions: string[], conditions: Record<string, unknown>): void =>
      void this.bus.addToResourcePolicy(
        new PolicyStatement({
          sid,
          principals: busSubscribers.map((account) => new AccountPrincipal(account)),
          actions: actions.map((action) => `events:${action}`),
          resources: [ruleArn],
          conditions: {
            // A rule that does not exist yet has no creator.
            StringEqualsIfExists: { 'events:creatorAccount': '${aws:PrincipalAccount}' },
            ...conditions,
          },
        }),
      );
    const ruleArn = Stack.of(this).formatArn({
      service: 'events',
      resource: 'rule',
      resourceName: `${this.bus.eventBusName}/*`,
    });
    // Without Null, a pattern that names no source would pass as one whose every source is ours.
    grant('SubscribersMakeRules', ['PutRule'], {
      'ForAllValues:StringEquals': { 'events:source': eventSource },
      Null: { 'events:source': 'false' },
    });
    grant('SubscribersManageTheirRules', managing, {});
  }

  #mapping(streamArn: string): void {
    new EventSourceMapping(this, 'mapping', {
      target: this.function.function,
      eventSourceArn: streamArn,
      // Not LATEST: a new mapping starts minutes after it is made, and would skip what happened meanwhile.
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      retryAttempts: 20,
      onFailure: { bind: () => ({ destination: this.deadLetters.queueArn }) },
      filters: [
        // An event without its place, and one that was nudged and still waits: so the function does not wake itself.
        FilterCriteria.filter({ dynamodb: { NewImage: { ...isEvent, ...unnumbered } } }),
        FilterCriteria.filter({ dynamodb: { NewImage: { ...isEvent, ...waits } } }),
        FilterCriteria.filter({ dynamodb: { NewImage: ofType(layout.taskRow) } }),
      ],
    });
  }
}
