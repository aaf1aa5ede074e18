import { AwsError } from '../aws-error.ts';
import { checkedTags } from './object-headers.ts';
import { versionHeader } from './put-object.ts';
import { requestedVersion } from './requested-version.ts';
import { smallBody } from './small-body.ts';
import type { Operation } from './store.ts';
import { elements, readXml, text, xmlDocument, xmlResponse } from './xml.ts';

export const headBucket: Operation = (store, { request, bucket }) => {
  store.authorize(request.caller, 'ListBucket', bucket, '');
  return { status: 200, headers: { 'x-amz-bucket-region': store.cloud.region } };
};

export const getBucketLocation: Operation = (store, { request, bucket }) => {
  store.authorize(request.caller, 'GetBucketLocation', bucket, '');
  // us-east-1 has no location constraint: the element is empty.
  const region = store.cloud.region === 'us-east-1' ? '' : store.cloud.region;
  const headers = { 'content-type': 'application/xml' };
  return { status: 200, headers, body: xmlDocument('LocationConstraint', region) };
};

export const getBucketVersioning: Operation = (store, { request, bucket }) => {
  store.authorize(request.caller, 'GetBucketVersioning', bucket, '');
  return xmlResponse('VersioningConfiguration', { Status: bucket.versioning });
};

export const getObjectLockConfiguration: Operation = (store, { request, bucket }) => {
  store.authorize(request.caller, 'GetBucketObjectLockConfiguration', bucket, '');
  if (bucket.objectLock === undefined) {
    const message = 'Object Lock configuration does not exist for this bucket';
    throw new AwsError('ObjectLockConfigurationNotFoundError', message, { status: 404 });
  }
  const rule = bucket.objectLock.defaultRetention;
  const Rule = rule && { DefaultRetention: { Mode: rule.mode, Days: rule.days } };
  return xmlResponse('ObjectLockConfiguration', { ObjectLockEnabled: 'Enabled', Rule });
};

export const getObjectTagging: Operation = (store, { request, bucket, key }) => {
  const asked = requestedVersion(request.query);
  store.authorizeVersion(request.caller, 'GetObjectTagging', bucket, key, asked);
  const { tags, version } = store.object(request.caller, bucket, key, asked);
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const answer = xmlResponse('Tagging', { TagSet: { Tag: list } });
  return { ...answer, headers: { ...answer.headers, ...versionHeader(version) } };
};

export const putObjectTagging: Operation = async (store, { request, bucket, key }) => {
  const asked = requestedVersion(request.query);
  store.authorizeVersion(request.caller, 'PutObjectTagging', bucket, key, asked);
  const [set] = elements(readXml(await smallBody(store, request), 'Tagging'), 'TagSet');
  const pairs = elements(set ?? {}, 'Tag').map((tag) => [text(tag, 'Key') ?? '', text(tag, 'Value') ?? '']);
  if (set === undefined) throw new AwsError('MalformedXML', 'A Tagging document has a TagSet.');
  const { version } = store.object(request.caller, bucket, key, asked);
  const tags = checkedTags(pairs as [string, string][]);
  if (version === undefined) store.index.tag(bucket.name, key, tags);
  else store.versions.tag(bucket.name, key, version, tags);
  return { status: 200, headers: versionHeader(version) };
};
