import type { AttributeValue } from '../value/attribute-value.ts';
import type { DocumentPath } from './document-path.ts';

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type Predicate =
  'attribute_exists' | 'attribute_not_exists' | 'attribute_type' | 'begins_with' | 'contains';

export type Operand =
  | { kind: 'path'; path: DocumentPath }
  | { kind: 'value'; value: AttributeValue }
  | { kind: 'size'; of: Operand };

/** A condition as read from a Condition-, Filter- or KeyConditionExpression. */
export type Condition =
  | { kind: 'and' | 'or'; left: Condition; right: Condition }
  | { kind: 'not'; of: Condition }
  | { kind: 'compare'; comparator: Comparator; left: Operand; right: Operand }
  | { kind: 'between'; of: Operand; low: Operand; high: Operand }
  | { kind: 'in'; of: Operand; list: Operand[] }
  | { kind: 'call'; name: Predicate; operands: Operand[] };

/** Every path a condition looks at. */
export function pathsOf(condition: Condition): DocumentPath[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return [...pathsOf(condition.left), ...pathsOf(condition.right)];
    case 'not':
      return pathsOf(condition.of);
    case 'compare':
      return [condition.left, condition.right].flatMap(operandPaths);
    case 'between':
      return [condition.of, condition.low, condition.high].flatMap(operandPaths);
    case 'in':
      return [condition.of, ...condition.list].flatMap(operandPaths);
    case 'call':
      return condition.operands.flatMap(operandPaths);
  }
}

function operandPaths(operand: Operand): DocumentPath[] {
  if (operand.kind === 'path') return [operand.path];
  return operand.kind === 'size' ? operandPaths(operand.of) : [];
}
