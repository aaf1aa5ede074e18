import { join } from 'node:path';
import { AwsError } from '../aws-error.ts';
import type { Caller, Cloud, ServiceRequest, ServiceResponse } from '../cloud.ts';
import { transaction } from '../open-database.ts';
import { Blobs } from './blobs.ts';
import type { Bucket } from './bucket.ts';
import { ObjectIndex } from './object-index.ts';
import type { StoredObject } from './object-index.ts';
import { UploadIndex } from './upload-index.ts';

/** One S3 call, its bucket and operation known. */
export interface S3Call {
  request: ServiceRequest;
  bucket: Bucket;
  /** Empty for an operation on the bucket itself. */
  key: string;
}
export type Operation = (store: Store, call: S3Call) => Promise<ServiceResponse> | ServiceResponse;

/** Buckets, index and bytes together, and the questions every operation asks of them. */
export class Store {
  readonly cloud: Cloud;
  readonly buckets = new Map<string, Bucket>();
  readonly index: ObjectIndex;
  readonly uploads: UploadIndex;
  readonly blobs: Blobs;

  constructor(cloud: Cloud) {
    this.cloud = cloud;
    this.index = new ObjectIndex(cloud);
    this.uploads = new UploadIndex(this.index.database);
    this.blobs = new Blobs(join(cloud.home, 's3'), cloud.durable);
    this.blobs.settle((blob) => this.index.isKnown(blob));
    this.sweep();
  }

  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket !== undefined) return bucket;
    const fields = { BucketName: name };
    throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', { status: 404, fields });
  }

  /** IAM's answer for an action on a key, or on the bucket where the key is empty. */
  authorize(
    caller: Caller,
    action: string,
    bucket: Bucket,
    key: string,
    context: Record<string, string> = {},
  ): void {
    this.cloud.authorize({
      caller,
      action: `s3:${action}`,
      resource: `arn:aws:s3:::${bucket.name}${key === '' ? '' : `/${key}`}`,
      // The local endpoint stands for a TLS one: what it refuses for plain HTTP would be refused to everyone.
      context: { 'aws:SecureTransport': 'true', ...context },
      resourcePolicy: bucket.policy,
    });
  }

  /** The object, or 404; a caller that may not list the bucket is not told what is missing and gets 403. */
  object(caller: Caller, bucket: Bucket, key: string): StoredObject {
    const object = this.index.get(bucket.name, key);
    if (object !== undefined) return object;
    this.authorize(caller, 'ListBucket', bucket, '');
    throw new AwsError('NoSuchKey', 'The specified key does not exist.', {
      status: 404,
      fields: { Key: key },
    });
  }

  /** Commits an object whose bytes were received, if `condition` holds at this very moment. */
  commit(bucket: Bucket, key: string, object: StoredObject, condition?: () => void): void {
    try {
      transaction(this.index.database, () => {
        condition?.();
        this.index.put(bucket.name, key, object);
      });
    } catch (error) {
      this.blobs.discard(object.blob);
      throw error;
    }
    this.blobs.keep(object.blob);
    this.sweep();
  }

  remove(bucket: Bucket, key: string): void {
    if (this.index.remove(bucket.name, key)) this.sweep();
  }

  /** Removes the bytes nobody names any more. */
  sweep(): void {
    this.index.sweep((blob) => this.blobs.remove(blob));
  }

  close(): void {
    this.index.database.close();
  }
}
