import type { PolicyStatement } from '../cloud.ts';
import { operatorNamed, type Operator } from './condition-operators.ts';
import type { Context } from './wildcard.ts';

/** Whether every operator and key of a statement's Condition holds for the values of this call. */
export function conditionHolds(condition: PolicyStatement['Condition'], context: Context): boolean {
  return Object.entries(condition ?? {}).every(([name, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const given = context.get(key.toLowerCase()) ?? [];
      const values = [wanted].flat().map(String);
      if (name === 'Null') return values.includes(String(given.length === 0));
      const operator = operatorNamed(name);
      if (operator === undefined) throw new Error(`the condition operator ${name} is not known`);
      return operatorHolds(operator, given, values, context);
    }),
  );
}

function operatorHolds(
  operator: Operator,
  given: readonly string[],
  wanted: string[],
  context: Context,
): boolean {
  const { compare, negated, quantifier, ifExists } = operator;
  const satisfies = (value: string) => wanted.some((one) => compare(value, one, context)) !== negated;
  // IAM: ForAllValues holds for a call without the key, ForAnyValue does not; of the rest only the negated do.
  if (quantifier === 'ForAllValues') return given.every(satisfies);
  if (given.length === 0) return ifExists || (negated && quantifier === undefined);
  if (quantifier === 'ForAnyValue' || !negated) return given.some(satisfies);
  return given.every(satisfies);
}
