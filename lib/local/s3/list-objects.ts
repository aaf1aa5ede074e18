import { AwsError } from '../aws-error.ts';
import type { StoredObject } from './object-index.ts';
import type { Operation, Store } from './store.ts';
import { xmlResponse } from './xml.ts';

interface Listing {
  contents: { key: Buffer; object: StoredObject }[];
  prefixes: Buffer[];
  /** Where the next page begins, inclusive; `undefined` when this one is the last. */
  next: Buffer | undefined;
}

/** ListObjectsV2. */
export const listObjects: Operation = (store, { request, bucket }) => {
  const { query, caller } = request;
  const prefix = query.get('prefix');
  const delimiter = query.get('delimiter');
  const maxKeys = pageSize(query.get('max-keys'));
  store.authorize(caller, 'ListBucket', bucket, '', {
    ...(prefix !== null && { 's3:prefix': prefix }),
    ...(delimiter !== null && { 's3:delimiter': delimiter }),
    ...(query.has('max-keys') && { 's3:max-keys': String(maxKeys) }),
  });
  const from = startingPoint(query);
  const listing = list(
    store,
    bucket.name,
    Buffer.from(prefix ?? ''),
    Buffer.from(delimiter ?? ''),
    from,
    maxKeys,
  );
  const encoded = encoder(query.get('encoding-type'));
  const contents = listing.contents.map(({ key, object }) => ({
    Key: encoded(key.toString()),
    LastModified: new Date(object.modified).toISOString(),
    ETag: object.etag,
    ...algorithms(object),
    Size: object.size,
    StorageClass: 'STANDARD',
  }));
  return xmlResponse('ListBucketResult', {
    Name: bucket.name,
    Prefix: encoded(prefix ?? ''),
    Delimiter: delimiter === null ? undefined : encoded(delimiter),
    MaxKeys: maxKeys,
    EncodingType: query.get('encoding-type') ?? undefined,
    KeyCount: contents.length + listing.prefixes.length,
    IsTruncated: listing.next !== undefined,
    ContinuationToken: query.get('continuation-token') ?? undefined,
    NextContinuationToken: listing.next?.toString('base64url'),
    StartAfter: query.has('start-after') ? encoded(query.get('start-after')!) : undefined,
    Contents: contents,
    CommonPrefixes: listing.prefixes.map((each) => ({ Prefix: encoded(each.toString()) })),
  });
};

function pageSize(stated: string | null): number {
  if (stated === null) return 1000;
  if (!/^\d{1,10}$/.test(stated))
    throw new AwsError('InvalidArgument', `max-keys is not a number: ${stated}`);
  return Math.min(1000, Number(stated));
}

function startingPoint(query: URLSearchParams): Buffer {
  const token = query.get('continuation-token');
  if (token !== null) {
    if (!/^[\w-]+$/.test(token))
      throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect');
    return Buffer.from(token, 'base64url');
  }
  const after = query.get('start-after');
  // The next possible key in the order of bytes: the same with a zero byte behind it.
  return after === null ? Buffer.alloc(0) : Buffer.concat([Buffer.from(after), Buffer.of(0)]);
}

function encoder(type: string | null): (text: string) => string {
  if (type === null) return (text) => text;
  if (type !== 'url') throw new AwsError('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return (text) => encodeURIComponent(text).replaceAll('%2F', '/');
}

function algorithms({ checksums }: StoredObject): Record<string, string> {
  const algorithm = Object.keys(checksums).find((name) => name !== 'type');
  if (algorithm === undefined) return {};
  return { ChecksumAlgorithm: algorithm.toUpperCase(), ChecksumType: checksums['type'] ?? 'FULL_OBJECT' };
}

/** Walks the index in order; a common prefix is counted once and everything under it is skipped by one seek. */
function list(
  store: Store,
  bucket: string,
  prefix: Buffer,
  delimiter: Buffer,
  from: Buffer,
  limit: number,
): Listing {
  const listing: Listing = { contents: [], prefixes: [], next: undefined };
  let position = Buffer.compare(from, prefix) > 0 ? from : prefix;
  while (limit > 0) {
    const rows = store.index.list(bucket, position, delimiter.length > 0 ? 100 : limit + 1);
    for (const { key, object } of rows) {
      if (!key.subarray(0, prefix.length).equals(prefix)) return listing;
      if (Buffer.compare(key, position) < 0) continue;
      if (listing.contents.length + listing.prefixes.length === limit) {
        listing.next = position;
        return listing;
      }
      const end = delimiter.length === 0 ? -1 : key.indexOf(delimiter, prefix.length);
      if (end < 0) {
        listing.contents.push({ key, object });
        position = Buffer.concat([key, Buffer.of(0)]);
        continue;
      }
      const common = key.subarray(0, end + delimiter.length);
      // A page that starts inside a common prefix has told of it already.
      if (!from.subarray(0, common.length).equals(common)) listing.prefixes.push(common);
      const after = successor(common);
      if (after === undefined) return listing;
      position = after;
    }
    if (rows.length === 0) return listing;
  }
  return listing;
}

/** The least byte string that is greater than everything beginning with `prefix`. */
export function successor(prefix: Buffer): Buffer | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  const next = Buffer.from(prefix.subarray(0, end));
  next[end - 1]! += 1;
  return next;
}
