import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import type { PolicyDocument, PolicyStatement } from '../cloud.ts';
import { functionNameOf } from './function-name.ts';
import { limits } from './limits.ts';

/** AWS::Lambda::Permission: one statement of a function's resource policy. */
export const permissionProperties = z.strictObject({
  Action: z.string(),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
});
export type PermissionProperties = z.infer<typeof permissionProperties>;

/** The resource policies of the functions. */
export class Permissions {
  readonly #statements = new Map<string, PolicyStatement[]>();

  /** Adds a statement. Throws PolicyLengthExceededException above 20 KB. */
  add(sid: string, functionArn: string, permission: PermissionProperties): void {
    const name = functionNameOf(functionArn);
    const statements = [...(this.#statements.get(name) ?? []), statementOf(sid, functionArn, permission)];
    const size = Buffer.byteLength(JSON.stringify(documentOf(statements)));
    if (size > limits.resourcePolicy) {
      const message = `The final policy size (${size}) is bigger than the limit (${limits.resourcePolicy}).`;
      throw new AwsError('PolicyLengthExceededException', message);
    }
    this.#statements.set(name, statements);
  }

  policyOf(functionArn: string): PolicyDocument | undefined {
    const statements = this.#statements.get(functionNameOf(functionArn));
    return statements === undefined ? undefined : documentOf(statements);
  }
}

const documentOf = (Statement: PolicyStatement[]): PolicyDocument => ({ Version: '2012-10-17', Statement });

function statementOf(sid: string, functionArn: string, permission: PermissionProperties): PolicyStatement {
  const { Action, Principal, SourceArn, SourceAccount } = permission;
  const condition = {
    ...(SourceAccount !== undefined && { StringEquals: { 'aws:SourceAccount': SourceAccount } }),
    ...(SourceArn !== undefined && { ArnLike: { 'aws:SourceArn': SourceArn } }),
  };
  return {
    Sid: sid,
    Effect: 'Allow',
    Principal: principalOf(Principal),
    Action,
    Resource: functionArn,
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
  };
}

function principalOf(principal: string): '*' | Record<string, string> {
  if (principal === '*') return '*';
  if (principal.endsWith('.amazonaws.com')) return { Service: principal };
  return { AWS: /^\d{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal };
}
