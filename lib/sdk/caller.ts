import type { PathParams, Route } from '../contract/route.ts';
import { routes, type RouteName, type Routes } from '../contract/routes.ts';
import type { Transport } from './transport.ts';

type Given<Schema> = Schema extends { _zod: { input: infer Input } } ? Input : undefined;
type Read<Schema> = Schema extends { _zod: { output: infer Output } } ? Output : undefined;
type Part<Route, Name extends string> = Route extends Record<Name, infer Schema> ? Schema : undefined;

/** What a route answers. */
export type Answer<Name extends RouteName> =
  Part<Routes[Name], 'response'> extends undefined ? void : Read<Part<Routes[Name], 'response'>>;
/** A query as plain values: lists as arrays, times as ISO 8601. */
export type Query<Name extends RouteName> = {
  [Key in keyof Read<Part<Routes[Name], 'query'>>]: Read<Part<Routes[Name], 'query'>>[Key];
};
/** A body as it is sent. */
export type Body<Name extends RouteName> = Given<Part<Routes[Name], 'body'>>;

export interface Input<Name extends RouteName> {
  path?: PathParams<Routes[Name]['path']>;
  query?: Query<Name> | undefined;
  body?: Body<Name> | undefined;
}

/** Calls routes by name; method, path and answer come from the contract. */
export type Caller = <Name extends RouteName>(name: Name, input?: Input<Name>) => Promise<Answer<Name>>;

export function createCaller(transport: Transport): Caller {
  return async <Name extends RouteName>(
    name: Name,
    { path, query, body }: Input<Name> = {},
  ): Promise<Answer<Name>> => {
    const route: Route = routes[name];
    const answer = await transport({
      method: route.method,
      path: fillPath(route.path, path ?? {}),
      query: encodeQuery(query ?? {}),
      body,
    });
    return (route.response === undefined ? undefined : route.response.parse(answer)) as Answer<Name>;
  };
}

const fillPath = (pattern: string, params: Record<string, string>): string =>
  pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    // An empty segment would name another route, and a URL resolves dots away.
    if (!value || value === '.' || value === '..') throw new TypeError(`${name} is missing`);
    return encodeURIComponent(value);
  });

/** A list travels as one JSON array: repeated or comma-separated, a value with a comma would fall apart. */
export function encodeQuery(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(
    query as Record<string, string | number | boolean | string[] | null | undefined>,
  )) {
    if (value === undefined || value === null) continue;
    parameters.append(name, Array.isArray(value) ? JSON.stringify(value) : String(value));
  }
  return parameters.toString();
}
