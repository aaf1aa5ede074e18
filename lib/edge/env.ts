import type * as z from 'zod';

/** The environment a function was deployed with, by its schema. Throws an `Error` that names each wrong variable. */
export function readEnv<Schema extends z.ZodType>(
  schema: Schema,
  environment: NodeJS.ProcessEnv = process.env,
): z.output<Schema> {
  const read = schema.safeParse(environment);
  if (read.success) return read.data;
  const wrong = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`Environment variables do not fit: ${wrong.join('; ')}`);
}
