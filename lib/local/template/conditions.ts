import { resolve, type Scope } from './intrinsics.ts';
import { TemplateError } from './template-error.ts';

/**
 * The truth of a named condition of the template. Throws TemplateError for a name or function that is not
 * known, and for conditions that refer to each other in a circle.
 */
export function evaluateCondition(
  conditions: Record<string, unknown>,
  name: string,
  scope: Pick<Scope, 'ref' | 'mapping'>,
  path: string[] = [],
): boolean {
  const at = `Conditions.${name}`;
  if (!Object.hasOwn(conditions, name)) throw new TemplateError(at, 'there is no such condition');
  if (path.includes(name)) throw new TemplateError(at, `refers to itself: ${[...path, name].join(' → ')}`);
  // CloudFormation decides conditions before any resource exists: only parameters and mappings are in sight.
  const inSight: Scope = {
    ...scope,
    getAtt: (_id, _attribute, where) => {
      throw new TemplateError(where, 'a condition cannot ask a resource for an attribute');
    },
    condition: (other) => evaluateCondition(conditions, other, scope, [...path, name]),
  };
  return truth(conditions[name], inSight, at);
}

function truth(value: unknown, scope: Scope, at: string): boolean {
  const [[operator, argument] = ['', undefined], ...rest] = Object.entries(value ?? {});
  if (rest.length > 0) throw new TemplateError(at, 'a condition is one function');
  if (operator === 'Condition') return scope.condition(String(argument), at);
  const operands: unknown[] = Array.isArray(argument) ? argument : [];
  const each = () => operands.map((operand, i) => truth(operand, scope, `${at}.${operator}.${i}`));
  switch (operator) {
    case 'Fn::Equals': {
      if (operands.length !== 2) throw new TemplateError(at, 'Fn::Equals wants two values');
      const [left, right] = operands.map((operand, i) => resolve(operand, scope, `${at}.${operator}.${i}`));
      return String(left) === String(right);
    }
    case 'Fn::And':
      return each().every(Boolean);
    case 'Fn::Or':
      return each().some(Boolean);
    case 'Fn::Not':
      return !each()[0];
    default:
      throw new TemplateError(at, `the condition function ${operator || '(none)'} is not known here`);
  }
}
