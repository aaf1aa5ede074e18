import * as z from 'zod';
import type { ResourceType } from '../cloud.ts';
import { ignored } from '../ignored.ts';
import { enforceablePolicy } from './enforceable-policy.ts';
import type { Roles } from './roles.ts';

const path = z
  .string()
  .regex(/^\/([!-~]+\/)?$/, 'begins and ends with /')
  .default('/');
const tags = ignored('tags are for bills');
const description = ignored('for people in the console');

const roleProperties = z.strictObject({
  RoleName: z.string().max(64).optional(),
  AssumeRolePolicyDocument: enforceablePolicy,
  ManagedPolicyArns: z.array(z.string()).default([]),
  Policies: z
    .array(z.strictObject({ PolicyName: z.string(), PolicyDocument: enforceablePolicy }))
    .default([]),
  Path: path,
  Description: description,
  MaxSessionDuration: ignored('bounds sessions that people ask STS for; Lambda renews its own'),
  Tags: tags,
});

const attachedProperties = z.strictObject({
  PolicyName: z.string().max(128),
  PolicyDocument: enforceablePolicy,
  Roles: z.array(z.string()).min(1),
});

const managedProperties = z.strictObject({
  ManagedPolicyName: z.string().max(128).optional(),
  PolicyDocument: enforceablePolicy,
  Roles: z.array(z.string()).default([]),
  Path: path,
  Description: description,
  Tags: tags,
});

/** AWS::IAM::Role, ::Policy and ::ManagedPolicy, kept in `roles`. */
export function roleResources(account: string, roles: Roles): ResourceType[] {
  const role: ResourceType<z.infer<typeof roleProperties>> = {
    type: 'AWS::IAM::Role',
    properties: roleProperties,
    deploy({ logicalId, physicalName, properties }) {
      const name = properties.RoleName ?? physicalName;
      const arn = `arn:aws:iam::${account}:role${properties.Path}${name}`;
      const inline = properties.Policies.map((policy) => policy.PolicyDocument);
      const trust = properties.AssumeRolePolicyDocument;
      roles.add({ name, arn, logicalId, trust }, inline, properties.ManagedPolicyArns);
      return { ref: name, attributes: { Arn: arn, RoleId: `AROA${name}` } };
    },
  };
  const policy: ResourceType<z.infer<typeof attachedProperties>> = {
    type: 'AWS::IAM::Policy',
    properties: attachedProperties,
    deploy({ properties }) {
      roles.attach(properties.PolicyDocument, properties.Roles);
      return { ref: properties.PolicyName };
    },
  };
  const managed: ResourceType<z.infer<typeof managedProperties>> = {
    type: 'AWS::IAM::ManagedPolicy',
    properties: managedProperties,
    deploy({ physicalName, properties }) {
      const arn = `arn:aws:iam::${account}:policy${properties.Path}${properties.ManagedPolicyName ?? physicalName}`;
      roles.addManagedPolicy(arn, properties.PolicyDocument);
      roles.attach(properties.PolicyDocument, properties.Roles);
      return { ref: arn, attributes: { PolicyArn: arn } };
    },
  };
  return [role, policy, managed];
}
