import { createHash } from 'node:crypto';
import { Readable, Transform } from 'node:stream';
import { AwsError } from '../aws-error.ts';

const MB = 1024 * 1024;
/** MB of a request body that a service other than S3 takes: DynamoDB's batch write has 16 MB, a mail for SES 40. */
const largest = { ses: 42, other: 17 };

/** A body and the hash its signature covers. */
export interface Payload {
  body: Readable;
  hash: string;
}

/** Reads a body whole. Throws AwsError RequestEntityTooLarge (413). */
export async function bufferedPayload(source: Readable, service: string): Promise<Payload> {
  const limit = service === 'ses' ? largest.ses : largest.other;
  const chunks: Buffer[] = [];
  let size = 0;
  // Kept open when it is refused, so that its sender can be answered.
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit * MB) {
      throw new AwsError('RequestEntityTooLarge', `the body is larger than ${limit} MB`, { status: 413 });
    }
    chunks.push(chunk);
  }
  const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  return {
    body: Readable.from(whole.length > 0 ? [whole] : []),
    hash: createHash('sha256').update(whole).digest('hex'),
  };
}

/**
 * S3's body, streamed. A declared hash is checked at its end: the stream then fails with AwsError
 * XAmzContentSHA256Mismatch. Throws AwsError for framings whose chunks are signed one by one.
 */
export function s3Payload(source: Readable, declared: string | undefined, presigned: boolean): Payload {
  if (declared === undefined && !presigned) {
    throw new AwsError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  if (
    declared === undefined ||
    declared === 'UNSIGNED-PAYLOAD' ||
    declared === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
  ) {
    return { body: source, hash: declared ?? 'UNSIGNED-PAYLOAD' };
  }
  if (!/^[0-9a-f]{64}$/.test(declared)) {
    throw new AwsError('NotImplemented', `x-amz-content-sha256 ${declared} is not known here`, {
      status: 501,
    });
  }
  return { body: checked(source, declared), hash: declared };
}

function checked(source: Readable, declared: string): Readable {
  const hash = createHash('sha256');
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
      done(hash.digest('hex') === declared ? null : new AwsError('XAmzContentSHA256Mismatch', message));
    },
  });
  source.once('error', (error) => check.destroy(error));
  // Whoever reads it hears of the error; when the call is refused unread, nobody does, and it must not end the process.
  check.on('error', () => undefined);
  return source.pipe(check);
}
