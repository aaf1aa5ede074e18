import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Env } from '../../lambdas/publish-event/env.ts';
import { table as layout } from '../adapters/dynamo/table.ts';
import type { Config } from './config.ts';
import { deadLetters } from './dead-letters.ts';
import type { MailStore } from './mail-store.ts';
import { NodeFunction } from './node-function.ts';

/** From a change to those who want to know: event rows of the stream → `publish-event` → bus. */
export class Announce extends Construct {
  readonly bus: EventBus;
  readonly function: NodeFunction<Env>;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, config: Config, { table }: MailStore) {
    super(scope, id);
    this.bus = new EventBus(this, 'bus', {
      // Subscribers in other stacks name it.
      eventBusName: Stack.of(this).stackName,
      description: 'Events of Posthorn: ids and headers, no bodies',
    });
    this.deadLetters = deadLetters(this, 'dead-letters');
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'It is a dead-letter queue; cdk-nag knows only those of queues, not those of event source mappings.',
    });
    this.function = new NodeFunction<Env>(this, 'publish-event', {
      config,
      environment: { TABLE_NAME: table.tableName, EVENT_BUS_NAME: this.bus.eventBusName },
      description: 'Puts each event row on the bus',
      errorImpact: 'Subscribers hear of changes late, or not until the events are replayed; no mail is lost.',
      memory: 512,
      timeout: Duration.minutes(1),
    });
    this.#grants(table.tableArn, table.tableStreamArn!);
    this.#mapping(table.tableStreamArn!);
  }

  #grants(tableArn: string, streamArn: string): void {
    const fn = this.function;
    fn.allow({
      actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
      on: [streamArn],
    });
    fn.allow({
      actions: ['dynamodb:ListStreams'],
      on: [`${tableArn}/stream/*`],
      because: 'Listing is asked for the streams of a table, not for one stream.',
    });
    fn.allow({
      actions: ['GetItem', 'PutItem', 'UpdateItem'].map((action) => `dynamodb:${action}`),
      on: [tableArn],
    });
    fn.allow({ actions: ['events:PutEvents'], on: [this.bus.eventBusArn] });
    fn.allow({ actions: ['sqs:SendMessage'], on: [this.deadLetters.queueArn] });
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
        FilterCriteria.filter({
          dynamodb: { NewImage: { [layout.rowType]: { S: FilterRule.isEqual(layout.eventRow) } } },
        }),
      ],
    });
  }
}
