import type * as z from 'zod';
import { faults, refusal } from '../contract/faults.ts';

/** A value that passed its schema, or the `Problem` that names every field that did not. */
export function valid<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw refusal(faults(read.error));
}

/** One part of a request, and what it has to be. */
export interface Part<Schema extends z.ZodType> {
  schema: Schema;
  value: unknown;
}

/**
 * Query and body together, so that one `Problem` names every wrong field of both, those of the query first. A part
 * that is not given is not looked at.
 */
export function validAll<Query extends z.ZodType, Body extends z.ZodType>({
  query,
  body,
}: {
  query?: Part<Query> | undefined;
  body?: Part<Body> | undefined;
}): { query: z.output<Query> | undefined; body: z.output<Body> | undefined } {
  const [readQuery, readBody] = [query, body].map((part) => part?.schema.safeParse(part.value));
  const wrong = [readQuery, readBody].flatMap((read) =>
    read?.error === undefined ? [] : faults(read.error),
  );
  if (wrong.length > 0) throw refusal(wrong);
  return {
    query: readQuery?.data as z.output<Query> | undefined,
    body: readBody?.data as z.output<Body> | undefined,
  };
}
