import type { InboxRef, KeyPrincipal, Principal } from './principal.ts';
import type { PathParams, Route, RouteInput, RouteResponse } from './route.ts';
import type { RouteName, Routes } from './routes.ts';

/** The single use of a signature's nonce. Whoever writes claims it in the same transaction and sets `spent`. */
export interface Once {
  /** Names the credential and the nonce; a row of its own. */
  key: string;
  /** Seconds since the epoch after which the signature is too old to be replayed. */
  expires: number;
  spent: boolean;
}

type PrincipalOf<R extends Route> = R['auth'] extends 'signed' ? KeyPrincipal : Principal;
type InboxOf<R extends Route> = PathParams<R['path']> extends { inbox_id: string } ? { inbox: InboxRef } : {};

/** What a use case behind a route is called with: the caller known, the inbox in scope, the input parsed. */
export type Call<Name extends RouteName> = RouteInput<Routes[Name]> &
  InboxOf<Routes[Name]> & {
    principal: PrincipalOf<Routes[Name]>;
    /** The nonce of a signed write. */
    once?: Once;
  };

export type UseCase<Name extends RouteName> = (call: Call<Name>) => Promise<RouteResponse<Routes[Name]>>;

/** A complete set of use cases for some routes: a route without one is a compile error. */
export type UseCases<Names extends RouteName> = { [Name in Names]: UseCase<Name> };
export type OperatorRoute = Extract<RouteName, `operator.${string}`>;
export type ApiRoute = Exclude<RouteName, OperatorRoute>;
