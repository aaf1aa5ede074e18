import { readFile, rm } from 'node:fs/promises';
import { AwsError } from '../aws-error.ts';
import type { ServiceRequest } from '../cloud.ts';
import { receiveBody } from './request-body.ts';
import type { Store } from './store.ts';

/** 4 MB hold the largest document S3 takes: 1,000 keys of 1,024 bytes, or 10,000 parts. */
const maxDocument = 4 * 1024 * 1024;

/** The text of a request that carries a document, its checksums verified like an object's. */
export async function smallBody(store: Store, request: ServiceRequest): Promise<string> {
  const length = Number(request.headers['x-amz-decoded-content-length'] ?? request.headers['content-length']);
  if (length > maxDocument) throw new AwsError('MaxMessageLengthExceeded', 'Your request was too big');
  const received = await receiveBody(store.blobs, request);
  const path = store.blobs.incomingPath(received.blob);
  try {
    return await readFile(path, 'utf8');
  } finally {
    await rm(path, { force: true });
  }
}
