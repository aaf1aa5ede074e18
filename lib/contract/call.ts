import type { Line } from './ledger.ts';
import type { InboxRef, KeyPrincipal, Principal, Scope } from './principal.ts';
import type { PathParams, Route, RouteInput, RouteResponse } from './route.ts';
import type { RouteName, Routes } from './routes.ts';

/** The single use of a signature's nonce. */
export interface Once {
  /** Names the credential and the nonce; a row of its own. */
  key: string;
  /** Seconds since the epoch after which the signature is too old to be replayed. */
  expires: number;
}

/** A call's hold on its Idempotency-Key: whoever else comes with the same key finds it there. */
export interface Reservation {
  organization_id: string;
  /** SHA-256 of the key, base64url. */
  key: string;
  /** Tells this attempt from one that took over after it. */
  owner: string;
}

/**
 * What a call leaves behind, beside the change it makes: the nonce it spends, its line in the ledger and its hold on
 * an Idempotency-Key. A change writes them in its own transaction, the first where it takes several; what no change
 * has written the edge writes before it answers.
 */
export interface Deed {
  once?: Once;
  line?: Line;
  reservation?: Reservation;
  /** Set by whoever wrote it. */
  written: boolean;
}

type PrincipalOf<R extends Route> = R['auth'] extends 'signed' ? KeyPrincipal : Principal;
type ScopeOf<R extends Route> = R['auth'] extends 'signed' ? { scope: Scope } : {};
type InboxOf<R extends Route> = PathParams<R['path']> extends { inbox_id: string } ? { inbox: InboxRef } : {};

/** What a use case behind a route is called with: the caller known, the scope resolved, the input parsed. */
export type Call<Name extends RouteName> = RouteInput<Routes[Name]> &
  InboxOf<Routes[Name]> &
  ScopeOf<Routes[Name]> & {
    principal: PrincipalOf<Routes[Name]>;
    deed: Deed;
  };

export type UseCase<Name extends RouteName> = (call: Call<Name>) => Promise<RouteResponse<Routes[Name]>>;

/** A complete set of use cases for some routes: a route without one is a compile error. */
export type UseCases<Names extends RouteName> = { [Name in Names]: UseCase<Name> };
export type OperatorRoute = Extract<RouteName, `operator.${string}`>;
export type ApiRoute = Exclude<RouteName, OperatorRoute>;

/** Rows that a deed adds to the transaction of a change. */
export const deedRows = (deed: Deed | undefined): number =>
  deed === undefined || deed.written
    ? 0
    : [deed.once, deed.line, deed.reservation].filter((part) => part !== undefined).length;

/** Names what the call is about in its line: the ids, and the inbox where the path did not say. */
export function about({ line }: Deed, resources: string[], inbox?: InboxRef): void {
  if (line === undefined) return;
  line.resources.push(...resources.filter((id) => !line.resources.includes(id)));
  if (inbox === undefined) return;
  line.pod_id = inbox.pod_id;
  line.inbox_uid = inbox.uid;
}
