import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { AwsError } from '../aws-error.ts';
import { callerName } from '../caller-name.ts';
import type { Caller, Cloud, ResourceType, Service, ServiceRequest, ServiceResponse } from '../cloud.ts';
import { drained } from '../endpoint/drain.ts';
import { bucketResources } from './bucket.ts';
import {
  getBucketLocation,
  getBucketVersioning,
  getObjectLockConfiguration,
  getObjectTagging,
  headBucket,
  putObjectTagging,
} from './bucket-operations.ts';
import { completeMultipartUpload } from './complete-upload.ts';
import { copyObject } from './copy-object.ts';
import { deleteObject, deleteObjects } from './delete-objects.ts';
import { getObject, headObject } from './get-object.ts';
import { keepLifecycle } from './lifecycle.ts';
import { listObjects } from './list-objects.ts';
import { listObjectVersions } from './list-versions.ts';
import { abortMultipartUpload, createMultipartUpload, listParts, uploadPart } from './multipart.ts';
import { checkExpectedOwner } from './object-headers.ts';
import { operationName } from './operation-name.ts';
import { putObject, storeObject } from './put-object.ts';
import { Refusal } from './refusal.ts';
import {
  getObjectLegalHold,
  getObjectRetention,
  putObjectLegalHold,
  putObjectRetention,
} from './retention.ts';
import { Store } from './store.ts';
import type { Operation } from './store.ts';
import { xmlError } from './xml.ts';

const operations: Record<string, Operation> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateMultipartUpload: createMultipartUpload,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  GetObject: getObject,
  GetObjectLegalHold: getObjectLegalHold,
  GetObjectLockConfiguration: getObjectLockConfiguration,
  GetObjectRetention: getObjectRetention,
  GetObjectTagging: getObjectTagging,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListObjectsV2: listObjects,
  ListObjectVersions: listObjectVersions,
  ListParts: listParts,
  PutObject: putObject,
  PutObjectLegalHold: putObjectLegalHold,
  PutObjectRetention: putObjectRetention,
  PutObjectTagging: putObjectTagging,
  UploadPart: uploadPart,
};

/** An object put by another service of the local cloud; exactly one of `file` (a path) and `bytes`. */
export interface InternalPut {
  caller: Caller;
  bucket: string;
  key: string;
  file?: string;
  bytes?: Uint8Array;
  contentType?: string;
  metadata?: Record<string, string>;
}

/** S3 over path-style addresses: bytes in files under `<home>/s3`, names in a database beside them. */
export class S3 implements Service {
  readonly scopes = ['s3'];
  readonly resources: readonly ResourceType[];
  readonly #store: Store;
  readonly #stopLifecycle: () => void;
  #active = 0;
  #idle: (() => void) | undefined;

  constructor(cloud: Cloud) {
    this.#store = new Store(cloud);
    this.resources = bucketResources(this.#store, cloud.region);
    this.#stopLifecycle = keepLifecycle(this.#store);
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    const headers = { 'x-amz-request-id': requestId, 'x-amz-id-2': randomBytes(48).toString('base64') };
    try {
      const response = await this.#answer(request);
      return { ...response, headers: { ...response.headers, ...headers } };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      await drained(request.body);
      if (error instanceof Refusal) Object.assign(headers, error.headers);
      if (request.method === 'HEAD') return { status: error.status, headers };
      const body = xmlError(error, requestId);
      return { status: error.status, headers: { ...headers, 'content-type': 'application/xml' }, body };
    }
  }

  /** Puts an object as PutObject does, with the same grants asked; it is safe when this returns. */
  async putObject(put: InternalPut): Promise<{ etag: string; size: number }> {
    const { caller, key } = put;
    const size = put.bytes?.length ?? (await stat(put.file!)).size;
    const headers: Record<string, string> = { 'content-length': String(size) };
    if (put.contentType !== undefined) headers['content-type'] = put.contentType;
    for (const [name, value] of Object.entries(put.metadata ?? {}))
      headers[`x-amz-meta-${name.toLowerCase()}`] = value;
    const body = put.bytes === undefined ? createReadStream(put.file!) : inOnePiece(put.bytes);
    return this.#recorded('PutObject', caller, async () => {
      const bucket = this.#store.bucket(put.bucket);
      const object = await storeObject(this.#store, { caller, bucket, key: checkedKey(key), headers, body });
      return { etag: object.etag, size: object.size };
    });
  }

  async stop(): Promise<void> {
    this.#stopLifecycle();
    if (this.#active > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#store.close();
  }

  async #answer(request: ServiceRequest): Promise<ServiceResponse> {
    const [bucketName, key] = address(request.path);
    const { method, query, headers, caller } = request;
    const name = bucketName === '' ? 'ListBuckets' : operationName(method, query, headers, key !== '');
    return this.#recorded(name, caller, () => {
      if (this.#store.cloud.weather.strikes('throttle')) {
        throw new AwsError('SlowDown', 'Please reduce your request rate.', { status: 503 });
      }
      const operation = operations[name];
      if (operation === undefined) {
        throw new AwsError('NotImplemented', `The local S3 has no ${name}.`, { status: 501 });
      }
      const bucket = this.#store.bucket(bucketName);
      checkExpectedOwner(headers, this.#store.cloud);
      return operation(this.#store, { request, bucket, key });
    });
  }

  async #recorded<T>(action: string, caller: Caller, work: () => Promise<T> | T): Promise<T> {
    const call = { service: 's3', action, by: callerName(caller) };
    this.#active++;
    try {
      const result = await work();
      this.#store.cloud.record(call);
      return result;
    } catch (error) {
      const code = error instanceof AwsError ? error.code : 'InternalError';
      this.#store.cloud.record({ ...call, error: code });
      throw error;
    } finally {
      this.#active--;
      if (this.#active === 0) this.#idle?.();
    }
  }
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Bucket and key of a path-style address; a key is taken as it stands, dots and double slashes included. */
function address(path: string): [bucket: string, key: string] {
  const match = /^\/([^/]*)(?:\/(.*))?$/s.exec(path);
  try {
    if (match !== null)
      return [decodeURIComponent(match[1]!), checkedKey(decodeURIComponent(match[2] ?? ''))];
  } catch (error) {
    if (error instanceof AwsError) throw error;
  }
  throw new AwsError('InvalidURI', "Couldn't parse the specified URI.");
}

function checkedKey(key: string): string {
  if (Buffer.byteLength(key) <= 1024) return key;
  throw new AwsError('KeyTooLongError', 'Your key is too long', { fields: { MaxSizeAllowed: 1024 } });
}
