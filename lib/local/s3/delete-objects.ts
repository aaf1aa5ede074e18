import { AwsError } from '../aws-error.ts';
import type { XmlContent } from '../xml-element.ts';
import { statesChecksum } from './checksums.ts';
import { notImplemented } from './object-headers.ts';
import { wantsBypass } from './object-lock.ts';
import { versionHeader } from './put-object.ts';
import { checkedVersion, requestedVersion } from './requested-version.ts';
import { checkDeletable } from './retention.ts';
import type { Deletion, Operation, S3Call, Store } from './store.ts';
import { smallBody } from './small-body.ts';
import { elements, readXml, text, xmlResponse } from './xml.ts';

export const deleteObject: Operation = (store, call) => {
  const { request, key } = call;
  const asked = requestedVersion(request.query);
  if (request.headers['if-match'] !== undefined) throw notImplemented('a conditional delete');
  const { version, marker } = deleted(store, call, key, asked);
  const headers = { ...versionHeader(version), ...(marker === true && { 'x-amz-delete-marker': 'true' }) };
  return { status: 204, headers };
};

/** Deletes a key, or one version of it for good: two rights. */
function deleted(store: Store, call: S3Call, key: string, version: string | undefined): Deletion {
  const { request, bucket } = call;
  store.authorizeVersion(request.caller, 'DeleteObject', bucket, key, version);
  // Refused where nothing is ever locked, also when it would not matter.
  wantsBypass(request.headers, bucket);
  if (version === undefined) return store.remove(bucket, key);
  return store.removeVersion(bucket, key, version, (object) => checkDeletable(store, call, key, object));
}

/** Up to 1,000 keys, each with its own outcome. */
export const deleteObjects: Operation = async (store, call) => {
  const { request } = call;
  if (!statesChecksum(request.headers)) {
    throw new AwsError(
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
  const members = readXml(await smallBody(store, request), 'Delete');
  const objects = elements(members, 'Object').map((object) => ({
    key: text(object, 'Key'),
    version: text(object, 'VersionId'),
  }));
  if (objects.length < 1 || objects.length > 1000 || objects.some(({ key }) => key === undefined)) {
    throw new AwsError('MalformedXML', 'A Delete document names between 1 and 1000 objects by their Key.');
  }
  const outcomes = objects.map(({ key, version }) => deleteOne(store, call, key!, version));
  const quiet = text(members, 'Quiet') === 'true';
  return xmlResponse('DeleteResult', {
    Deleted: quiet ? [] : outcomes.filter((outcome) => !('Code' in outcome)),
    Error: outcomes.filter((outcome) => 'Code' in outcome),
  });
};

function deleteOne(
  store: Store,
  call: S3Call,
  Key: string,
  VersionId: string | undefined,
): { [name: string]: XmlContent } {
  try {
    const asked = VersionId === undefined ? undefined : checkedVersion(VersionId);
    const { version, marker } = deleted(store, call, Key, asked);
    const ofMarker = marker === true && { DeleteMarker: true, DeleteMarkerVersionId: version };
    return { Key, VersionId, ...ofMarker };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { Key, VersionId, Code: error.code, Message: error.message };
  }
}
