import * as z from 'zod';
import type { ResourceType } from '../cloud.ts';
import { ignored } from '../ignored.ts';
import { enforceablePolicy } from './enforceable-policy.ts';
import type { Roles } from './roles.ts';
import { checkTrustPolicy } from './trust-policy.ts';

interface Owner {
  account: string;
  /** The one IAM user of the account. */
  operatorArn: string;
}

const path = z
  .string()
  .regex(/^\/([!-~]+\/)?$/, 'begins and ends with /')
  .default('/');
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
  MaxSessionDuration: z.int().min(3_600).max(43_200).default(3_600),
  // IAM shows them to policies as aws:PrincipalTag.
  Tags: z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) })).default([]),
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
  Tags: ignored('tags are for bills'),
});

/** AWS::IAM::Role, ::Policy and ::ManagedPolicy, kept in `roles`. */
export function roleResources({ account, operatorArn }: Owner, roles: Roles): ResourceType[] {
  const role: ResourceType<z.infer<typeof roleProperties>> = {
    type: 'AWS::IAM::Role',
    properties: roleProperties,
    deploy({ logicalId, physicalName, properties }) {
      const name = properties.RoleName ?? physicalName;
      const arn = `arn:aws:iam::${account}:role${properties.Path}${name}`;
      const inline = properties.Policies.map((policy) => policy.PolicyDocument);
      const trust = properties.AssumeRolePolicyDocument;
      checkTrustPolicy(trust, account, (one) => one === operatorArn || roles.byArn(one) !== undefined);
      const id = `AROA${name}`;
      const tags = Object.fromEntries(properties.Tags.map(({ Key, Value }) => [Key, Value]));
      const maxSession = properties.MaxSessionDuration;
      roles.add({ name, arn, id, logicalId, trust, maxSession, tags }, inline, properties.ManagedPolicyArns);
      return { ref: name, attributes: { Arn: arn, RoleId: id } };
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
