import { AwsError } from '../aws-error.ts';
import type { ServiceResponse } from '../cloud.ts';
import type { StoredObject } from './object-index.ts';
import { objectHeaders } from './object-headers.ts';
import { holdHeaders, retentionHeaders } from './object-lock.ts';
import { requestedVersion } from './requested-version.ts';
import type { Operation, S3Call, Store } from './store.ts';

const overridable = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

export const getObject: Operation = (store, call) => read(store, call, true);
export const headObject: Operation = (store, call) => read(store, call, false);

function read(store: Store, call: S3Call, withBody: boolean): ServiceResponse {
  const { request, bucket, key } = call;
  const version = requestedVersion(request.query);
  store.authorizeVersion(request.caller, 'GetObject', bucket, key, version);
  const object = store.object(request.caller, bucket, key, version);
  if (unmodified(request.headers, object)) {
    const { etag } = object;
    return { status: 304, headers: { etag, 'last-modified': new Date(object.modified).toUTCString() } };
  }
  const range = byteRange(request.headers['range'], object.size);
  const withChecksums = request.headers['x-amz-checksum-mode'] === 'ENABLED' && range === undefined;
  const [start, end] = range ?? [0, object.size - 1];
  const headers = {
    ...objectHeaders(object, withChecksums),
    ...lockHeaders(store, call, object),
    ...overrides(call),
    'content-length': String(end - start + 1),
    ...(range && { 'content-range': `bytes ${start}-${end}/${object.size}` }),
  };
  const status = range === undefined ? 200 : 206;
  return withBody
    ? { status, headers, body: store.blobs.read(object.blob, start, end) }
    : { status, headers };
}

/** The lock is shown to who may see it; the others are not refused. */
function lockHeaders(store: Store, call: S3Call, { lock }: StoredObject): Record<string, string> {
  const { request, bucket, key } = call;
  const may = (action: string) => store.permits(request.caller, action, bucket, key);
  return {
    ...(lock?.retention && may('GetObjectRetention') && retentionHeaders(lock.retention)),
    ...(lock?.hold !== undefined && may('GetObjectLegalHold') && holdHeaders(lock.hold)),
  };
}

/** `response-…` parameters change the answer's headers; only for who signed, so that nobody else can dress up a link. */
function overrides({ request }: S3Call): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of overridable) {
    const value = request.query.get(`response-${name}`);
    if (value !== null) headers[name] = value;
  }
  if (Object.keys(headers).length > 0 && request.caller.kind === 'anonymous') {
    throw new AwsError(
      'InvalidRequest',
      'Request specific response headers cannot be used for anonymous GET requests.',
    );
  }
  return headers;
}

/** True for 304; throws 412 where If-Match or If-Unmodified-Since does not hold (RFC 9110 section 13.2.2's order). */
function unmodified(headers: Record<string, string>, object: StoredObject): boolean {
  const modified = Math.floor(object.modified / 1000) * 1000;
  const failed = (Condition: string) =>
    new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
      status: 412,
      fields: { Condition },
    });
  const [match, noneMatch] = [headers['if-match'], headers['if-none-match']];
  const [since, notSince] = [headers['if-modified-since'], headers['if-unmodified-since']];
  if (match !== undefined) {
    if (!names(match, object.etag)) throw failed('If-Match');
  } else if (notSince !== undefined && modified > Date.parse(notSince)) throw failed('If-Unmodified-Since');
  if (noneMatch !== undefined) return names(noneMatch, object.etag);
  return since !== undefined && modified <= Date.parse(since);
}

const names = (list: string, etag: string) =>
  list
    .split(',')
    .some((each) => each.trim() === '*' || each.trim().replaceAll('"', '') === etag.replaceAll('"', ''));

/** First and last byte, or `undefined` for the whole: a header that is not one byte range is ignored, as RFC 9110 says. */
export function byteRange(header: string | undefined, size: number): [number, number] | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [first, last] = [match[1]!, match[2]!];
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start < size && !(first === '' && Number(last) === 0)) return [start, end];
  const fields = { RangeRequested: header, ActualObjectSize: size };
  throw new AwsError('InvalidRange', 'The requested range is not satisfiable', { status: 416, fields });
}
