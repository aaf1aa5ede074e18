import { randomUUID } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import type { ServiceResponse } from '../cloud.ts';
import type { WireRequest } from './signature-parts.ts';
import type { SignatureError, SignatureFault } from './signature-error.ts';

/** How a service writes its errors. */
export type Protocol = 'json' | 'rest-json' | 'query' | 'rest-xml' | 's3';

/** Guesses the protocol from the request; `service` is that of its credential scope, when it has one. */
export function protocolOf({ headers, path }: WireRequest, service: string | undefined): Protocol {
  if (headers['x-amz-target'] !== undefined) return 'json';
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return 'query';
  if (service === 'route53') return 'rest-xml';
  return service === 's3' || (service === undefined && !path.startsWith('/v2/')) ? 's3' : 'rest-json';
}

type Code = readonly [code: string, status: number];

/** What AWS calls each fault: JSON protocols, XML protocols, S3. */
const codes: Record<SignatureFault, readonly [json: Code, xml: Code, s3: Code]> = {
  missing: [
    ['MissingAuthenticationTokenException', 400],
    ['MissingAuthenticationToken', 403],
    ['AccessDenied', 403],
  ],
  malformed: [
    ['IncompleteSignatureException', 400],
    ['IncompleteSignature', 400],
    ['AuthorizationHeaderMalformed', 400],
  ],
  'unknown-key': [
    ['UnrecognizedClientException', 400],
    ['InvalidClientTokenId', 403],
    ['InvalidAccessKeyId', 403],
  ],
  'expired-token': [
    ['ExpiredTokenException', 400],
    ['ExpiredToken', 403],
    ['ExpiredToken', 400],
  ],
  mismatch: [
    ['InvalidSignatureException', 400],
    ['SignatureDoesNotMatch', 403],
    ['SignatureDoesNotMatch', 403],
  ],
  skewed: [
    ['InvalidSignatureException', 400],
    ['SignatureDoesNotMatch', 403],
    ['RequestTimeTooSkewed', 403],
  ],
  'expired-url': [
    ['InvalidSignatureException', 400],
    ['RequestExpired', 400],
    ['AccessDenied', 403],
  ],
  'unsigned-headers': [
    ['InvalidSignatureException', 400],
    ['SignatureDoesNotMatch', 403],
    ['AccessDenied', 403],
  ],
};

/** The AWS error for a signature that does not count. */
export function signatureDenial(error: SignatureError, protocol: Protocol): AwsError {
  const column = protocol === 's3' ? 2 : protocol === 'query' || protocol === 'rest-xml' ? 1 : 0;
  const [code, status] = codes[error.fault][column];
  return new AwsError(code, error.message, { status: protocol === 'rest-json' ? 403 : status });
}

/** An error of the endpoint itself in the form of the protocol. */
export function errorResponse(error: AwsError, protocol: Protocol, method: string): ServiceResponse {
  const requestId = randomUUID();
  const { code, message, status } = error;
  if (method === 'HEAD') return { status, headers: { 'x-amz-request-id': requestId } };
  if (protocol === 'json' || protocol === 'rest-json') {
    const body = protocol === 'json' ? { __type: code, message } : { message };
    const type = protocol === 'json' ? 'application/x-amz-json-1.0' : 'application/json';
    const headers = { 'content-type': type, 'x-amzn-requestid': requestId, 'x-amzn-errortype': code };
    return { status, headers, body: JSON.stringify(body) };
  }
  const inner = `<Code>${code}</Code><Message>${escaped(message)}</Message>`;
  const body =
    protocol === 's3'
      ? `<Error>${inner}<RequestId>${requestId}</RequestId></Error>`
      : `<ErrorResponse><Error><Type>Sender</Type>${inner}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
  const headers = {
    'content-type': protocol === 's3' ? 'application/xml' : 'text/xml',
    'x-amz-request-id': requestId,
  };
  return { status, headers, body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}` };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => entities[c]!);
