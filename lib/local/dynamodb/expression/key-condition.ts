import { validation } from '../errors.ts';
import type { AttributeValue } from '../value/attribute-value.ts';
import { keyBytes } from '../value/key-bytes.ts';
import type { KeyAttribute, KeySchema } from '../store/key-schema.ts';
import { sortRange } from '../store/key-schema.ts';
import type { SortRange } from '../store/key-schema.ts';
import type { Comparator, Condition, Operand } from './condition-syntax.ts';

/** What a KeyConditionExpression says: one partition, and a stretch of its sort keys. */
export interface KeyCondition {
  partition: AttributeValue;
  range: SortRange;
}

type Test = { name: string; operator: Comparator | 'BETWEEN' | 'begins_with'; values: AttributeValue[] };

const MIRRORED: Record<Comparator, Comparator> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/**
 * Turns a condition into a key range. Throws ValidationException for what DynamoDB does not look up by key.
 */
export function keyConditionOf(condition: Condition, schema: KeySchema): KeyCondition {
  const tests = new Map<string, Test>();
  for (const test of testsOf(condition)) {
    if (tests.has(test.name)) {
      throw validation('KeyConditionExpressions must only contain one condition per key');
    }
    tests.set(test.name, test);
  }
  const { hash, range } = schema;
  if (tests.size > 2) throw validation('Conditions can be of length 1 or 2 only');
  if (range === undefined && tests.size > 1) throw validation('Query key condition not supported');
  const partition = tests.get(hash.name);
  if (partition === undefined) throw missed(hash.name);
  checkValues(partition, hash);
  if (partition.operator !== '=') throw validation('Query key condition not supported');
  const value = partition.values[0]!;
  if (range === undefined || tests.size === 1) return { partition: value, range: sortRange('all', []) };
  const sort = tests.get(range.name);
  if (sort === undefined) throw missed(range.name);
  checkValues(sort, range);
  return {
    partition: value,
    range: sortRange(sort.operator as Exclude<Test['operator'], '<>'>, sort.values.map(keyBytes)),
  };
}

function missed(name: string) {
  return validation(`Query condition missed key schema element: ${name}`);
}

function checkValues({ values }: Test, { name, type }: KeyAttribute): void {
  for (const value of values) {
    if (!(type in value)) {
      throw validation(
        'One or more parameter values were invalid: Condition parameter type does not match schema type',
      );
    }
    if (type === 'N' || keyBytes(value).length > 0) continue;
    const empty = type === 'S' ? 'string' : 'binary';
    throw validation(
      'One or more parameter values are not valid. ' +
        `The AttributeValue for a key attribute cannot contain an empty ${empty} value. Key: ${name}`,
    );
  }
}

function testsOf(condition: Condition): Test[] {
  switch (condition.kind) {
    case 'and':
      return [...testsOf(condition.left), ...testsOf(condition.right)];
    case 'or':
    case 'not':
    case 'in':
      throw badOperator(condition.kind.toUpperCase());
    case 'between':
      return [keyTest('BETWEEN', [condition.of, condition.low, condition.high])];
    case 'call':
      if (condition.name !== 'begins_with') throw badOperator(condition.name);
      return [keyTest('begins_with', condition.operands)];
    case 'compare':
      return [comparison(condition.comparator, condition.left, condition.right)];
  }
}

function comparison(comparator: Comparator, left: Operand, right: Operand): Test {
  if (comparator === '<>') throw badOperator(comparator);
  if (left.kind === 'value') return keyTest(MIRRORED[comparator], [right, left]);
  return keyTest(comparator, [left, right]);
}

function keyTest(operator: Test['operator'], [subject, ...others]: Operand[]): Test {
  if ([subject, ...others].some((operand) => operand!.kind === 'size')) {
    throw validation('KeyConditionExpressions cannot contain nested operations');
  }
  if (subject!.kind !== 'path') {
    const why = others.some((operand) => operand.kind === 'path')
      ? `${operator} operator must have the key attribute as its first operand`
      : 'No key attribute specified';
    throw validation(`Invalid condition in KeyConditionExpression: ${why}`);
  }
  const values = others.map((operand) => {
    if (operand.kind === 'value') return operand.value;
    throw validation(
      'Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition',
    );
  });
  if (subject!.path.length > 1) {
    throw validation('KeyConditionExpressions cannot have conditions on nested attributes');
  }
  return { name: subject!.path[0], operator, values };
}

function badOperator(operator: string) {
  return validation(`Invalid operator used in KeyConditionExpression: ${operator}`);
}
