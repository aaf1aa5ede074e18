import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Env } from '../../lambdas/export-ledger/env.ts';
import type { Config } from './config.ts';
import type { MailStore } from './mail-store.ts';
import { NodeFunction } from './node-function.ts';

/** The ledger where nobody can change it: each hour `export-ledger` puts new seals and lines into a locked bucket. */
export class LedgerExport extends Construct {
  readonly function: NodeFunction<Env>;
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, config: Config, { table }: MailStore) {
    super(scope, id);
    this.bucket = this.#bucket(config);
    this.function = new NodeFunction<Env>(this, 'export-ledger', {
      config,
      environment: { TABLE_NAME: table.tableName, LEDGER_BUCKET_NAME: this.bucket.bucketName },
      description: 'Copies the ledger each hour to where nobody can change it',
      errorImpact: 'New lines of the ledger are not yet kept from whoever can write the table.',
      memory: 1024,
      timeout: Duration.minutes(15),
    });
    this.#grants(table.tableArn);
    new Rule(this, 'schedule', {
      description: 'Starts export-ledger',
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [new LambdaFunction(this.function.function)],
    });
  }

  #bucket({ ledgerRetentionMode, ledgerRetentionDays }: Config): Bucket {
    const period = Duration.days(ledgerRetentionDays);
    const bucket = new Bucket(this, 'bucket', {
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention:
        ledgerRetentionMode === 'compliance'
          ? ObjectLockRetention.compliance(period)
          : ObjectLockRetention.governance(period),
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      // In every stage: what is locked in it could not be deleted, and the stack would hang on it.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    bucket.addToResourcePolicy(nobodyTakesAway(bucket));
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'One function puts one object an hour and organization, and none can be changed; an access log in a bucket without a lock would prove less than the objects do.',
    });
    return bucket;
  }

  #grants(tableArn: string): void {
    const fn = this.function;
    const rows = (actions: string[], leadingKeys: string[]): void =>
      fn.allow({
        actions,
        on: [tableArn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': leadingKeys } },
      });
    rows(['dynamodb:Query'], ['ORGS', 'O#*#S']);
    rows(['dynamodb:BatchGetItem'], ['O#*#A#*']);
    // How far it came, and no more: who exports can write neither a line nor a seal.
    rows(['dynamodb:GetItem', 'dynamodb:PutItem'], ['O#*#X']);
    // A label may end in what those patterns look for.
    fn.deny(['dynamodb:Query', 'dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem'], [tableArn], {
      'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': ['O#*#I#*', 'O#*#T#*'] },
    });
    fn.allow({
      actions: ['s3:PutObject', 's3:GetObject'],
      on: [this.bucket.arnForObjects('*')],
      because: 'Every organization has its objects here, under keys that begin with its id.',
    });
  }
}

/**
 * Also not who may do everything in the account. Governance mode lets some set a retention aside: they would have to
 * change this policy first, which CloudTrail shows, as a deletion of an object is not shown by default. Nobody may lock
 * for longer either: a retention of a hundred years in compliance mode would be paid for as long. An object whose time
 * is over can be removed by a lifecycle rule, which no policy keeps from it, and which cannot remove what is locked.
 */
const nobodyTakesAway = (bucket: Bucket): PolicyStatement =>
  new PolicyStatement({
    sid: 'NobodyTakesAway',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: [
      's3:BypassGovernanceRetention',
      's3:DeleteObject',
      's3:DeleteObjectVersion',
      's3:PutObjectRetention',
    ],
    resources: [bucket.arnForObjects('*')],
  });
