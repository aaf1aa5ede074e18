import type * as z from 'zod';
import type { Permission } from './permission.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** One route as data. What is written here is what the edge enforces, the SDK calls and the docs say. */
export interface Route {
  method: Method;
  /** Parameters stand in braces, one whole segment each: `/v0/inboxes/{inbox_id}`. */
  path: string;
  /** `signed`: a key's signature or bearer; `iam`: SigV4, checked by API Gateway before the function; `none`: anyone. */
  auth: 'signed' | 'iam' | 'none';
  /** What a key must hold. `any`: every key in scope; `unrestricted`: a key of the organization without permissions of its own. */
  permission: Permission | 'any' | 'unrestricted' | 'operator';
  /** The narrowest scope whose keys may take the route; every scope when absent. */
  least?: 'organization' | 'pod';
  /**
   * What stands in the ledger of it: every change, and every read of mail content. What remembers may answer a
   * read, and only a change spends a nonce.
   */
  ledger: 'change' | 'read' | 'none';
  /** Whether it takes an `Idempotency-Key`. */
  idempotent?: true;
  query?: z.ZodType;
  body?: z.ZodType;
  /** Whether the body may be left out. */
  bodyOptional?: boolean;
  /** Success is 200 with it, 202 where the answer says `pending`, and 204 where there is nothing to answer. */
  response?: z.ZodType;
}

/** Names of the parameters in a path. */
export type PathParams<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [Key in Name | keyof PathParams<Rest>]: string }
  : {};

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;
type BodyOf<R extends Route> = R extends { bodyOptional: true }
  ? Output<R['body']> | undefined
  : Output<R['body']>;

/** What a handler of the route is given beside the caller: every part already parsed. */
export interface RouteInput<R extends Route> {
  path: PathParams<R['path']>;
  query: Output<R['query']>;
  body: BodyOf<R>;
}
export type RouteResponse<R extends Route> = R['response'] extends z.ZodType ? z.input<R['response']> : void;
