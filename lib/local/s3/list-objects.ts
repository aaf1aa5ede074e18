import { AwsError } from '../aws-error.ts';
import type { StoredObject } from './object-index.ts';
import { behind, listKeys } from './list-keys.ts';
import type { Position } from './list-keys.ts';
import { listRequest } from './list-request.ts';
import type { Operation } from './store.ts';
import { xmlResponse } from './xml.ts';

/** ListObjectsV2. */
export const listObjects: Operation = (store, { request, bucket }) => {
  const { query, caller } = request;
  const { prefix, delimiter, maxKeys, encoded, context } = listRequest(query);
  store.authorize(caller, 'ListBucket', bucket, '', context);
  const index = {
    rows: ({ key }: Position, limit: number) => store.list(bucket, key, limit),
    after: ({ key }: { key: Buffer; object: StoredObject }) => behind(key),
  };
  const listing = listKeys(index, { prefix, delimiter, from: startingPoint(query), limit: maxKeys });
  const contents = listing.contents.map(({ key, object }) => ({
    Key: encoded(key),
    LastModified: new Date(object.modified).toISOString(),
    ETag: object.etag,
    ...checksumKind(object),
    Size: object.size,
    StorageClass: 'STANDARD',
  }));
  return xmlResponse('ListBucketResult', {
    Name: bucket.name,
    Prefix: encoded(prefix),
    Delimiter: query.has('delimiter') ? encoded(delimiter) : undefined,
    MaxKeys: maxKeys,
    EncodingType: query.get('encoding-type') ?? undefined,
    KeyCount: contents.length + listing.prefixes.length,
    IsTruncated: listing.next !== undefined,
    ContinuationToken: query.get('continuation-token') ?? undefined,
    NextContinuationToken: listing.next?.key.toString('base64url'),
    StartAfter: query.has('start-after') ? encoded(query.get('start-after')!) : undefined,
    Contents: contents,
    CommonPrefixes: listing.prefixes.map((each) => ({ Prefix: encoded(each) })),
  });
};

function startingPoint(query: URLSearchParams): Position {
  const token = query.get('continuation-token');
  if (token !== null) {
    if (!/^[\w-]+$/.test(token))
      throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect');
    return { key: Buffer.from(token, 'base64url') };
  }
  const after = query.get('start-after');
  return after === null ? { key: Buffer.alloc(0) } : behind(Buffer.from(after));
}

/** What a listing says of an object's checksum. */
export function checksumKind({ checksums }: StoredObject): Record<string, string> {
  const algorithm = Object.keys(checksums).find((name) => name !== 'type');
  if (algorithm === undefined) return {};
  return { ChecksumAlgorithm: algorithm.toUpperCase(), ChecksumType: checksums['type'] ?? 'FULL_OBJECT' };
}
