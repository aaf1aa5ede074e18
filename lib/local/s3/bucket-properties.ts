import * as z from 'zod';
import { ignored } from '../ignored.ts';
import { retentionModes } from './object-lock.ts';

const days = z.coerce.number().int().positive();
const lifecycleRule = z
  .strictObject({
    Id: z.string().optional(),
    Status: z.enum(['Enabled', 'Disabled']),
    Prefix: z.string().optional(),
    /** The object has all of them. */
    TagFilters: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
    ExpirationInDays: days.optional(),
    AbortIncompleteMultipartUpload: z.strictObject({ DaysAfterInitiation: days }).optional(),
    NoncurrentVersionExpiration: z
      .strictObject({
        NoncurrentDays: days,
        NewerNoncurrentVersions: z.coerce.number().int().min(1).max(100).optional(),
      })
      .optional(),
    ExpiredObjectDeleteMarker: z.boolean().optional(),
    // Archive classes would refuse reads until restored; these answer as STANDARD does.
    Transitions: z
      .array(
        z.strictObject({
          StorageClass: z.enum(['INTELLIGENT_TIERING', 'STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR']),
          TransitionInDays: days.optional(),
        }),
      )
      .optional(),
  })
  .refine(
    (rule) => rule.ExpirationInDays === undefined || rule.ExpiredObjectDeleteMarker === undefined,
    'ExpiredObjectDeleteMarker cannot stand beside ExpirationInDays, which removes such markers too',
  )
  .refine(
    ({ TagFilters, AbortIncompleteMultipartUpload, ExpiredObjectDeleteMarker }) =>
      TagFilters === undefined ||
      (AbortIncompleteMultipartUpload === undefined && ExpiredObjectDeleteMarker === undefined),
    'TagFilters cannot stand beside AbortIncompleteMultipartUpload or ExpiredObjectDeleteMarker: neither has tags',
  )
  .refine(
    ({ TagFilters, NoncurrentVersionExpiration }) =>
      TagFilters === undefined || NoncurrentVersionExpiration === undefined,
    'TagFilters are not played for noncurrent versions',
  );
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

const defaultRetention = z
  .strictObject({
    Mode: z.enum(retentionModes),
    Days: days.max(36_500).optional(),
    Years: days.max(100).optional(),
  })
  .refine(
    ({ Days, Years }) => (Days === undefined) !== (Years === undefined),
    'DefaultRetention takes either Days or Years',
  );

const objectLock = z.strictObject({
  ObjectLockEnabled: z.literal('Enabled').optional(),
  Rule: z.strictObject({ DefaultRetention: defaultRetention }).optional(),
});

/** Properties of `AWS::S3::Bucket` that have their effect here; what AWS refuses is refused. */
export const bucketProperties = z
  .strictObject({
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
    VersioningConfiguration: z.strictObject({ Status: z.enum(['Enabled', 'Suspended']) }).optional(),
    ObjectLockEnabled: z.boolean().optional(),
    ObjectLockConfiguration: objectLock.optional(),
    LoggingConfiguration: ignored('no access log is written; the ledger of calls shows them'),
    Tags: ignored('tags of a bucket have no effect'),
  })
  .refine(
    (bucket) => bucket.ObjectLockConfiguration === undefined || bucket.ObjectLockEnabled === true,
    'ObjectLockConfiguration needs ObjectLockEnabled: true',
  )
  .refine(
    (bucket) =>
      bucket.ObjectLockConfiguration?.Rule === undefined ||
      bucket.ObjectLockConfiguration.ObjectLockEnabled === 'Enabled',
    "a default retention needs ObjectLockConfiguration.ObjectLockEnabled: 'Enabled'",
  )
  .refine(
    (bucket) => bucket.ObjectLockEnabled !== true || bucket.VersioningConfiguration?.Status !== 'Suspended',
    'versioning cannot be suspended where Object Lock is enabled',
  );
export type BucketProperties = z.infer<typeof bucketProperties>;
