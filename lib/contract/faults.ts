import type * as z from 'zod';
import { Problem, type FieldError } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** As many as a caller can use; a body of 6 MB can be wrong in a million places. */
const mostErrors = 50;

/** What is wrong, field by field. */
export const faults = (error: z.ZodError): FieldError[] => error.issues.flatMap((issue) => leaves(issue));

/** The refusal that names every wrong field; there is one at least. */
export function refusal(all: FieldError[]): Problem {
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
