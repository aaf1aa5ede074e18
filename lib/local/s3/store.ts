import { join } from 'node:path';
import { AwsError } from '../aws-error.ts';
import type { Caller, Cloud, ServiceRequest, ServiceResponse } from '../cloud.ts';
import { transaction } from '../open-database.ts';
import { Blobs } from './blobs.ts';
import type { Bucket } from './bucket.ts';
import { ObjectIndex } from './object-index.ts';
import type { StoredObject } from './object-index.ts';
import { lockOfNew } from './object-lock.ts';
import { missing } from './refusal.ts';
import { openIndex } from './schema.ts';
import { UploadIndex } from './upload-index.ts';
import { VersionIndex } from './version-index.ts';
import type { Version } from './version-index.ts';

/** One S3 call, its bucket and operation known. */
export interface S3Call {
  request: ServiceRequest;
  bucket: Bucket;
  /** Empty for an operation on the bucket itself. */
  key: string;
}
export type Operation = (store: Store, call: S3Call) => Promise<ServiceResponse> | ServiceResponse;

/** What came of a deletion, where versions are kept: the version that went, or the delete marker that came. */
export interface Deletion {
  version?: string;
  marker?: boolean;
}
interface Found {
  object: StoredObject | undefined;
  row?: Version;
}

/** Buckets, index and bytes together, and the questions every operation asks of them. */
export class Store {
  readonly cloud: Cloud;
  readonly buckets = new Map<string, Bucket>();
  readonly index: ObjectIndex;
  readonly versions: VersionIndex;
  readonly uploads: UploadIndex;
  readonly blobs: Blobs;

  constructor(cloud: Cloud) {
    this.cloud = cloud;
    this.index = new ObjectIndex(openIndex(cloud));
    this.versions = new VersionIndex(this.index);
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
    quiet = false,
  ): void {
    this.cloud.authorize({
      caller,
      action: `s3:${action}`,
      resource: `arn:aws:s3:::${bucket.name}${key === '' ? '' : `/${key}`}`,
      // The local endpoint stands for a TLS one: what it refuses for plain HTTP would be refused to everyone.
      context: { 'aws:SecureTransport': 'true', ...context },
      resourcePolicy: bucket.policy,
      ...(quiet && { quiet }),
    });
  }

  /** The same for a version of a key, with the action that IAM has for versions where one is named. */
  authorizeVersion(
    caller: Caller,
    action: string,
    bucket: Bucket,
    key: string,
    version: string | undefined,
  ): void {
    if (version === undefined) return this.authorize(caller, action, bucket, key);
    const context = { 's3:VersionId': version };
    this.authorize(caller, action.replace('Object', 'ObjectVersion'), bucket, key, context);
  }

  /** IAM's answer where a no only leaves something out of the answer. */
  permits(caller: Caller, action: string, bucket: Bucket, key: string): boolean {
    try {
      this.authorize(caller, action, bucket, key, {}, true);
      return true;
    } catch (error) {
      if (error instanceof AwsError) return false;
      throw error;
    }
  }

  /** What a key has now; `undefined` also where its latest version is a delete marker. */
  current(bucket: Bucket, key: string): StoredObject | undefined {
    if (bucket.versioning === undefined) return this.index.get(bucket.name, key);
    return this.versions.latest(bucket.name, key)?.object;
  }

  /** The current objects from `from` (inclusive) on, in the order of their keys' bytes. */
  list(bucket: Bucket, from: Buffer, limit: number): { key: Buffer; object: StoredObject }[] {
    if (bucket.versioning === undefined) return this.index.list(bucket.name, from, limit);
    return this.versions.listCurrent(bucket.name, from, limit);
  }

  /**
   * The object, of that version or the current one; or 404, and 405 for a delete marker. A caller that may not list
   * the bucket is not told what is missing and gets 403.
   */
  object(caller: Caller, bucket: Bucket, key: string, version?: string): StoredObject {
    const found = this.#version(bucket, key, version);
    if (found?.object !== undefined) return found.object;
    this.authorize(caller, 'ListBucket', bucket, '');
    throw missing(key, version, found);
  }

  /** Puts an object in place of what was there, or on top of it; part of the caller's transaction. Answers its version. */
  put(bucket: Bucket, key: string, object: StoredObject): string | undefined {
    if (bucket.versioning === undefined) {
      this.index.put(bucket.name, key, object);
      return undefined;
    }
    const lock = lockOfNew(object.lock, bucket, object.modified);
    return this.#onTop(bucket, key, { ...object, ...(lock && { lock }) });
  }

  /** Commits an object whose bytes were received, if `condition` holds at this very moment. Answers its version. */
  commit(bucket: Bucket, key: string, object: StoredObject, condition?: () => void): string | undefined {
    let version: string | undefined;
    try {
      version = transaction(this.index.database, () => {
        condition?.();
        return this.put(bucket, key, object);
      });
    } catch (error) {
      this.blobs.discard(object.blob);
      throw error;
    }
    this.blobs.keep(object.blob);
    this.sweep();
    return version;
  }

  /** Removes the object; where versions are kept, puts a delete marker on top, also of nothing. */
  remove(bucket: Bucket, key: string): Deletion {
    if (bucket.versioning === undefined) {
      if (this.index.remove(bucket.name, key)) this.sweep();
      return {};
    }
    const version = this.#onTop(bucket, key, { markedAt: this.cloud.clock.now() });
    this.sweep();
    return { version, marker: true };
  }

  /** Removes one version, if there is such and `check` of its object does not throw. */
  removeVersion(
    bucket: Bucket,
    key: string,
    version: string,
    check: (object: StoredObject) => void,
  ): Deletion {
    const found = this.#version(bucket, key, version);
    if (found === undefined) return { version };
    if (found.object !== undefined) check(found.object);
    if (found.row === undefined) this.index.remove(bucket.name, key);
    else this.versions.remove(found.row);
    this.sweep();
    return { version, marker: found.object === undefined };
  }

  #version(bucket: Bucket, key: string, version: string | undefined): Found | undefined {
    if (bucket.versioning !== undefined) {
      const row =
        version === undefined
          ? this.versions.latest(bucket.name, key)
          : this.versions.get(bucket.name, key, version);
      return row && { row, object: row.object };
    }
    const object = (version ?? 'null') === 'null' ? this.index.get(bucket.name, key) : undefined;
    return object && { object };
  }

  /** A suspended bucket keeps one `null` version, which goes when the next comes. */
  #onTop(bucket: Bucket, key: string, content: StoredObject | { markedAt: number }): string {
    return this.versions.add(bucket.name, key, bucket.versioning === 'Suspended', content);
  }

  /** Removes the bytes nobody names any more. */
  sweep(): void {
    this.index.sweep((blob) => this.blobs.remove(blob));
  }

  close(): void {
    this.index.database.close();
  }
}
