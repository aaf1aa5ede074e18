import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Caller } from './caller.ts';
import type { HttpRequest } from './http-request.ts';
import type { Match, Matched } from './route-table.ts';

/** One request on its way through the chain; each step adds what it found out. */
export interface Visit {
  event: APIGatewayProxyEventV2;
  request: HttpRequest;
  /** Milliseconds since the epoch. */
  started: number;
  match: Match;
  caller?: Caller;
  /** Set once the route is found and the caller may take it. */
  matched?: Matched;
  input?: { query: unknown; body: unknown };
}
