import type { Deployed, ResourceType } from '../cloud.ts';
import type { CustomResources } from './custom-resource.ts';
import { deployScope, type StackPlace } from './deploy-scope.ts';
import { ignoredTypes } from './ignored-types.ts';
import { resolve, type Scope } from './intrinsics.ts';
import { physicalName } from './physical-name.ts';
import { deploymentOrder, referencesIn } from './references.ts';
import type { Template, TemplateResource } from './template.ts';
import { TemplateError } from './template-error.ts';

/** What a deployment needs beside the template. */
export interface Deployment {
  place: StackPlace;
  /** Makes the physical names of this home its own. */
  seed: string;
  resourceTypes: readonly ResourceType[];
  customResources: CustomResources;
  /** Sees every resource's resolved properties before it is deployed; throws to refuse it. */
  inspect(at: string, properties: Record<string, unknown>): void;
}

export interface Stack {
  /** Values of the template's outputs. */
  outputs: Record<string, string>;
  /** What each deployed resource answers to Ref and Fn::GetAtt, by logical id. */
  resources: Map<string, Deployed>;
}

/**
 * Deploys each resource after all it refers to. Throws TemplateError, naming logical id and property, for
 * whatever this machine does not know; types, names and circles are checked before anything is deployed.
 */
export async function deploy(template: Template, deployment: Deployment): Promise<Stack> {
  const types = new Map(deployment.resourceTypes.map((type) => [type.type, type]));
  const resources = new Map<string, Deployed>();
  const scope = deployScope(template, deployment.place, resources);
  const order = deploymentOrder(template);
  for (const logicalId of order) checkKnown(logicalId, template.Resources[logicalId]!, types);
  checkNames(template);
  const present = order.filter((logicalId) => {
    const { Condition } = template.Resources[logicalId]!;
    return Condition === undefined || scope.condition(Condition, `Resources.${logicalId}.Condition`);
  });
  for (const logicalId of present) {
    const deployed = await deployOne(logicalId, template.Resources[logicalId]!, scope, types, deployment);
    if (deployed !== undefined) resources.set(logicalId, deployed);
  }
  await deployment.customResources.removeAllBut(new Set(present));
  return { resources, outputs: resolveOutputs(template, scope) };
}

const isCustom = (type: string) =>
  type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource';

function checkKnown(logicalId: string, { Type }: TemplateResource, types: Map<string, ResourceType>): void {
  if (types.has(Type) || isCustom(Type) || Object.hasOwn(ignoredTypes, Type)) return;
  throw new TemplateError(
    `Resources.${logicalId}`,
    `the resource type ${Type} is not known to the local cloud`,
  );
}

function checkNames(template: Template): void {
  for (const [logicalId, { Properties }] of Object.entries(template.Resources)) {
    const at = `Resources.${logicalId}.Properties`;
    for (const name of referencesIn(Properties, at)) {
      const known = name in template.Resources || name in template.Parameters || name.startsWith('AWS::');
      if (!known) throw new TemplateError(at, `refers to ${name}, which is not in the template`);
    }
  }
}

async function deployOne(
  logicalId: string,
  resource: TemplateResource,
  scope: Scope,
  types: Map<string, ResourceType>,
  deployment: Deployment,
): Promise<Deployed | undefined> {
  const at = `Resources.${logicalId}`;
  const properties = resolve(resource.Properties, scope, `${at}.Properties`) as Record<string, unknown>;
  deployment.inspect(`${at}.Properties`, properties);
  const type = types.get(resource.Type);
  const { place, seed } = deployment;
  try {
    if (type !== undefined) {
      const fifo = properties['FifoQueue'] === true || properties['FifoTopic'] === true;
      return await type.deploy({
        logicalId,
        physicalName: physicalName(place.stackName, logicalId, type.type, seed, fifo ? '.fifo' : ''),
        properties: parseProperties(type, properties, at),
        metadata: resource.Metadata,
      });
    }
    if (isCustom(resource.Type)) {
      return await deployment.customResources.deploy(logicalId, resource.Type, properties);
    }
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError) throw error;
    const problem = new TemplateError(`${at} (${resource.Type})`, (error as Error).message);
    problem.cause = error;
    throw problem;
  }
}

function parseProperties(type: ResourceType, properties: unknown, at: string): unknown {
  const parsed = type.properties.safeParse(properties);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const path = [`${at}.Properties`, ...issue.path].join('.');
    if (issue.code !== 'unrecognized_keys') return `${path}: ${issue.message}`;
    return issue.keys.map((key) => `${path}.${key}: is not known to the local cloud`).join('; ');
  });
  throw new TemplateError(`${at} (${type.type})`, problems.join('; '));
}

function resolveOutputs(template: Template, scope: Scope): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [name, output] of Object.entries(template.Outputs)) {
    const at = `Outputs.${name}`;
    if (output.Condition !== undefined && !scope.condition(output.Condition, at)) continue;
    const value = resolve(output.Value, scope, `${at}.Value`);
    outputs[name] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return outputs;
}
