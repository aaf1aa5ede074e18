import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Once } from '../contract/call.ts';
import type { PersonalField } from '../contract/ledger.ts';
import type { InboxRef, Principal } from '../contract/principal.ts';
import type { HttpRequest } from './http-request.ts';
import type { RateLimits } from './rates.ts';

/** Who calls, as one way of signing in found out. */
export interface Caller {
  principal: Principal;
  /** The inbox and the pod the path names, where they are there; not yet checked against the scope. */
  inbox?: InboxRef;
  pod?: { pod_id: string };
  /** The nonce of a signed write. */
  once?: Once;
  /** How often it may call; absent: as often as it likes. */
  limits?: RateLimits;
  /** What is known of the person behind the call. */
  personal?: Partial<Record<PersonalField, string>>;
}

/** What is known of the aim of a request before its caller is. */
export interface Aim {
  /** `write`: nothing that was remembered may decide about it. */
  purpose: 'read' | 'write';
  /** What stands in the path where an inbox is named, and where a pod is. */
  inbox?: string;
  pod?: string;
}

/** One way of signing in. Refuses with a `Problem`. */
export type Authenticate = (request: HttpRequest, aim: Aim, event: APIGatewayProxyEventV2) => Promise<Caller>;
