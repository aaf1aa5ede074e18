import { Problem } from '../contract/problem.ts';

/** A raw query as lists of values by name; a broken percent-encoding is refused with a `Problem`. */
export function readQuery(raw: string): Record<string, string[]> {
  const broken = /%(?![0-9a-fA-F]{2})/.exec(raw);
  if (broken)
    throw new Problem(
      'validation_error',
      `the query has a % without two hexadecimal digits at position ${broken.index}`,
      { fix: 'Percent-encode it as %25.' },
    );
  const query: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of new URLSearchParams(raw)) (query[name] ??= []).push(value);
  return query;
}
