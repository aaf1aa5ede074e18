import { getAttParts, intrinsicOf, subPattern } from './intrinsics.ts';
import type { Template, TemplateResource } from './template.ts';
import { TemplateError } from './template-error.ts';

/** Names that a value refers to: logical ids, parameters and pseudo parameters alike. */
export function referencesIn(value: unknown, at: string, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) {
    value.forEach((item, i) => referencesIn(item, `${at}.${i}`, found));
  } else if (typeof value === 'object' && value !== null) {
    const argument = Object.values(value)[0];
    const name = intrinsicOf(value, at);
    if (name === 'Ref') found.add(String(argument));
    else if (name === 'Fn::GetAtt') found.add(getAttParts(argument, at)[0]);
    else if (name === 'Fn::Sub') referencesInSub(argument, at, found);
    else for (const [key, item] of Object.entries(value)) referencesIn(item, `${at}.${key}`, found);
  }
  return found;
}

function referencesInSub(argument: unknown, at: string, found: Set<string>): void {
  const [source, variables] = Array.isArray(argument) ? argument : [argument, {}];
  for (const [, literal, name] of String(source).matchAll(subPattern)) {
    if (literal === '' && !Object.hasOwn(variables as object, name!)) found.add(name!.split('.')[0]!);
  }
  for (const [key, item] of Object.entries(variables as object)) referencesIn(item, `${at}.${key}`, found);
}

/**
 * Logical ids in an order in which each comes after all it refers to or depends on; otherwise as written.
 * Throws TemplateError for a dependency that does not exist and for a circle, naming its members.
 */
export function deploymentOrder(template: Template): string[] {
  const done = new Set<string>();
  const visit = (logicalId: string, path: string[]): void => {
    if (done.has(logicalId)) return;
    if (path.includes(logicalId)) {
      const circle = [...path.slice(path.indexOf(logicalId)), logicalId].join(' → ');
      throw new TemplateError(`Resources.${logicalId}`, `depends on itself: ${circle}`);
    }
    for (const next of dependenciesOf(logicalId, template)) visit(next, [...path, logicalId]);
    done.add(logicalId);
  };
  for (const logicalId of Object.keys(template.Resources)) visit(logicalId, []);
  return [...done];
}

function dependenciesOf(logicalId: string, template: Template): Iterable<string> {
  const resource = template.Resources[logicalId]!;
  const found = referencesIn(resource.Properties, `Resources.${logicalId}.Properties`);
  const dependencies = new Set([...found].filter((name) => name in template.Resources));
  for (const name of dependsOn(resource)) {
    if (!(name in template.Resources)) {
      throw new TemplateError(`Resources.${logicalId}.DependsOn`, `there is no resource ${name}`);
    }
    dependencies.add(name);
  }
  return dependencies;
}

const dependsOn = (resource: TemplateResource): string[] => [resource.DependsOn ?? []].flat();
