import { validation } from '../errors.ts';
import { readCondition } from '../expression/condition-reader.ts';
import type { Condition } from '../expression/condition-syntax.ts';
import { pathsOf } from '../expression/condition-syntax.ts';
import type { DocumentPath } from '../expression/document-path.ts';
import { Placeholders } from '../expression/placeholders.ts';
import { readProjection } from '../expression/projection.ts';
import { readUpdate } from '../expression/update-reader.ts';
import type { UpdateAction } from '../expression/update-syntax.ts';
import { actionPaths } from '../expression/update-syntax.ts';
import { keyNames } from '../store/key-schema.ts';
import type { Table } from '../store/table.ts';

type Parameter =
  | 'UpdateExpression'
  | 'ConditionExpression'
  | 'KeyConditionExpression'
  | 'FilterExpression'
  | 'ProjectionExpression';

export type ExpressionInput = { [parameter in Parameter]?: string | undefined } & {
  ExpressionAttributeNames?: Record<string, unknown> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
};

/** The expressions of one request, read and checked together: their placeholders are shared. */
export interface Expressions {
  update: UpdateAction[] | undefined;
  condition: Condition | undefined;
  keyCondition: Condition | undefined;
  filter: Condition | undefined;
  projection: DocumentPath[] | undefined;
}

/** Reads the expressions of a request; `allowed` are the parameters the call has. */
export function readExpressions(input: ExpressionInput, allowed: readonly Parameter[]): Expressions {
  const given = allowed.filter((parameter) => input[parameter] !== undefined);
  if (input.ExpressionAttributeNames !== undefined && given.length === 0) {
    throw validation('ExpressionAttributeNames can only be specified when using expressions');
  }
  const withValues = allowed.filter((parameter) => parameter !== 'ProjectionExpression');
  if (input.ExpressionAttributeValues !== undefined && !withValues.some((name) => given.includes(name))) {
    throw validation(
      'ExpressionAttributeValues can only be specified when using expressions: ' +
        `${withValues.join(' and ')} ${withValues.length > 1 ? 'are' : 'is'} null`,
    );
  }
  const placeholders = new Placeholders(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
  const conditionOf = (parameter: Parameter) =>
    input[parameter] === undefined ? undefined : readCondition(input[parameter], parameter, placeholders);
  const expressions = {
    update:
      input.UpdateExpression === undefined ? undefined : readUpdate(input.UpdateExpression, placeholders),
    condition: conditionOf('ConditionExpression'),
    keyCondition: conditionOf('KeyConditionExpression'),
    filter: conditionOf('FilterExpression'),
    projection:
      input.ProjectionExpression === undefined
        ? undefined
        : readProjection(input.ProjectionExpression, placeholders),
  };
  placeholders.checkAllUsed();
  return expressions;
}

/** Top-level attributes the request names, for the condition key `dynamodb:Attributes`. */
export function namedAttributes(expressions: Expressions, others: Iterable<string> = []): string[] {
  const { condition, keyCondition } = expressions;
  const paths = [condition, keyCondition].flatMap((one) => (one === undefined ? [] : pathsOf(one)));
  return [...new Set([...others, ...[...paths, ...otherPaths(expressions)].map(([name]) => name)])];
}

function otherPaths({ update, filter, projection }: Expressions): DocumentPath[] {
  const filtered = filter === undefined ? [] : pathsOf(filter);
  return [...(update ?? []).flatMap(actionPaths), ...filtered, ...(projection ?? [])];
}

/**
 * Refuses paths into key attributes, which are scalars, in updates, filters and projections. In a condition
 * such a path finds nothing.
 */
export function checkKeyPaths(table: Table, expressions: Expressions): void {
  const nested = new Set(otherPaths(expressions).flatMap((path) => (path.length > 1 ? [path[0]] : [])));
  const refuse = (kind: string, names: string[]) => {
    for (const name of names) {
      if (!nested.has(name)) continue;
      throw validation(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: " +
          `${kind}: ${name}`,
      );
    }
  };
  refuse('Key', keyNames(table.keys));
  for (const index of table.indexes) refuse('IndexKey', keyNames(index.keys));
}
