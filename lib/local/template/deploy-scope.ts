import type { Deployed } from '../cloud.ts';
import { evaluateCondition } from './conditions.ts';
import { NO_VALUE, type Scope } from './intrinsics.ts';
import { ignoredParameters, type Template } from './template.ts';
import { TemplateError } from './template-error.ts';

/** Where the stack is deployed: what the pseudo parameters answer. */
export interface StackPlace {
  stackName: string;
  stackId: string;
  account: string;
  region: string;
}

/** The names in sight of the template: pseudo parameters, parameters, and the resources deployed so far. */
export function deployScope(template: Template, place: StackPlace, deployed: Map<string, Deployed>): Scope {
  const pseudo = pseudoParameters(place);
  const parameter = (name: string, at: string): unknown => {
    if (Object.hasOwn(ignoredParameters, name))
      throw new TemplateError(at, `the parameter ${name} has no value here`);
    const { Default } = template.Parameters[name]!;
    if (Default === undefined)
      throw new TemplateError(`Parameters.${name}`, 'has no default, and nobody to ask');
    return Default;
  };
  const conditionRef = (name: string, at: string): unknown => {
    if (pseudo.has(name)) return pseudo.get(name);
    if (Object.hasOwn(template.Parameters, name)) return parameter(name, at);
    throw new TemplateError(at, `${name} is no parameter`);
  };
  const resource = (logicalId: string, at: string): Deployed => {
    const found = deployed.get(logicalId);
    if (found !== undefined) return found;
    const type = template.Resources[logicalId]?.Type;
    const why = type === undefined ? 'is not in the template' : `(${type}) has no value on this machine`;
    throw new TemplateError(at, `${logicalId} ${why}`);
  };
  const scope: Scope = {
    ref: (name, at) =>
      pseudo.has(name) || Object.hasOwn(template.Parameters, name)
        ? conditionRef(name, at)
        : resource(name, at).ref,
    getAtt: (logicalId, attribute, at) => {
      const attributes = resource(logicalId, at).attributes ?? {};
      if (Object.hasOwn(attributes, attribute)) return attributes[attribute];
      throw new TemplateError(at, `${logicalId} has no attribute ${attribute} on this machine`);
    },
    mapping: (map, first, second, at) => {
      const found = template.Mappings[map]?.[first]?.[second];
      if (found === undefined)
        throw new TemplateError(at, `there is no mapping ${map} / ${first} / ${second}`);
      return found;
    },
    condition: (name) =>
      evaluateCondition(template.Conditions, name, { ref: conditionRef, mapping: scope.mapping }),
  };
  return scope;
}

function pseudoParameters({ stackName, stackId, account, region }: StackPlace): Map<string, unknown> {
  return new Map<string, unknown>([
    ['AWS::AccountId', account],
    ['AWS::Region', region],
    ['AWS::Partition', 'aws'],
    ['AWS::URLSuffix', 'amazonaws.com'],
    ['AWS::StackId', stackId],
    ['AWS::StackName', stackName],
    ['AWS::NoValue', NO_VALUE],
  ]);
}
