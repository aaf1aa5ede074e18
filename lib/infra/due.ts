import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { Env } from '../../lambdas/run-due/env.ts';
import type { Config } from './config.ts';
import { ingestGrants } from './mail-intake.ts';
import type { MailStore } from './mail-store.ts';
import { mimeWorker } from './mime-worker.ts';
import { NodeFunction } from './node-function.ts';

/** Everything that waits: once a minute `run-due` takes the rows whose time has come. */
export class Due extends Construct {
  readonly function: NodeFunction<Env>;

  constructor(scope: Construct, id: string, config: Config, store: MailStore) {
    super(scope, id);
    const { table, bucket } = store;
    this.function = new NodeFunction<Env>(this, 'run-due', {
      config,
      environment: {
        TABLE_NAME: table.tableName,
        BUCKET_NAME: bucket.bucketName,
        MAIL_DOMAIN: config.mailDomain,
        QUARANTINE_DAYS: String(config.quarantineDays),
      },
      description: 'Does each minute what was due, and takes in mail that was left behind',
      errorImpact:
        'What waits for its time waits on: expiry, background deletion, and mail left in incoming/.',
      memory: 2048,
      timeout: Duration.minutes(5),
      workers: mimeWorker,
    });
    ingestGrants(this.function, store);
    this.function.allow({
      actions: ['dynamodb:Query'],
      on: [store.byOrganizationArn],
      // Events nobody has announced yet, of all organizations; and the inboxes of one whose mail is measured or cleared.
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['OUTBOX#*', 'O#*#I'] } },
    });
    new Rule(this, 'every-minute', {
      description: 'Starts run-due',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.function.function)],
    });
  }
}
