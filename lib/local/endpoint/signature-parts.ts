import { SignatureError } from './signature-error.ts';

/** A request as it came over the wire. */
export interface WireRequest {
  method: string;
  /** As sent, percent-encoded, without query. */
  path: string;
  /** As sent, without the question mark. */
  rawQuery: string;
  /** Lower-case names; values of a repeated header joined by commas. */
  headers: Record<string, string>;
}

/** What a SigV4 signature says of itself. */
export interface SignatureParts {
  presigned: boolean;
  accessKeyId: string;
  /** Credential scope: day, region, service. */
  day: string;
  region: string;
  service: string;
  signedHeaders: string[];
  signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  date: string;
  /** Seconds a presigned URL is valid. */
  expires: number | undefined;
  token: string | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Whether the request claims to be signed, in its header or its query. */
export const isSigned = ({ headers, rawQuery }: WireRequest) =>
  headers['authorization'] !== undefined || /(^|&)X-Amz-Signature=/.test(rawQuery);

/** Reads the signature of a request. Throws SignatureError `missing` or `malformed`. */
export function signatureParts(request: WireRequest): SignatureParts {
  const query = new URLSearchParams(request.rawQuery);
  const inQuery = query.has('X-Amz-Signature');
  const header = request.headers['authorization'];
  if (inQuery && header !== undefined) {
    throw new SignatureError(
      'malformed',
      'Only one auth mechanism allowed; the query and the header both sign',
    );
  }
  if (inQuery) return fromQuery(query);
  if (header === undefined) throw new SignatureError('missing', 'Missing Authentication Token');
  return fromHeader(header, request.headers);
}

function fromHeader(header: string, headers: Record<string, string>): SignatureParts {
  const [algorithm = '', rest = ''] = header.split(/\s+(.*)/s);
  if (algorithm !== ALGORITHM) throw malformed(`the algorithm must be ${ALGORITHM}`);
  const fields = new Map(rest.split(',').map((field) => field.trim().split(/=(.*)/s) as [string, string]));
  const date = headers['x-amz-date'] ?? basicDate(headers['date']);
  return {
    presigned: false,
    ...credential(fields.get('Credential')),
    signedHeaders: (fields.get('SignedHeaders') ?? '').split(';'),
    signature: fields.get('Signature') ?? '',
    date: checkedDate(date),
    expires: undefined,
    token: headers['x-amz-security-token'],
  };
}

function fromQuery(query: URLSearchParams): SignatureParts {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) throw malformed(`X-Amz-Algorithm must be ${ALGORITHM}`);
  const expires = Number(query.get('X-Amz-Expires') ?? Number.NaN);
  // Seven days is SigV4's own limit.
  if (!Number.isInteger(expires) || expires < 1 || expires > 604_800) {
    throw malformed('X-Amz-Expires must be between 1 and 604800 seconds');
  }
  return {
    presigned: true,
    ...credential(query.get('X-Amz-Credential') ?? undefined),
    signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: query.get('X-Amz-Signature') ?? '',
    date: checkedDate(query.get('X-Amz-Date') ?? undefined),
    expires,
    token: query.get('X-Amz-Security-Token') ?? undefined,
  };
}

function credential(text: string | undefined) {
  const [accessKeyId, day, region, service, end, ...rest] = (text ?? '').split('/');
  if (!accessKeyId || !day || !region || !service || end !== 'aws4_request' || rest.length > 0) {
    throw malformed('Credential must be <key id>/<day>/<region>/<service>/aws4_request');
  }
  return { accessKeyId, day, region, service };
}

function checkedDate(date: string | undefined): string {
  if (date === undefined || !/^\d{8}T\d{6}Z$/.test(date)) throw malformed('the request wants X-Amz-Date');
  return date;
}

const basicDate = (date: string | undefined) =>
  date === undefined || Number.isNaN(Date.parse(date))
    ? undefined
    : new Date(date).toISOString().replace(/[-:]|\.\d+/g, '');

const malformed = (message: string) => new SignatureError('malformed', message);
