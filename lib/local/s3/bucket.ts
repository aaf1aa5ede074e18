import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import type { PolicyDocument, PolicyStatement, ResourceType } from '../cloud.ts';
import { enforceablePolicy } from '../iam/enforceable-policy.ts';
import { bucketProperties } from './bucket-properties.ts';
import type { BucketProperties, LifecycleRule } from './bucket-properties.ts';
import { applyLifecycle } from './lifecycle.ts';
import type { Retention } from './object-lock.ts';
import type { Store } from './store.ts';

/** A deployed bucket; its objects are in the index under its name. */
export interface Bucket {
  name: string;
  policy: PolicyDocument | undefined;
  lifecycle: LifecycleRule[];
  blocksPublicPolicy: boolean;
  /** `undefined` for a bucket that never kept versions. */
  versioning: 'Enabled' | 'Suspended' | undefined;
  /** `undefined` without Object Lock. */
  objectLock: { defaultRetention?: { mode: Retention['mode']; days: number } } | undefined;
  /** Access-control lists are refused (BucketOwnerEnforced, AWS's default since 2023). */
  withoutAcls: boolean;
}

/** `AWS::S3::Bucket` and `AWS::S3::BucketPolicy`. */
export function bucketResources(store: Store, region: string): ResourceType[] {
  const bucketType: ResourceType<BucketProperties> = {
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
        versioning: versioningOf(store, name, properties),
        objectLock: objectLockOf(store, name, properties),
      };
      if (bucket.versioning !== undefined) store.versions.adopt(name);
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

/** Versioning that was on can only be suspended: a template without it does not take versions away. */
function versioningOf(store: Store, name: string, properties: BucketProperties): Bucket['versioning'] {
  // AWS turns it on by itself, for locks hang on versions.
  if (properties.ObjectLockEnabled === true) return 'Enabled';
  return (
    properties.VersioningConfiguration?.Status ?? (store.versions.hasAny(name) ? 'Suspended' : undefined)
  );
}

function objectLockOf(store: Store, name: string, properties: BucketProperties): Bucket['objectLock'] {
  if (properties.ObjectLockEnabled !== true) {
    if (!store.versions.hasLocks(name)) return undefined;
    const way = 'give the bucket another logical id, or start with another home';
    throw new Error(`${name} has locked objects and Object Lock cannot be disabled: ${way}`);
  }
  const rule = properties.ObjectLockConfiguration?.Rule?.DefaultRetention;
  if (rule === undefined) return {};
  return { defaultRetention: { mode: rule.Mode, days: rule.Days ?? rule.Years! * 365 } };
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
