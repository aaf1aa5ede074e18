import { AwsError } from '../aws-error.ts';
import type { XmlContent } from '../xml-element.ts';
import type { Operation, S3Call, Store } from './store.ts';
import { notImplemented } from './object-headers.ts';
import { smallBody } from './small-body.ts';
import { elements, readXml, text, xmlResponse } from './xml.ts';

export const deleteObject: Operation = (store, { request, bucket, key }) => {
  store.authorize(request.caller, 'DeleteObject', bucket, key);
  if (request.headers['if-match'] !== undefined) throw notImplemented('a conditional delete');
  store.remove(bucket, key);
  return { status: 204 };
};

/** Up to 1,000 keys, each with its own outcome. */
export const deleteObjects: Operation = async (store, call) => {
  const { request } = call;
  if (!hasChecksum(request.headers)) {
    throw new AwsError(
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
  const members = readXml(await smallBody(store, request), 'Delete');
  const keys = elements(members, 'Object').map((object) => text(object, 'Key'));
  if (keys.length < 1 || keys.length > 1000 || keys.includes(undefined)) {
    throw new AwsError('MalformedXML', 'A Delete document names between 1 and 1000 objects by their Key.');
  }
  const outcomes = (keys as string[]).map((key) => deleteOne(store, call, key));
  const quiet = text(members, 'Quiet') === 'true';
  const deleted = quiet ? [] : outcomes.filter((outcome) => !('Code' in outcome));
  return xmlResponse('DeleteResult', {
    Deleted: deleted,
    Error: outcomes.filter((outcome) => 'Code' in outcome),
  });
};

const hasChecksum = (headers: Record<string, string>) =>
  headers['content-md5'] !== undefined ||
  Object.keys(headers).some((name) => name.startsWith('x-amz-checksum-'));

function deleteOne(store: Store, { request, bucket }: S3Call, key: string): { [name: string]: XmlContent } {
  try {
    store.authorize(request.caller, 'DeleteObject', bucket, key);
    store.remove(bucket, key);
    return { Key: key };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { Key: key, Code: error.code, Message: error.message };
  }
}
