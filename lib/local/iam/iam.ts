import { AwsError } from '../aws-error.ts';
import type { Access, Caller, PolicyStatement, ResourceType } from '../cloud.ts';
import type { Clock } from '../clock.ts';
import { evaluate } from './evaluate.ts';
import { accessDeniedMessage, refusalLine, refusalOf, type Refusal } from './refusal.ts';
import { roleResources } from './role-resources.ts';
import { Roles } from './roles.ts';

export interface IamOptions {
  account: string;
  region: string;
  clock: Clock;
  print(line: string): void;
}

/** The operator's AWS managed policy AdministratorAccess. */
const administrator: PolicyStatement[] = [{ Effect: 'Allow', Action: '*', Resource: '*' }];

/** A cloud that runs for weeks forgets the oldest. */
const mostRefusals = 10_000;

/** Answers who may do what, from the policies of the template on both sides of a call. */
export class Iam {
  readonly account: string;
  /** The IAM user at the terminal. */
  readonly operatorArn: string;
  /** AWS::IAM::Role, ::Policy, ::ManagedPolicy. */
  readonly resources: readonly ResourceType[];
  /** The calls that were refused, oldest first. */
  readonly refusals: Refusal[] = [];
  readonly #options: IamOptions;
  readonly #roles = new Roles();

  constructor(options: IamOptions) {
    this.#options = options;
    this.account = options.account;
    this.operatorArn = `arn:aws:iam::${options.account}:user/operator`;
    this.resources = roleResources(options.account, this.#roles);
  }

  /** Returns when the call is allowed. Throws AwsError AccessDenied (403), kept and printed as a refusal. */
  authorize(access: Access): void {
    const { account, region, clock, print } = this.#options;
    const { caller } = access;
    const decision = evaluate(access, this.#identityOf(caller), { account, region, now: clock.now() });
    if (decision.outcome === 'allowed') return;
    const role = caller.kind === 'role' ? this.#roles.byArn(caller.roleArn)?.logicalId : undefined;
    const refusal = refusalOf(access, decision, role);
    this.refusals.push(refusal);
    if (this.refusals.length > mostRefusals) this.refusals.shift();
    print(refusalLine(refusal));
    throw new AwsError('AccessDenied', accessDeniedMessage(refusal, decision), { status: 403 });
  }

  /**
   * The caller that a service becomes in a role: Lambda for a function, SES for an action with a role.
   * Throws AwsError AccessDenied when the role is not there or does not trust the service.
   */
  assumeRole(roleArn: string, service: Caller, session: string, accessKeyId = ''): Caller & { kind: 'role' } {
    const role = this.#roles.byArn(roleArn);
    const trust = role?.trust;
    this.authorize({ caller: service, action: 'sts:AssumeRole', resource: roleArn, resourcePolicy: trust });
    const arn = `arn:aws:sts::${this.account}:assumed-role/${role!.name}/${session}`;
    return { kind: 'role', roleArn, arn, accessKeyId, functionName: session };
  }

  #identityOf(caller: Caller): readonly PolicyStatement[] {
    if (caller.kind === 'role') return this.#roles.statementsOf(caller.roleArn);
    return caller.kind === 'operator' ? administrator : [];
  }
}
