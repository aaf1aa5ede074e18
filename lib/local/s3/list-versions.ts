import { AwsError } from '../aws-error.ts';
import type { Bucket } from './bucket.ts';
import { behind, listKeys } from './list-keys.ts';
import type { Page, Position } from './list-keys.ts';
import { checksumKind } from './list-objects.ts';
import { listRequest } from './list-request.ts';
import { checkedVersion } from './requested-version.ts';
import type { Operation, Store } from './store.ts';
import { placeOf } from './version-index.ts';
import type { Version } from './version-index.ts';
import { xmlResponse } from './xml.ts';

/** ListObjectVersions: every version and delete marker, the newest of a key first. */
export const listObjectVersions: Operation = (store, { request, bucket }) => {
  const { query, caller } = request;
  const { prefix, delimiter, maxKeys, encoded, context } = listRequest(query);
  store.authorize(caller, 'ListBucketVersions', bucket, '', context);
  const index = {
    rows: (from: Position, limit: number) => versionsFrom(store, bucket, from, limit),
    after: ({ key, seq }: Version) => ({ key, below: seq }),
  };
  const from = startingPoint(store, bucket, query);
  const page = listKeys(index, { prefix, delimiter, from, limit: maxKeys });
  const described = (version: Version) => ({
    Key: encoded(version.key),
    VersionId: version.version,
    IsLatest: version.latest,
    LastModified: new Date(version.modified).toISOString(),
    ...ofObject(version),
  });
  const keyMarker = query.get('key-marker');
  const last = page.next && lastOf(page);
  return xmlResponse('ListVersionsResult', {
    Name: bucket.name,
    Prefix: encoded(prefix),
    KeyMarker: encoded(keyMarker ?? ''),
    VersionIdMarker: query.get('version-id-marker') ?? '',
    NextKeyMarker: last && encoded(last.key),
    NextVersionIdMarker: last?.version,
    Delimiter: query.has('delimiter') ? encoded(delimiter) : undefined,
    MaxKeys: maxKeys,
    EncodingType: query.get('encoding-type') ?? undefined,
    IsTruncated: page.next !== undefined,
    Version: page.contents.filter(({ object }) => object !== undefined).map(described),
    DeleteMarker: page.contents.filter(({ object }) => object === undefined).map(described),
    CommonPrefixes: page.prefixes.map((each) => ({ Prefix: encoded(each) })),
  });
};

function ofObject({ object }: Version) {
  if (object === undefined) return {};
  return { ETag: object.etag, ...checksumKind(object), Size: object.size, StorageClass: 'STANDARD' };
}

/** A bucket without versions has its objects listed as `null` versions. */
function versionsFrom(store: Store, bucket: Bucket, from: Position, limit: number): Version[] {
  if (bucket.versioning !== undefined) return store.versions.list(bucket.name, from, limit);
  const { key } = from.below === undefined ? from : behind(from.key);
  const about = { seq: 0, version: 'null', latest: true };
  return store.list(bucket, key, limit).map((row) => ({ ...row, ...about, modified: row.object.modified }));
}

function startingPoint(store: Store, bucket: Bucket, query: URLSearchParams): Position {
  const [keyMarker, versionMarker] = [query.get('key-marker') ?? '', query.get('version-id-marker') ?? ''];
  const key = Buffer.from(keyMarker);
  if (versionMarker === '') return keyMarker === '' ? { key } : behind(key);
  if (keyMarker === '') {
    throw new AwsError('InvalidArgument', 'A version-id marker cannot be specified without a key marker.');
  }
  if (checkedVersion(versionMarker) !== 'null') return { key, below: placeOf(versionMarker) };
  const below = store.versions.get(bucket.name, keyMarker, 'null')?.seq;
  // Its place is lost once a `null` version is gone: the key is told again rather than not.
  return bucket.versioning === undefined ? behind(key) : { key, ...(below !== undefined && { below }) };
}

function lastOf({ contents, prefixes }: Page<Version>): { key: Buffer; version?: string } {
  const [version, prefix] = [contents.at(-1), prefixes.at(-1)];
  if (prefix === undefined || (version !== undefined && Buffer.compare(version.key, prefix) > 0))
    return version!;
  return { key: prefix };
}
