import type { Once } from '../contract/call.ts';
import type { InboxRef, Principal } from '../contract/principal.ts';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { HttpRequest } from './http-request.ts';

/** Who calls, as one way of signing in found out. */
export interface Caller {
  principal: Principal;
  /** The inbox the path names, where there is one; not yet checked against the scope. */
  inbox?: InboxRef;
  /** The nonce of a signed write. */
  once?: Once;
}

/** What is known of the aim of a request before its caller is. */
export interface Aim {
  /** `write`: nothing that was remembered may decide about it. */
  purpose: 'read' | 'write';
  /** What stands in the path where an inbox is named. */
  inbox?: string;
}

/** One way of signing in. Refuses with a `Problem`. */
export type Authenticate = (request: HttpRequest, aim: Aim, event: APIGatewayProxyEventV2) => Promise<Caller>;

/** Port: single use of nonces, for writes that do not claim theirs in a transaction of their own. */
export interface Nonces {
  claim(once: Once): Promise<'claimed' | 'used'>;
}
