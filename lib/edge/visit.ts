import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Deed } from '../contract/call.ts';
import type { Scope } from '../contract/principal.ts';
import type { Caller } from './caller.ts';
import type { HttpRequest } from './http-request.ts';
import type { RateStanding } from './rates.ts';
import type { Match, Matched } from './route-table.ts';

/** One request on its way through the chain; each step adds what it found out. */
export interface Visit {
  event: APIGatewayProxyEventV2;
  request: HttpRequest;
  /** Milliseconds since the epoch. */
  started: number;
  match: Match;
  caller?: Caller;
  /** How much more the caller may call in this minute. */
  standing?: RateStanding;
  /** Set once the caller is known and the route is found. */
  matched?: Matched;
  deed?: Deed;
  /** Set once the caller may take the route. */
  scope?: Scope;
  input?: { query: unknown; body: unknown };
  /** The answer of an earlier call with the same Idempotency-Key. */
  earlier?: { statusCode: number; body: string };
}
