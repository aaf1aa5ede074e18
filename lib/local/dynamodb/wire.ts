import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../aws-error.ts';
import type { ServiceRequest, ServiceResponse } from '../cloud.ts';
import { serialization } from './errors.ts';
import { MAX_BATCH_BYTES } from './limits.ts';

/** The protocol AWS calls JSON 1.0: one POST each, the call named in X-Amz-Target, errors by `__type`. */
const CONTENT_TYPE = 'application/x-amz-json-1.0';
const NAMESPACE: Record<string, string> = {
  ValidationException: 'com.amazon.coral.validate',
  SerializationException: 'com.amazon.coral.service',
  UnknownOperationException: 'com.amazon.coral.service',
  AccessDeniedException: 'com.amazon.coral.service',
  ThrottlingException: 'com.amazon.coral.availability',
};
const DEFAULT_NAMESPACE = 'com.amazonaws.dynamodb.v20120810';
/** These write `Message`, the others `message`. */
const CAPITAL = new Set([
  'SerializationException',
  'AccessDeniedException',
  'TransactionCanceledException',
  'IdempotentParameterMismatchException',
]);

/** Reads the request's JSON. */
export async function readBody(request: ServiceRequest): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    const buffer = Buffer.from(chunk as Buffer | string);
    bytes += buffer.length;
    if (bytes > MAX_BATCH_BYTES) {
      throw new AwsError('RequestEntityTooLarge', 'The request is larger than 16 MB', { status: 413 });
    }
    chunks.push(buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw serialization('The request is not JSON');
  }
}

export function answer(body: object): ServiceResponse {
  return respond(200, body);
}

/** An error in DynamoDB's form. A denied call is a 400 in this protocol. */
export function errorAnswer(error: AwsError): ServiceResponse {
  const denied = error.code === 'AccessDenied' || error.code === 'AccessDeniedException';
  const code = denied ? 'AccessDeniedException' : error.code;
  const type = `${NAMESPACE[code] ?? DEFAULT_NAMESPACE}#${code}`;
  const message = CAPITAL.has(code) ? { Message: error.message } : { message: error.message };
  return respond(denied ? 400 : error.status, { __type: type, ...message, ...error.fields });
}

function respond(status: number, body: object): ServiceResponse {
  const text = Buffer.from(JSON.stringify(body));
  return {
    status,
    headers: {
      'content-type': CONTENT_TYPE,
      'x-amzn-requestid': randomUUID().replaceAll('-', '').toUpperCase(),
      'x-amz-crc32': String(crc32(text)),
    },
    body: text,
  };
}
