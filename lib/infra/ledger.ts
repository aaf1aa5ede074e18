import { Duration } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Env } from '../../lambdas/seal-ledger/env.ts';
import { table as layout } from '../adapters/dynamo/table.ts';
import type { Config } from './config.ts';
import { deadLetters } from './dead-letters.ts';
import type { MailStore } from './mail-store.ts';
import { NodeFunction } from './node-function.ts';

/** The seals of the ledger: lines of the stream → `seal-ledger` → a chain of seals in the table. */
export class Ledger extends Construct {
  readonly function: NodeFunction<Env>;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, config: Config, { table }: MailStore) {
    super(scope, id);
    this.deadLetters = deadLetters(this, 'dead-letters', 'seal-ledger');
    this.function = new NodeFunction<Env>(this, 'seal-ledger', {
      config,
      environment: { TABLE_NAME: table.tableName },
      description: 'Seals the lines of the ledger',
      errorImpact: 'Lines of the ledger are sealed late; until then a change to them cannot be proven.',
      memory: 512,
      timeout: Duration.minutes(1),
    });
    this.#grants(table);
    this.#mapping(table.tableStreamArn!, config);
  }

  #grants(table: TableV2): void {
    const fn = this.function;
    fn.readsStream(table, this.deadLetters);
    fn.allow({
      actions: ['dynamodb:GetItem', 'dynamodb:PutItem'],
      on: [table.tableArn],
      // Seals and nothing else: who seals cannot write what is sealed.
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['O#*#S'] } },
    });
  }

  #mapping(streamArn: string, config: Config): void {
    const isLine = { [layout.rowType]: { S: FilterRule.isEqual(layout.lineRow) } };
    new EventSourceMapping(this, 'mapping', {
      target: this.function.function,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 1000,
      // A seal costs two writes, however many lines it covers; nobody waits for one but a developer's laptop.
      maxBatchingWindow: config.stage === 'local' ? Duration.seconds(1) : Duration.minutes(1),
      bisectBatchOnError: true,
      // Tried for as long as the stream has the record: what comes after would be sealed, and this never.
      onFailure: { bind: () => ({ destination: this.deadLetters.queueArn }) },
      // The old image tells of a line that was removed or made into something else.
      filters: [
        FilterCriteria.filter({ dynamodb: { NewImage: isLine } }),
        FilterCriteria.filter({ dynamodb: { OldImage: isLine } }),
      ],
    });
  }
}
