import type { PolicyDocument, PolicyStatement } from '../cloud.ts';
import { conditionKey } from './condition-keys.ts';
import { operatorNamed } from './condition-operators.ts';
import { enforceablePolicy, statementsOf } from './enforceable-policy.ts';
import { variablesIn } from './wildcard.ts';

/** Finds every policy inside a resource's properties; throws, naming its path, what cannot be enforced here. */
export function lintPolicies(at: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if ('Statement' in value && typeof value.Statement === 'object') return lintPolicy(at, value);
  for (const [key, item] of Object.entries(value)) lintPolicies(`${at}.${key}`, item);
}

/** Throws an Error that names the path of the first element, operator or key that is not enforced here. */
export function lintPolicy(at: string, document: unknown): void {
  const parsed = enforceablePolicy.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    throw new Error(`${[at, ...issue.path, ...keys].join('.')}: ${issue.message}`);
  }
  statementsOf(document as PolicyDocument).forEach((statement, i) => {
    const path = `${at}.Statement.${statement.Sid ?? i}`;
    lintNames(path, statement);
    lintCondition(`${path}.Condition`, statement.Condition);
  });
  const [variable] = variablesIn(JSON.stringify(document));
  if (variable === undefined || (document as PolicyDocument).Version === '2012-10-17') return;
  throw new Error(`${at}: IAM takes \${${variable}} literally unless the policy has Version 2012-10-17`);
}

function lintNames(at: string, statement: PolicyStatement): void {
  for (const action of [statement.Action ?? [], statement.NotAction ?? []].flat()) {
    if (!/^(\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+)$/.test(action)) throw new Error(`${at}: ${action} is no action`);
  }
  for (const resource of [statement.Resource ?? [], statement.NotResource ?? []].flat()) {
    if (!/^(\*|arn:([^:]*:){4}.+)$/s.test(resource)) throw new Error(`${at}: ${resource} is no ARN`);
    lintVariables(at, resource);
  }
}

function lintCondition(at: string, condition: PolicyStatement['Condition']): void {
  for (const [name, keys] of Object.entries(condition ?? {})) {
    const operator = operatorNamed(name);
    if (operator === undefined && name !== 'Null')
      throw new Error(`${at}: the operator ${name} is not known here`);
    for (const [key, values] of Object.entries(keys)) {
      const known = conditionKey(key);
      if (known === undefined) throw new Error(`${at}.${name}: the condition key ${key} is not known here`);
      if (known.many && name !== 'Null' && operator?.quantifier === undefined) {
        throw new Error(
          `${at}.${name}: ${key} has many values; write ForAllValues:${name} or ForAnyValue:${name}`,
        );
      }
      for (const value of [values].flat()) lintVariables(`${at}.${name}.${key}`, String(value));
    }
  }
}

function lintVariables(at: string, text: string): void {
  for (const key of variablesIn(text)) {
    if (conditionKey(key) === undefined)
      throw new Error(`${at}: the policy variable ${key} is not known here`);
  }
}
