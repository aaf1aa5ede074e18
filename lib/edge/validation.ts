import type * as z from 'zod';
import { Problem, type FieldError } from '../contract/problem.ts';

type Issue = z.core.$ZodIssue;

/** As many as a caller can use; a body of 6 MB can be wrong in a million places. */
const mostErrors = 50;

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

const faults = (error: z.ZodError): FieldError[] => error.issues.flatMap((issue) => leaves(issue));

function refusal(all: FieldError[]): Problem {
  const errors = all.slice(0, mostErrors);
  const [first, ...others] = errors as [FieldError, ...FieldError[]];
  const named = first.path.length > 0 ? `${first.path.join('.')}: ${first.message}` : first.message;
  return new Problem('validation_error', others.length > 0 ? `${named} (and ${others.length} more)` : named, {
    errors,
  });
}

/** Of a union, the branch the value came closest to: fewest complaints. */
function leaves(issue: Issue, above: PropertyKey[] = []): FieldError[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const [closest] = issue.errors.toSorted((a, b) => a.length - b.length);
    return closest!.flatMap((inner) => leaves(inner, path));
  }
  return [
    {
      code: issue.code ?? 'custom',
      path: path.map((part) => (typeof part === 'number' ? part : String(part))),
      message: issue.message,
    },
  ];
}
