import type { PolicyDocument, PolicyStatement } from '../cloud.ts';
import { awsManagedPolicies } from './aws-managed-policies.ts';
import { statementsOf } from './enforceable-policy.ts';

export interface Role {
  name: string;
  arn: string;
  /** As IAM's unique id, `AROA…`. */
  id: string;
  logicalId: string;
  /** Who may take the role on. */
  trust: PolicyDocument;
  /** Seconds that a session of STS lasts at most. */
  maxSession: number;
  tags: Record<string, string>;
}

/** The roles of the stack and what their policies say. */
export class Roles {
  readonly #byArn = new Map<string, Role>();
  readonly #managed = new Map<string, PolicyStatement[]>(
    Object.entries(awsManagedPolicies).map(([arn, document]) => [arn, statementsOf(document)]),
  );
  readonly #statements = new Map<string, PolicyStatement[]>();

  /** Throws when one of the managed policies is not known. */
  add(role: Role, inline: PolicyDocument[], managedArns: string[]): void {
    this.#byArn.set(role.arn, role);
    this.#statements.set(role.arn, inline.flatMap(statementsOf));
    for (const arn of managedArns) {
      const managed = this.#managed.get(arn);
      if (managed === undefined) throw new Error(`the managed policy ${arn} is not known to the local cloud`);
      this.#statements.get(role.arn)!.push(...managed);
    }
  }

  addManagedPolicy(arn: string, document: PolicyDocument): void {
    this.#managed.set(arn, statementsOf(document));
  }

  /** Throws when there is no role of that name. */
  attach(document: PolicyDocument, roleNames: string[]): void {
    for (const name of roleNames) {
      const role = [...this.#byArn.values()].find((one) => one.name === name);
      if (role === undefined) throw new Error(`there is no role ${name}`);
      this.#statements.get(role.arn)!.push(...statementsOf(document));
    }
  }

  byArn(arn: string): Role | undefined {
    return this.#byArn.get(arn);
  }

  statementsOf(roleArn: string): readonly PolicyStatement[] {
    return this.#statements.get(roleArn) ?? [];
  }
}
