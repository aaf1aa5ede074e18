import * as z from 'zod';
import { serialization, validation } from './errors.ts';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** An object whose members are read later: items, keys and placeholders. */
export const members = z.custom<Record<string, unknown>>(isObject);
export const consumedMode = z.enum(['INDEXES', 'TOTAL', 'NONE']).optional();

/** Parameters that several calls have. */
export const table = { TableName: z.string() };
export const placeholders = {
  ExpressionAttributeNames: members.optional(),
  ExpressionAttributeValues: members.optional(),
};
export const writing = {
  ReturnConsumedCapacity: consumedMode,
  // Tables without local indexes have no item collections.
  ReturnItemCollectionMetrics: z.enum(['SIZE', 'NONE']).optional(),
};
export const onFailure = {
  ReturnValuesOnConditionCheckFailure: z.enum(['ALL_OLD', 'NONE']).optional(),
};
export const oldOrNothing = z.enum(['NONE', 'ALL_OLD']).optional();

/**
 * Checks the shape of a request. A parameter that is not named is refused rather than ignored: the old ones
 * (`Expected`, `KeyConditions`, `AttributesToGet` …) mean something on AWS.
 */
export function readRequest<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(withoutNulls(input));
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const at = issue.path.map((step) =>
    typeof step === 'number' ? `${step + 1}.member` : lowerFirst(String(step)),
  );
  const where = at.join('.');
  const given = issue.path.reduce<unknown>((value, step) => (value as never)?.[step], withoutNulls(input));
  if (issue.code === 'unrecognized_keys') {
    throw validation(
      `The local cloud does not offer the parameter ${issue.keys.join(', ')} here; ` +
        'where it is one of the old ones, use an expression instead',
    );
  }
  if (given === undefined) throw constraint('null', where, 'Member must not be null');
  if (issue.code === 'invalid_value') {
    throw constraint(
      `'${shown(given)}'`,
      where,
      `Member must satisfy enum value set: [${issue.values.join(', ')}]`,
    );
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const what = issue.origin === 'number' || issue.origin === 'int' ? 'value' : 'length';
    const [than, bound] = issue.code === 'too_small' ? ['greater', issue.minimum] : ['less', issue.maximum];
    throw constraint(
      what === 'value' ? `'${shown(given)}'` : `'${JSON.stringify(given)}'`,
      where,
      `Member must have ${what} ${than} than or equal to ${bound}`,
    );
  }
  throw serialization(`${where || 'the request'} has another type than the model says`);
}

function constraint(value: string, where: string, what: string) {
  return validation(
    `1 validation error detected: Value ${value} at '${where}' failed to satisfy constraint: ${what}`,
  );
}

/** Top-level nulls count as absent. */
function withoutNulls(input: unknown): unknown {
  if (!isObject(input)) return input;
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
}

function lowerFirst(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
