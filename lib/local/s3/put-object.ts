import { AwsError } from '../aws-error.ts';
import type { Caller } from '../cloud.ts';
import type { Bucket } from './bucket.ts';
import type { StoredObject } from './object-index.ts';
import { checksumHeaders, describedObject, putContext } from './object-headers.ts';
import { demandChecksum, requestedLock, retentionContext } from './object-lock.ts';
import { receiveBody } from './request-body.ts';
import type { Operation, Store } from './store.ts';

/** A put, from HTTP or from within. */
export interface Put {
  caller: Caller;
  bucket: Bucket;
  key: string;
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
}

/** Stores the object; when this returns it survives the end of the process. */
export async function storeObject(store: Store, put: Put): Promise<StoredObject> {
  const { bucket, key, headers } = put;
  authorizePut(store, put);
  const described = describedObject(headers, bucket, store.cloud.clock.now());
  demandChecksum(headers, bucket, described.lock, 'Put Object');
  const before = store.current(bucket, key);
  const received = await receiveBody(store.blobs, put);
  const checksums: Record<string, string> = Object.fromEntries(received.checksums);
  if (received.checksums.size > 0) checksums['type'] = 'FULL_OBJECT';
  const object: StoredObject = {
    ...described,
    blob: received.blob,
    size: received.size,
    etag: `"${received.md5}"`,
    md5: received.md5,
    modified: store.cloud.clock.now(),
    checksums,
  };
  const version = store.commit(bucket, key, object, () => {
    const there = store.current(bucket, key);
    if (headers['if-none-match'] === '*' && before !== undefined && there === undefined) throw conflict();
    writeCondition(headers, there);
  });
  return version === undefined ? object : { ...object, version };
}

/** S3's answer to a conditional put that a deletion of the key ran into: try again. */
const conflict = () => {
  const message =
    'The conditional request cannot succeed due to a conflicting operation against this resource.';
  return new AwsError('ConditionalRequestConflict', message, { status: 409 });
};

/** IAM for a write of an object: its tags and its lock ask for permissions of their own. */
export function authorizePut(store: Store, put: Pick<Put, 'caller' | 'bucket' | 'key' | 'headers'>): void {
  const { caller, bucket, key, headers } = put;
  store.authorize(caller, 'PutObject', bucket, key, putContext(headers));
  if (headers['x-amz-tagging'] !== undefined) store.authorize(caller, 'PutObjectTagging', bucket, key);
  const lock = requestedLock(headers, bucket, store.cloud.clock.now());
  if (lock?.retention !== undefined) {
    const context = retentionContext(lock.retention, store.cloud.clock.now());
    store.authorize(caller, 'PutObjectRetention', bucket, key, context);
  }
  if (headers['x-amz-object-lock-legal-hold'] !== undefined) {
    store.authorize(caller, 'PutObjectLegalHold', bucket, key);
  }
}

/** The version that a write made, where versions are kept. */
export const versionHeader = (version: string | undefined): Record<string, string> =>
  version === undefined ? {} : { 'x-amz-version-id': version };

/** If-None-Match and If-Match of a write, held against what is there at its commit. */
export function writeCondition(headers: Record<string, string>, there: StoredObject | undefined): void {
  const [absent, same] = [headers['if-none-match'], headers['if-match']];
  const failed = (Condition: string) => {
    const message = 'At least one of the pre-conditions you specified did not hold';
    return new AwsError('PreconditionFailed', message, { status: 412, fields: { Condition } });
  };
  if (absent !== undefined && absent !== '*') {
    const message =
      'A header you provided implies functionality that is not implemented: If-None-Match other than *';
    throw new AwsError('NotImplemented', message, { status: 501 });
  }
  if (absent === '*' && there !== undefined) throw failed('If-None-Match');
  if (same === undefined) return;
  if (there === undefined)
    throw new AwsError('NoSuchKey', 'The specified key does not exist.', { status: 404 });
  if (same.replaceAll('"', '') !== there.etag.replaceAll('"', '')) throw failed('If-Match');
}

export const putObject: Operation = async (store, { request, bucket, key }) => {
  const { caller, headers, body } = request;
  const object = await storeObject(store, { caller, bucket, key, headers, body });
  const answer = { etag: object.etag, 'x-amz-server-side-encryption': 'AES256', ...checksumHeaders(object) };
  return { status: 200, headers: { ...answer, ...versionHeader(object.version) } };
};
