import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Env } from '../../lambdas/remove-inbox/env.ts';
import { keepsLedger } from './append-only.ts';
import type { Config } from './config.ts';
import type { MailStore } from './mail-store.ts';
import { NodeFunction } from './node-function.ts';
import { workTimeouts } from './work-queues.ts';

/** Folders of organizations; what SES puts under `incoming/` is none. */
const organizations = 'org_*/*';
const archives = 'org_*/archives/*';

/** The end of an inbox: what was taken down is removed, step by step, by `remove-inbox`. */
export class Removal extends Construct {
  readonly function: NodeFunction<Env>;

  constructor(scope: Construct, id: string, config: Config, store: MailStore, queue: Queue) {
    super(scope, id);
    const { table, bucket } = store;
    this.function = new NodeFunction<Env>(this, 'remove-inbox', {
      config,
      environment: {
        TABLE_NAME: table.tableName,
        BUCKET_NAME: bucket.bucketName,
        QUARANTINE_DAYS: String(config.quarantineDays),
      },
      description: 'Removes what inboxes and organizations leave behind that were taken down',
      errorImpact: 'Mail of inboxes that were taken down stays stored for longer; nobody can read it.',
      memory: 1024,
      timeout: workTimeouts.removals,
    });
    this.#grants(store);
    this.function.takesFrom(queue);
    new EventSourceMapping(this, 'mapping', {
      target: this.function.function,
      eventSourceArn: queue.queueArn,
      // A step takes all the time there is.
      batchSize: 1,
      // Removals share the table's throughput with the mail that comes in.
      maxConcurrency: 5,
      reportBatchItemFailures: true,
    });
  }

  #grants({ table, byOrganizationArn, bucket }: MailStore): void {
    const fn = this.function;
    const rows = (actions: string[], leadingKeys: string[]): void =>
      fn.allow({
        actions: actions.map((action) => `dynamodb:${action}`),
        on: [table.tableArn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': leadingKeys } },
      });
    rows(
      ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'],
      ['O#*', 'KEY#*', 'ADDR#*'],
    );
    // The watch of each removal, and the entry of an organization that is gone.
    rows(['PutItem'], ['DUE#*', 'ORGS']);
    // The ledger outlives whom it tells of.
    keepsLedger(fn, table.tableArn);
    fn.allow({
      actions: ['dynamodb:Query'],
      on: [byOrganizationArn],
      // The inboxes of an organization, and nothing else that the index lists.
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['O#*#I'] } },
    });
    fn.allow({
      actions: ['s3:DeleteObject'],
      on: [bucket.arnForObjects(organizations)],
      because: 'Mail objects lie under the organization they belong to, and any may be taken down.',
    });
    fn.allow({
      actions: ['s3:GetObject'],
      on: [bucket.arnForObjects(organizations)],
      because: 'The mail of any inbox may be asked into an archive.',
    });
    fn.allow({
      actions: ['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload'],
      on: [bucket.arnForObjects(archives)],
      because: 'Archives lie under the organization they belong to, and of any there may be one.',
    });
    // S3 says 403 instead of 404 for a missing mail to those who may not list; that question has no prefix.
    fn.allow({
      actions: ['s3:ListBucket'],
      on: [bucket.bucketArn],
      conditions: { StringLikeIfExists: { 's3:prefix': [organizations] } },
    });
  }
}
