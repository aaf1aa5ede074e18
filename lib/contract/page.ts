import * as z from 'zod';

/** The largest page; with a filter on labels, from, to or subject it is 100. */
export const maxPage = 500;
export const maxFilteredPage = 100;
export const defaultPage = 50;

const one = (value: unknown): unknown => (Array.isArray(value) ? value[value.length - 1] : value);

/** A query parameter arrives as the list of its values. */
export const booleanParam = z.preprocess(
  one,
  z.enum(['true', 'false']).transform((value) => value === 'true'),
);
export const dateParam = z.preprocess(
  one,
  z.iso.datetime({ offset: true, error: 'give an ISO 8601 time such as 2026-01-31T12:00:00Z' }),
);
export const textParam = z.preprocess(one, z.string().max(1024));

/**
 * A list in a query: repeated, separated by commas, or one JSON array or JSON string (as the published
 * TypeScript SDK writes it).
 */
export const listParam = z.preprocess(
  (value) => (Array.isArray(value) ? value.flatMap(unpack) : value),
  z.array(z.string().trim().min(1).max(256)).max(20),
);

function unpack(value: string): unknown[] {
  if (value.startsWith('[') || value.startsWith('"')) {
    try {
      const parsed: unknown = JSON.parse(value);
      return Array.isArray(parsed) ? parsed : [parsed];
    } catch {
      // Not JSON after all: an ordinary value that happens to begin so.
    }
  }
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export const pageQuery = z.object({
  limit: z
    .preprocess(
      one,
      z
        .string()
        .regex(/^\d{1,9}$/, 'give a whole number')
        .transform(Number)
        .pipe(z.number().min(1).max(maxPage)),
    )
    .optional(),
  page_token: textParam.optional(),
  ascending: booleanParam.optional(),
});
export type PageQuery = z.infer<typeof pageQuery>;

/** The members every list answer has beside its items. */
export const pageAnswer = {
  /** Items in this page. */
  count: z.number(),
  limit: z.number().optional(),
  /** Absent at the end. */
  next_page_token: z.string().optional(),
};
