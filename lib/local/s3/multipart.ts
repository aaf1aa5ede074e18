import { createHash, randomBytes } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import { transaction } from '../open-database.ts';
import { checksumAlgorithm } from './checksums.ts';
import { describedObject } from './object-headers.ts';
import { demandChecksum } from './object-lock.ts';
import { authorizePut } from './put-object.ts';
import { receiveBody } from './request-body.ts';
import type { Operation, S3Call, Store } from './store.ts';
import type { Upload } from './upload-index.ts';
import { xmlResponse } from './xml.ts';

export const createMultipartUpload: Operation = (store, call) => {
  const { request, bucket, key } = call;
  const { headers, caller } = request;
  authorizePut(store, { caller, bucket, key, headers });
  const name = headers['x-amz-checksum-algorithm'];
  const algorithm = name === undefined ? undefined : checksumAlgorithm(name);
  const upload: Upload = {
    ...describedObject(headers, bucket, store.cloud.clock.now()),
    id: randomBytes(48).toString('base64url'),
    bucket: bucket.name,
    key,
    started: store.cloud.clock.now(),
    algorithm,
    type: algorithm && checksumType(headers['x-amz-checksum-type'], algorithm),
  };
  store.uploads.create(upload);
  const answer = xmlResponse('InitiateMultipartUploadResult', {
    Bucket: bucket.name,
    Key: key,
    UploadId: upload.id,
  });
  return { ...answer, headers: { ...answer.headers, ...uploadHeaders(upload) } };
};

function checksumType(stated: string | undefined, algorithm: string): 'COMPOSITE' | 'FULL_OBJECT' {
  const type = stated ?? (algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (type !== 'COMPOSITE' && type !== 'FULL_OBJECT') {
    throw new AwsError('InvalidRequest', `Value for x-amz-checksum-type header is invalid: ${type}`);
  }
  const possible = type === 'FULL_OBJECT' ? algorithm.startsWith('crc') : algorithm !== 'crc64nvme';
  if (possible) return type;
  throw new AwsError(
    'InvalidRequest',
    `The ${type} checksum type cannot be used with the ${algorithm} checksum.`,
  );
}

function uploadHeaders(upload: Upload): Record<string, string> {
  return {
    'x-amz-server-side-encryption': 'AES256',
    ...(upload.algorithm && { 'x-amz-checksum-algorithm': upload.algorithm.toUpperCase() }),
    ...(upload.type && { 'x-amz-checksum-type': upload.type }),
  };
}

/** The upload a request names, or NoSuchUpload (404). */
export function namedUpload(store: Store, { request, bucket, key }: S3Call): Upload {
  const upload = store.uploads.get(request.query.get('uploadId') ?? '');
  if (upload !== undefined && upload.bucket === bucket.name && upload.key === key) return upload;
  const message = 'The specified upload does not exist. It may have been aborted or completed.';
  throw new AwsError('NoSuchUpload', message, { status: 404 });
}

export const uploadPart: Operation = async (store, call) => {
  const { request, bucket, key } = call;
  store.authorize(request.caller, 'PutObject', bucket, key);
  const number = Number(request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new AwsError('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
  }
  const { algorithm, lock } = namedUpload(store, call);
  demandChecksum(request.headers, bucket, lock, 'Put Part');
  const received = await receiveBody(store.blobs, request);
  const { blob, size, md5 } = received;
  const checksum = algorithm === undefined ? undefined : received.checksums.get(algorithm);
  try {
    transaction(store.index.database, () => {
      if (algorithm !== undefined && checksum === undefined) {
        throw new AwsError(
          'InvalidRequest',
          `Checksum Type mismatch occurred, expected checksum Type: ${algorithm}`,
        );
      }
      const upload = namedUpload(store, call);
      const modified = store.cloud.clock.now();
      const before = store.uploads.putPart(upload.id, { number, blob, size, md5, checksum, modified });
      if (before !== undefined) store.index.discard(before);
    });
  } catch (error) {
    store.blobs.discard(blob);
    throw error;
  }
  store.blobs.keep(blob);
  store.sweep();
  const headers = { etag: `"${md5}"`, 'x-amz-server-side-encryption': 'AES256' };
  return {
    status: 200,
    headers: { ...headers, ...(checksum && { [`x-amz-checksum-${algorithm}`]: checksum }) },
  };
};

export const abortMultipartUpload: Operation = (store, call) => {
  store.authorize(call.request.caller, 'AbortMultipartUpload', call.bucket, call.key);
  removeUpload(store, namedUpload(store, call).id);
  return { status: 204 };
};

/** Forgets an upload and its parts. */
export function removeUpload(store: Store, id: string): void {
  transaction(store.index.database, () => {
    for (const blob of store.uploads.remove(id)) store.index.discard(blob);
  });
  store.sweep();
}

export const listParts: Operation = (store, call) => {
  store.authorize(call.request.caller, 'ListMultipartUploadParts', call.bucket, call.key);
  const upload = namedUpload(store, call);
  const { query } = call.request;
  const marker = Number(query.get('part-number-marker') ?? 0);
  const limit = Math.min(1000, Number(query.get('max-parts') ?? 1000));
  if (!(marker >= 0) || !(limit >= 0)) throw new AwsError('InvalidArgument', 'Not a number of parts');
  const rest = store.uploads.parts(upload.id).filter((part) => part.number > marker);
  const page = rest.slice(0, limit);
  return xmlResponse('ListPartsResult', {
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.id,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.number ?? marker,
    MaxParts: limit,
    IsTruncated: rest.length > page.length,
    StorageClass: 'STANDARD',
    Part: page.map((part) => ({
      PartNumber: part.number,
      LastModified: new Date(part.modified).toISOString(),
      ETag: `"${part.md5}"`,
      Size: part.size,
      ...(part.checksum && { [`Checksum${upload.algorithm!.toUpperCase()}`]: part.checksum }),
    })),
  });
};

/** The ETag of an object in parts: the MD5 of their MD5s, and their number. */
export function partsEtag(md5s: string[]): string {
  const hash = createHash('md5');
  for (const md5 of md5s) hash.update(Buffer.from(md5, 'hex'));
  return `"${hash.digest('hex')}-${md5s.length}"`;
}
