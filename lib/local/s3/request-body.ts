import { AwsError } from '../aws-error.ts';
import { decodeAwsChunked } from './aws-chunked.ts';
import type { Blobs, Received } from './blobs.ts';
import { checksumAlgorithm, checksumAlgorithms } from './checksums.ts';
import type { ChecksumAlgorithm } from './checksums.ts';

/** 5 GiB: the largest body of one PutObject or UploadPart. */
const maxBody = 5 * 1024 ** 3;

/** A body with what its request says about it. */
export interface RequestBody {
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
}

/**
 * Writes the body of a PutObject or UploadPart to disk and holds it against every length, hash and checksum the
 * request gave. Throws S3's own errors (400, 411), after which nothing is left on disk.
 */
export async function receiveBody(blobs: Blobs, request: RequestBody): Promise<Received> {
  const { headers } = request;
  const framed = (headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-');
  const length = expectedLength(headers, framed);
  const promised = promisedChecksums(headers);
  const trailers = new Map<string, string>();
  const bytes = framed ? decodeAwsChunked(request.body, trailers) : request.body;
  const received = await blobs.receive(limited(bytes, length), promised);
  try {
    verify(headers, trailers, received, length);
    return received;
  } catch (error) {
    blobs.discard(received.blob);
    throw error;
  }
}

function expectedLength(headers: Record<string, string>, framed: boolean): number {
  const stated = framed ? headers['x-amz-decoded-content-length'] : headers['content-length'];
  if (stated === undefined || !/^\d+$/.test(stated)) {
    const message = `You must provide the ${framed ? 'x-amz-decoded-content-length' : 'Content-Length'} HTTP header.`;
    throw new AwsError('MissingContentLength', message, { status: 411 });
  }
  if (Number(stated) > maxBody) {
    const fields = { ProposedSize: stated, MaxSizeAllowed: maxBody };
    throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', { fields });
  }
  return Number(stated);
}

/** The checksums to compute: those in headers, and the one announced as a trailer. */
function promisedChecksums(headers: Record<string, string>): Set<ChecksumAlgorithm> {
  const promised = new Set(
    checksumAlgorithms.filter((name) => headers[`x-amz-checksum-${name}`] !== undefined),
  );
  for (const name of (headers['x-amz-trailer'] ?? '').split(',')) {
    const match = /^x-amz-checksum-(.+)$/.exec(name.trim().toLowerCase());
    if (match !== null) promised.add(checksumAlgorithm(match[1]!));
  }
  const wanted = headers['x-amz-sdk-checksum-algorithm'];
  if (wanted !== undefined && promised.size > 0) promised.add(checksumAlgorithm(wanted));
  return promised;
}

async function* limited(body: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const bytes of body) {
    size += bytes.length;
    if (size > length) throw incomplete();
    yield bytes;
  }
}

const incomplete = () =>
  new AwsError(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );

function verify(
  headers: Record<string, string>,
  trailers: Map<string, string>,
  received: Received,
  length: number,
): void {
  if (received.size !== length) throw incomplete();
  const md5 = headers['content-md5'];
  if (md5 !== undefined) verifyMd5(md5, received.md5);
  const sha256 = headers['x-amz-content-sha256'];
  if (sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256) && sha256 !== received.sha256) {
    const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    throw new AwsError('XAmzContentSHA256Mismatch', message);
  }
  for (const [algorithm, computed] of received.checksums) {
    const name = `x-amz-checksum-${algorithm}`;
    const stated = headers[name] ?? trailers.get(name);
    const announced = headers['x-amz-trailer']?.toLowerCase().includes(name) === true;
    if (stated === undefined && announced) {
      throw new AwsError(
        'MalformedTrailerError',
        `The request announced the trailer ${name} and does not have it.`,
      );
    }
    if (stated !== undefined && stated !== computed) {
      const label = algorithm.toUpperCase();
      throw new AwsError('BadDigest', `The ${label} you specified did not match the calculated checksum.`);
    }
  }
}

function verifyMd5(stated: string, computed: string): void {
  const digest = Buffer.from(stated, 'base64');
  if (digest.length !== 16)
    throw new AwsError('InvalidDigest', 'The Content-MD5 you specified is not valid.');
  if (digest.toString('hex') === computed) return;
  throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
}
