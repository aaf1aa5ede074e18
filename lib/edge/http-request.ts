import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** One HTTP request as the edge sees it, whatever the payload format looked like. */
export interface HttpRequest {
  id: string;
  method: string;
  /** Decoded, as API Gateway hands it over. */
  path: string;
  /** Still encoded, without `?`; empty when there is none. */
  query: string;
  /** By lower-case name; repeated ones are joined by API Gateway. */
  headers: Readonly<Record<string, string>>;
  /** The bytes as they were sent; empty when there is no body. */
  body: Buffer;
}

/** Reads an API Gateway event of payload format 2.0. Never throws: what is wrong with it is said after the caller is known. */
export function readRequest(event: APIGatewayProxyEventV2): HttpRequest {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    const key = name.toLowerCase();
    if (value !== undefined) headers[key] = headers[key] === undefined ? value : `${headers[key]},${value}`;
  }
  return {
    id: event.requestContext.requestId,
    method: event.requestContext.http.method.toUpperCase(),
    path: event.rawPath,
    query: event.rawQueryString ?? '',
    headers,
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
  };
}
