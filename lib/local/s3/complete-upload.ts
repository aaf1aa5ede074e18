import { AwsError } from '../aws-error.ts';
import { transaction } from '../open-database.ts';
import type { Received } from './blobs.ts';
import { runningChecksum } from './checksums.ts';
import { checksumMembers } from './copy-object.ts';
import { namedUpload, partsEtag } from './multipart.ts';
import type { StoredObject } from './object-index.ts';
import { versionHeader, writeCondition } from './put-object.ts';
import { smallBody } from './small-body.ts';
import type { Operation, S3Call, Store } from './store.ts';
import type { Part, Upload } from './upload-index.ts';
import { elements, readXml, text, xmlResponse } from './xml.ts';

/** 5 MiB: every part but the last has at least that. */
const minPart = 5 * 1024 ** 2;

/** Joins the parts into one run of bytes, then makes it the object and ends the upload in one commit. */
export const completeMultipartUpload: Operation = async (store, call) => {
  const { request, bucket, key } = call;
  store.authorize(request.caller, 'PutObject', bucket, key);
  const upload = namedUpload(store, call);
  const parts = await chosenParts(store, call, upload);
  const algorithms = upload.algorithm && upload.type === 'FULL_OBJECT' ? [upload.algorithm] : [];
  const received = await store.blobs.receive(joined(store, parts), algorithms);
  const object = joinedObject(store, upload, parts, received);
  let version: string | undefined;
  try {
    version = transaction(store.index.database, () => {
      verifyFullChecksum(request.headers, upload, object);
      writeCondition(request.headers, store.current(bucket, key));
      // Someone may have aborted or completed it while the parts were being joined.
      namedUpload(store, call);
      for (const blob of store.uploads.remove(upload.id)) store.index.discard(blob);
      return store.put(bucket, key, object);
    });
  } catch (error) {
    store.blobs.discard(received.blob);
    throw error;
  }
  store.blobs.keep(received.blob);
  store.sweep();
  const answer = xmlResponse('CompleteMultipartUploadResult', {
    Location: `https://${bucket.name}.s3.${store.cloud.region}.amazonaws.com/${encodeURIComponent(key)}`,
    Bucket: bucket.name,
    Key: key,
    ETag: object.etag,
    ...checksumMembers(object.checksums),
  });
  return { ...answer, headers: { ...answer.headers, ...versionHeader(version) } };
};

async function chosenParts(store: Store, { request }: S3Call, upload: Upload): Promise<Part[]> {
  const document = readXml(await smallBody(store, request), 'CompleteMultipartUpload');
  const stored = new Map(store.uploads.parts(upload.id).map((part) => [part.number, part]));
  const chosen = elements(document, 'Part').map((element) => {
    const part = stored.get(Number(text(element, 'PartNumber')));
    const etag = text(element, 'ETag')?.replaceAll('"', '');
    const checksum = upload.algorithm && text(element, `Checksum${upload.algorithm.toUpperCase()}`);
    if (upload.type === 'COMPOSITE' && checksum === undefined) throw lacksChecksum(upload, element);
    if (part !== undefined && part.md5 === etag && (checksum === undefined || checksum === part.checksum))
      return part;
    const message = 'One or more of the specified parts could not be found or its entity tag did not match.';
    throw new AwsError('InvalidPart', message);
  });
  if (chosen.length === 0) throw new AwsError('MalformedXML', 'The document names no part.');
  if (chosen.some((part, index) => index > 0 && part.number <= chosen[index - 1]!.number)) {
    throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order.');
  }
  if (chosen.slice(0, -1).some((part) => part.size < minPart)) {
    throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
  }
  return chosen;
}

/** S3 makes the checksum of such an object from those of its parts, and wants to hear them from the caller. */
const lacksChecksum = ({ algorithm }: Upload, element: Parameters<typeof text>[0]) =>
  new AwsError(
    'InvalidRequest',
    `The upload was created using a ${algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${text(element, 'PartNumber')} in the request.`,
  );

async function* joined(store: Store, parts: Part[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    const bytes = store.blobs.read(part.blob, 0, part.size - 1);
    if (Buffer.isBuffer(bytes)) yield bytes;
    else yield* bytes as AsyncIterable<Buffer>;
  }
}

function joinedObject(store: Store, upload: Upload, parts: Part[], received: Received): StoredObject {
  const { headers, metadata, tags, lock } = upload;
  const { blob, size, md5 } = received;
  const etag = partsEtag(parts.map((part) => part.md5));
  const checksums = joinedChecksums(upload, parts, received);
  const about = { headers, metadata, tags, ...(lock && { lock }) };
  return { ...about, blob, size, md5, etag, modified: store.cloud.clock.now(), checksums };
}

function joinedChecksums(
  { algorithm, type }: Upload,
  parts: Part[],
  received: Received,
): Record<string, string> {
  if (algorithm === undefined || type === undefined) return {};
  if (type === 'FULL_OBJECT') return { [algorithm]: received.checksums.get(algorithm)!, type };
  const running = runningChecksum(algorithm);
  for (const part of parts) running.update(Buffer.from(part.checksum ?? '', 'base64'));
  return { [algorithm]: `${running.digest()}-${parts.length}`, type };
}

function verifyFullChecksum(headers: Record<string, string>, upload: Upload, object: StoredObject): void {
  const stated = upload.algorithm && headers[`x-amz-checksum-${upload.algorithm}`];
  if (stated === undefined || upload.type !== 'FULL_OBJECT' || stated === object.checksums[upload.algorithm!])
    return;
  throw new AwsError('BadDigest', 'The checksum of the object did not match the calculated checksum.');
}
