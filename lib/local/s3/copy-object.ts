import { AwsError } from '../aws-error.ts';
import { describedObject, notImplemented } from './object-headers.ts';
import type { StoredObject } from './object-index.ts';
import { authorizePut, writeCondition } from './put-object.ts';
import type { Operation, S3Call } from './store.ts';
import { xmlResponse } from './xml.ts';

/** The largest object one CopyObject takes: 5 GiB. */
const maxCopy = 5 * 1024 ** 3;

/** Copies within one transaction: the new key shares the bytes, so a copy of any size is one commit. */
export const copyObject: Operation = (store, call) => {
  const { request, bucket, key } = call;
  const { caller, headers } = request;
  const from = copySource(headers['x-amz-copy-source'] ?? '');
  const sourceBucket = store.bucket(from.bucket);
  store.authorize(caller, 'GetObject', sourceBucket, from.key);
  authorizePut(store, { caller, bucket, key, headers });
  const source = store.object(caller, sourceBucket, from.key);
  sourceConditions(headers, source);
  const keptTags =
    directive(headers, 'x-amz-tagging-directive') === 'COPY' && Object.keys(source.tags).length > 0;
  if (keptTags) {
    store.authorize(caller, 'GetObjectTagging', sourceBucket, from.key);
    store.authorize(caller, 'PutObjectTagging', bucket, key);
  }
  const copy = copied(call, source, from.bucket === bucket.name && from.key === key);
  copy.modified = store.cloud.clock.now();
  store.commit(bucket, key, copy, () => writeCondition(headers, store.index.get(bucket.name, key)));
  const answer = xmlResponse('CopyObjectResult', {
    ETag: copy.etag,
    LastModified: new Date(copy.modified).toISOString(),
    ...checksumMembers(copy.checksums),
  });
  return { ...answer, headers: { ...answer.headers, 'x-amz-server-side-encryption': 'AES256' } };
};

/** `bucket/key` or `/bucket/key`, percent-encoded. */
function copySource(header: string): { bucket: string; key: string } {
  const [path, query] = header.split('?', 2) as [string, string?];
  if (query !== undefined && query !== 'versionId=null') throw notImplemented('a copy of a version');
  const match = /^\/?([^/]+)\/(.+)$/s.exec(path);
  try {
    if (match !== null) return { bucket: match[1]!, key: decodeURIComponent(match[2]!) };
  } catch {
    // said below
  }
  throw new AwsError(
    'InvalidArgument',
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
  );
}

function directive(headers: Record<string, string>, name: string): 'COPY' | 'REPLACE' {
  const value = headers[name] ?? 'COPY';
  if (value === 'COPY' || value === 'REPLACE') return value;
  throw new AwsError('InvalidArgument', `Unknown ${name}: ${value}`);
}

function copied({ request, bucket }: S3Call, source: StoredObject, ontoItself: boolean): StoredObject {
  const { headers } = request;
  if (source.size > maxCopy) {
    throw new AwsError(
      'InvalidRequest',
      'The specified copy source is larger than the maximum allowable size',
    );
  }
  const described = describedObject(headers, bucket);
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
  return {
    ...source,
    headers: about.headers,
    metadata: about.metadata,
    tags,
    checksums,
    etag: `"${source.md5}"`,
  };
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
