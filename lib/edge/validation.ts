import type * as z from 'zod';
import { Problem } from '../contract/problem.ts';

type Issue = z.core.$ZodIssue;

/** As many as a caller can use; a body of 6 MB can be wrong in a million places. */
const mostErrors = 50;

/** A value that passed its schema, or the `Problem` that names every field that did not. */
export function valid<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const errors = read.error.issues.flatMap((issue) => leaves(issue)).slice(0, mostErrors);
  const [first, ...others] = errors as [ReturnType<typeof leaves>[number], ...ReturnType<typeof leaves>];
  const named = first.path.length > 0 ? `${first.path.join('.')}: ${first.message}` : first.message;
  throw new Problem('validation_error', others.length > 0 ? `${named} (and ${others.length} more)` : named, {
    errors,
  });
}

/** Of a union, the branch the value came closest to: fewest complaints. */
function leaves(
  issue: Issue,
  above: PropertyKey[] = [],
): { code: string; path: (string | number)[]; message: string }[] {
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
