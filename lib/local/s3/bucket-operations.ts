import { AwsError } from '../aws-error.ts';
import { checkedTags } from './object-headers.ts';
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

export const getObjectTagging: Operation = (store, { request, bucket, key }) => {
  store.authorize(request.caller, 'GetObjectTagging', bucket, key);
  const { tags } = store.object(request.caller, bucket, key);
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return xmlResponse('Tagging', { TagSet: { Tag: list } });
};

export const putObjectTagging: Operation = async (store, { request, bucket, key }) => {
  store.authorize(request.caller, 'PutObjectTagging', bucket, key);
  const [set] = elements(readXml(await smallBody(store, request), 'Tagging'), 'TagSet');
  const pairs = elements(set ?? {}, 'Tag').map((tag) => [text(tag, 'Key') ?? '', text(tag, 'Value') ?? '']);
  if (set === undefined) throw new AwsError('MalformedXML', 'A Tagging document has a TagSet.');
  store.object(request.caller, bucket, key);
  store.index.tag(bucket.name, key, checkedTags(pairs as [string, string][]));
  return { status: 200 };
};
