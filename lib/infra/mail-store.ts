import { Duration, Validations } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { table } from '../adapters/dynamo/table.ts';
import { archiveRungs, archiveTag } from '../contract/archive.ts';
import type { Config } from './config.ts';
import { removal } from './node-function.ts';

/** Where SES puts mail before it belongs to anyone. */
export const incomingPrefix = 'incoming/';

const attribute = (name: string) => ({ name, type: AttributeType.STRING });

/** The one table and the one bucket. */
export class MailStore extends Construct {
  readonly table: TableV2;
  readonly bucket: Bucket;
  /** ARNs of the indexes, each by name, so that no grant needs `index/*`. */
  readonly indexArns: string[];

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    this.table = this.#table(config);
    this.indexArns = [table.byPod, table.byOrganization].map(
      ({ name }) => `${this.table.tableArn}/index/${name}`,
    );
    this.bucket = this.#bucket(config);
  }

  /** One of them. */
  get byOrganizationArn(): string {
    return `${this.table.tableArn}/index/${table.byOrganization.name}`;
  }

  #table(config: Config): TableV2 {
    return new TableV2(this, 'table', {
      partitionKey: attribute(table.partitionKey),
      sortKey: attribute(table.sortKey),
      globalSecondaryIndexes: [table.byPod, table.byOrganization].map((index) => ({
        indexName: index.name,
        partitionKey: attribute(index.partitionKey),
        sortKey: attribute(index.sortKey),
        projectionType: ProjectionType.KEYS_ONLY,
      })),
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      timeToLiveAttribute: table.ttl,
      // Another view type later would mean another stream, and what the old one held would be lost.
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: config.deletionProtection,
      removalPolicy: removal(config),
    });
  }

  #bucket(config: Config): Bucket {
    const bucket = new Bucket(this, 'bucket', {
      // Not versioned: erasure must erase. No Object Lock default: SES could not write.
      versioned: false,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      removalPolicy: removal(config),
      lifecycleRules: [
        // An archive may take days, and begins anew when its upload is forgotten.
        { id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(14) },
        // Only mail that stayed here through every retry; the alarms have spoken long before.
        {
          id: 'never-taken-in',
          prefix: incomingPrefix,
          expiration: Duration.days(config.incomingRetentionDays),
        },
        // Each archive is deleted when its time is over; this is for one whose row was lost.
        ...archiveRungs.map((days) => ({
          id: `archives-of-${days}-days`,
          tagFilters: { [archiveTag]: String(days) },
          expiration: Duration.days(days + 7),
        })),
      ],
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Access logs would list every address and object in a second bucket that erasure does not reach; reads of mail content stand in the ledger, and CloudTrail data events can be switched on by the operator.',
    });
    return bucket;
  }
}
