import { AwsError } from '../aws-error.ts';
import type { Cloud } from '../cloud.ts';
import type { Bucket } from './bucket.ts';
import type { StoredObject } from './object-index.ts';
import { requestedLock } from './object-lock.ts';

const kept = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];
/** Headers that ask for what this S3 does not do; silence would be a lie. */
const unplayed = [
  'x-amz-website-redirect-location',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-write-offset-bytes',
  'x-amz-grant-read',
  'x-amz-grant-write',
  'x-amz-grant-full-control',
];

/** What a PutObject, CopyObject or CreateMultipartUpload says about the object beside its bytes. */
export function describedObject(headers: Record<string, string>, bucket: Bucket, now: number) {
  for (const name of unplayed) {
    if (headers[name] !== undefined) throw notImplemented(`the header ${name}`);
  }
  refuseUnplayedValues(headers, bucket);
  const lock = requestedLock(headers, bucket, now);
  const [metadata, tags] = [userMetadata(headers), taggingHeader(headers)];
  return { headers: keptHeaders(headers), metadata, tags, ...(lock && { lock }) };
}

function refuseUnplayedValues(headers: Record<string, string>, bucket: Bucket): void {
  const encryption = headers['x-amz-server-side-encryption'];
  if (encryption !== undefined && encryption !== 'AES256')
    throw notImplemented(`encryption with ${encryption}`);
  const storageClass = headers['x-amz-storage-class'];
  if (storageClass !== undefined && storageClass !== 'STANDARD')
    throw notImplemented(`the class ${storageClass}`);
  const acl = headers['x-amz-acl'];
  if (acl === undefined || acl === 'bucket-owner-full-control') return;
  if (bucket.withoutAcls)
    throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs');
  if (acl !== 'private') throw notImplemented(`the ACL ${acl}`);
}

export const notImplemented = (what: string) =>
  new AwsError('NotImplemented', `The local S3 does not play ${what}.`, { status: 501 });

function keptHeaders(headers: Record<string, string>): Record<string, string> {
  const described: Record<string, string> = {};
  for (const name of kept) if (headers[name] !== undefined) described[name] = headers[name];
  // aws-chunked was the encoding of the transfer, not of the object.
  const codings = (described['content-encoding'] ?? '').split(',').map((coding) => coding.trim());
  const encoding = codings.filter((coding) => coding !== '' && coding !== 'aws-chunked').join(',');
  if (encoding === '') delete described['content-encoding'];
  else described['content-encoding'] = encoding;
  return { ...described, 'content-type': described['content-type'] ?? 'binary/octet-stream' };
}

function userMetadata(headers: Record<string, string>): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  const metadata = Object.fromEntries(
    entries.map(([name, value]) => [name.slice('x-amz-meta-'.length), value]),
  );
  const size = Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size <= 2048) return metadata;
  throw new AwsError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
}

function taggingHeader(headers: Record<string, string>): Record<string, string> {
  const pairs = [...new URLSearchParams(headers['x-amz-tagging'] ?? '')];
  return checkedTags(pairs);
}

/** Tags as S3 allows them: 10 of them, keys once and up to 128 characters, values up to 256. */
export function checkedTags(pairs: [string, string][]): Record<string, string> {
  const tags = Object.fromEntries(pairs);
  if (pairs.length > 10) throw new AwsError('BadRequest', 'Object tags cannot be greater than 10');
  if (Object.keys(tags).length !== pairs.length) {
    throw new AwsError('InvalidTag', 'Cannot provide multiple Tags with the same key');
  }
  for (const [key, value] of pairs) {
    if (key.length < 1 || key.length > 128)
      throw new AwsError('InvalidTag', 'The TagKey you have provided is invalid');
    if (value.length > 256) throw new AwsError('InvalidTag', 'The TagValue you have provided is invalid');
  }
  return tags;
}

/** Condition keys that a put of this kind sets. */
export function putContext(headers: Record<string, string>): Record<string, string> {
  const context: Record<string, string> = {};
  for (const name of [
    'x-amz-acl',
    'x-amz-server-side-encryption',
    'x-amz-copy-source',
    'x-amz-storage-class',
  ]) {
    if (headers[name] !== undefined) context[`s3:${name}`] = headers[name];
  }
  return context;
}

/** Headers of an answer about an object; checksums only where the whole object was asked for with them. */
export function objectHeaders(object: StoredObject, withChecksums: boolean): Record<string, string> {
  const headers: Record<string, string> = {
    ...object.headers,
    etag: object.etag,
    'last-modified': new Date(object.modified).toUTCString(),
    'accept-ranges': 'bytes',
    'x-amz-server-side-encryption': 'AES256',
  };
  if (object.version !== undefined) headers['x-amz-version-id'] = object.version;
  for (const [name, value] of Object.entries(object.metadata)) headers[`x-amz-meta-${name}`] = value;
  const tags = Object.keys(object.tags).length;
  if (tags > 0) headers['x-amz-tagging-count'] = String(tags);
  return withChecksums ? { ...headers, ...checksumHeaders(object) } : headers;
}

export function checksumHeaders(object: StoredObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object.checksums).map(([name, value]) => [`x-amz-checksum-${name}`, value]),
  );
}

/** Throws AccessDenied when the request expects the bucket to be another account's. */
export function checkExpectedOwner(headers: Record<string, string>, cloud: Cloud): void {
  const expected = headers['x-amz-expected-bucket-owner'];
  if (expected === undefined || expected === cloud.account) return;
  throw new AwsError('AccessDenied', `The bucket is not of account ${expected}`, { status: 403 });
}
