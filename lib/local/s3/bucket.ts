import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import type { PolicyDocument, PolicyStatement, ResourceType } from '../cloud.ts';
import { enforceablePolicy } from '../iam/enforceable-policy.ts';
import { ignored } from '../ignored.ts';
import { applyLifecycle } from './lifecycle.ts';
import type { Store } from './store.ts';

const day = z.coerce.number().int().positive();
const lifecycleRule = z.strictObject({
  Id: z.string().optional(),
  Status: z.enum(['Enabled', 'Disabled']),
  Prefix: z.string().optional(),
  ExpirationInDays: day.optional(),
  AbortIncompleteMultipartUpload: z.strictObject({ DaysAfterInitiation: day }).optional(),
  NoncurrentVersionExpiration: ignored('a bucket here keeps no old versions'),
  NoncurrentVersionExpirationInDays: ignored('a bucket here keeps no old versions'),
  ExpiredObjectDeleteMarker: ignored('a bucket here has no delete markers'),
  // Archive classes would refuse reads until restored; these answer as STANDARD does.
  Transitions: z
    .array(
      z.strictObject({
        StorageClass: z.enum(['INTELLIGENT_TIERING', 'STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR']),
        TransitionInDays: day.optional(),
      }),
    )
    .optional(),
});
export type LifecycleRule = z.infer<typeof lifecycleRule>;

const switches = z.strictObject({
  BlockPublicAcls: z.boolean().optional(),
  BlockPublicPolicy: z.boolean().optional(),
  IgnorePublicAcls: z.boolean().optional(),
  RestrictPublicBuckets: z.boolean().optional(),
});

const encryption = z.strictObject({
  ServerSideEncryptionConfiguration: z.array(
    z.strictObject({
      BucketKeyEnabled: ignored('only counts for KMS'),
      ServerSideEncryptionByDefault: z.strictObject({
        SSEAlgorithm: z.literal('AES256', {
          error: 'only AES256 is played here: the grants on a KMS key would go unchecked',
        }),
      }),
    }),
  ),
});

const bucketProperties = z.strictObject({
  BucketName: z.string().optional(),
  BucketEncryption: encryption.optional(),
  PublicAccessBlockConfiguration: switches.optional(),
  LifecycleConfiguration: z
    .strictObject({
      Rules: z.array(lifecycleRule),
      TransitionDefaultMinimumObjectSize: ignored('storage classes cost the same here'),
    })
    .optional(),
  OwnershipControls: z
    .strictObject({
      Rules: z.array(
        z.strictObject({
          ObjectOwnership: z.enum(['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter']),
        }),
      ),
    })
    .optional(),
  AccessControl: z.enum(['Private', 'LogDeliveryWrite']).optional(),
  VersioningConfiguration: z
    .strictObject({ Status: z.literal('Suspended', { error: 'versioned buckets are not played here' }) })
    .optional(),
  LoggingConfiguration: ignored('no access log is written; the ledger of calls shows them'),
  Tags: ignored('tags of a bucket have no effect'),
});

/** A deployed bucket; its objects are in the index under its name. */
export interface Bucket {
  name: string;
  policy: PolicyDocument | undefined;
  lifecycle: LifecycleRule[];
  blocksPublicPolicy: boolean;
  /** Access-control lists are refused (BucketOwnerEnforced, AWS's default since 2023). */
  withoutAcls: boolean;
}

/** `AWS::S3::Bucket` and `AWS::S3::BucketPolicy`. */
export function bucketResources(store: Store, region: string): ResourceType[] {
  const bucketType: ResourceType<z.infer<typeof bucketProperties>> = {
    type: 'AWS::S3::Bucket',
    properties: bucketProperties,
    deploy({ physicalName, properties }) {
      const name = properties.BucketName ?? physicalName.toLowerCase();
      const ownership = properties.OwnershipControls?.Rules[0]?.ObjectOwnership ?? 'BucketOwnerEnforced';
      if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw new Error(`${name} is not a bucket name`);
      const bucket: Bucket = {
        name,
        policy: undefined,
        lifecycle: properties.LifecycleConfiguration?.Rules ?? [],
        blocksPublicPolicy: properties.PublicAccessBlockConfiguration?.BlockPublicPolicy ?? true,
        withoutAcls: ownership === 'BucketOwnerEnforced',
      };
      store.buckets.set(name, bucket);
      // What came due while nothing ran.
      applyLifecycle(store, bucket);
      const attributes = {
        Arn: `arn:aws:s3:::${name}`,
        DomainName: `${name}.s3.amazonaws.com`,
        RegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
        DualStackDomainName: `${name}.s3.dualstack.${region}.amazonaws.com`,
        WebsiteURL: `http://${name}.s3-website-${region}.amazonaws.com`,
      };
      return { ref: name, attributes };
    },
  };
  return [bucketType, bucketPolicyType(store)];
}

const bucketPolicyProperties = z.strictObject({ Bucket: z.string(), PolicyDocument: enforceablePolicy });

function bucketPolicyType(store: Store): ResourceType<z.infer<typeof bucketPolicyProperties>> {
  return {
    type: 'AWS::S3::BucketPolicy',
    properties: bucketPolicyProperties,
    deploy({ logicalId, properties }) {
      const bucket = store.bucket(properties.Bucket);
      const policy = properties.PolicyDocument;
      if (bucket.blocksPublicPolicy && [policy.Statement].flat().some(isPublic)) {
        const message = `${logicalId}: the policy makes ${bucket.name} public and the bucket blocks public policies`;
        throw new AwsError('AccessDenied', message, { status: 403 });
      }
      bucket.policy = policy;
      return { ref: bucket.name };
    },
  };
}

function isPublic(statement: PolicyStatement): boolean {
  const { Effect, Principal, Condition } = statement;
  const everyone =
    Principal === '*' || (typeof Principal === 'object' && [Principal['AWS']].flat().includes('*'));
  return Effect === 'Allow' && everyone && Condition === undefined;
}
