import { AwsError } from '../aws-error.ts';
import type { Bucket } from './bucket.ts';
import { describedObject, notImplemented } from './object-headers.ts';
import type { StoredObject } from './object-index.ts';
import { authorizePut, versionHeader, writeCondition } from './put-object.ts';
import { requestedVersion } from './requested-version.ts';
import type { Operation, S3Call, Store } from './store.ts';
import { xmlResponse } from './xml.ts';

/** The largest object one CopyObject takes: 5 GiB. */
const maxCopy = 5 * 1024 ** 3;

/** Copies within one transaction: the new key shares the bytes, so a copy of any size is one commit. */
export const copyObject: Operation = (store, call) => {
  const { request, bucket, key } = call;
  const { caller, headers } = request;
  const from = copySource(headers['x-amz-copy-source'] ?? '');
  const sourceBucket = store.bucket(from.bucket);
  store.authorizeVersion(caller, 'GetObject', sourceBucket, from.key, from.version);
  authorizePut(store, { caller, bucket, key, headers });
  const source = copiedObject(store, call, sourceBucket, from);
  sourceConditions(headers, source);
  const keptTags =
    directive(headers, 'x-amz-tagging-directive') === 'COPY' && Object.keys(source.tags).length > 0;
  if (keptTags) {
    store.authorizeVersion(caller, 'GetObjectTagging', sourceBucket, from.key, from.version);
    store.authorize(caller, 'PutObjectTagging', bucket, key);
  }
  const sameKey = from.bucket === bucket.name && from.key === key;
  const ontoItself = sameKey && source.version === store.current(bucket, key)?.version;
  const copy = copied(call, source, ontoItself, store.cloud.clock.now());
  const version = store.commit(bucket, key, copy, () => writeCondition(headers, store.current(bucket, key)));
  const answer = xmlResponse('CopyObjectResult', {
    ETag: copy.etag,
    LastModified: new Date(copy.modified).toISOString(),
    ...checksumMembers(copy.checksums),
  });
  const about = {
    'x-amz-server-side-encryption': 'AES256',
    ...versionHeader(version),
    ...(source.version !== undefined && { 'x-amz-copy-source-version-id': source.version }),
  };
  return { ...answer, headers: { ...answer.headers, ...about } };
};

interface CopySource {
  bucket: string;
  key: string;
  version: string | undefined;
}

/** `bucket/key` or `/bucket/key`, percent-encoded, and perhaps `?versionId=…`. */
function copySource(header: string): CopySource {
  const [path, query] = header.split('?', 2) as [string, string?];
  const match = /^\/?([^/]+)\/(.+)$/s.exec(path);
  try {
    const version = requestedVersion(new URLSearchParams(query));
    if (match !== null) return { bucket: match[1]!, key: decodeURIComponent(match[2]!), version };
  } catch (error) {
    if (error instanceof AwsError) throw error;
  }
  throw new AwsError(
    'InvalidArgument',
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
  );
}

function copiedObject(store: Store, { request }: S3Call, bucket: Bucket, from: CopySource): StoredObject {
  try {
    return store.object(request.caller, bucket, from.key, from.version);
  } catch (error) {
    if (!(error instanceof AwsError && error.code === 'MethodNotAllowed')) throw error;
    const message =
      'The source of a copy request may not specifically refer to a delete marker by version id.';
    throw new AwsError('InvalidRequest', message);
  }
}

function directive(headers: Record<string, string>, name: string): 'COPY' | 'REPLACE' {
  const value = headers[name] ?? 'COPY';
  if (value === 'COPY' || value === 'REPLACE') return value;
  throw new AwsError('InvalidArgument', `Unknown ${name}: ${value}`);
}

function copied(
  { request, bucket }: S3Call,
  source: StoredObject,
  ontoItself: boolean,
  modified: number,
): StoredObject {
  const { headers } = request;
  if (source.size > maxCopy) {
    throw new AwsError(
      'InvalidRequest',
      'The specified copy source is larger than the maximum allowable size',
    );
  }
  const described = describedObject(headers, bucket, modified);
  const replaces = directive(headers, 'x-amz-metadata-directive') === 'REPLACE';
  if (ontoItself && !replaces) {
    const what =
      "without changing the object's metadata, storage class, website redirect location or encryption";
    throw new AwsError(
      'InvalidRequest',
      `This copy request is illegal because it copies an object to itself ${what}.`,
    );
  }
  const about = replaces ? described : source;
  const tags = directive(headers, 'x-amz-tagging-directive') === 'REPLACE' ? described.tags : source.tags;
  // A copy is one piece: the composite checksum of a source in parts is not its own.
  const checksums = source.checksums['type'] === 'COMPOSITE' ? {} : source.checksums;
  const { blob, size, md5 } = source;
  const { headers: kept, metadata } = about;
  const bytes = { blob, size, md5, etag: `"${md5}"`, modified, checksums };
  // Neither the source's version nor its lock goes along.
  return { ...bytes, headers: kept, metadata, tags, ...(described.lock && { lock: described.lock }) };
}

function sourceConditions(headers: Record<string, string>, source: StoredObject): void {
  const plain = (etag: string) => etag.replaceAll('"', '');
  const [match, noneMatch] = [
    headers['x-amz-copy-source-if-match'],
    headers['x-amz-copy-source-if-none-match'],
  ];
  for (const name of ['x-amz-copy-source-if-modified-since', 'x-amz-copy-source-if-unmodified-since']) {
    if (headers[name] !== undefined) throw notImplemented(`the header ${name}`);
  }
  const matches = match === undefined || plain(match) === plain(source.etag);
  const differs = noneMatch === undefined || plain(noneMatch) !== plain(source.etag);
  if (matches && differs) return;
  const message = 'At least one of the pre-conditions you specified did not hold';
  throw new AwsError('PreconditionFailed', message, { status: 412 });
}

/** Checksums as XML members, such as ChecksumCRC32. */
export function checksumMembers(checksums: Record<string, string>): Record<string, string> {
  const name = (algorithm: string) =>
    algorithm === 'type' ? 'ChecksumType' : `Checksum${algorithm.toUpperCase()}`;
  return Object.fromEntries(Object.entries(checksums).map(([algorithm, value]) => [name(algorithm), value]));
}
