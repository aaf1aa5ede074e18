import { AwsError } from '../aws-error.ts';
import type { Access, Caller, PolicyStatement, ResourceType, RoleCaller } from '../cloud.ts';
import type { Clock } from '../clock.ts';
import { tagKeys, type CallPlace } from './call-context.ts';
import { evaluate } from './evaluate.ts';
import { accessDeniedMessage, refusalLine, refusalOf, type Refusal } from './refusal.ts';
import { roleResources } from './role-resources.ts';
import { Roles, type Role } from './roles.ts';

export interface IamOptions {
  account: string;
  region: string;
  clock: Clock;
  print(line: string): void;
}

/** What a caller asks STS to become. */
export interface RoleWish {
  roleArn: string;
  sessionName: string;
  /** Session tags. */
  tags: Record<string, string>;
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
    this.resources = roleResources(this, this.#roles);
  }

  /** Returns when the call is allowed. Throws AwsError AccessDenied (403), kept and printed as a refusal. */
  authorize(access: Access): void {
    const { account, region, clock } = this.#options;
    const { caller } = access;
    const role = caller.kind === 'role' ? this.#roles.byArn(caller.roleArn) : undefined;
    const place: CallPlace = { account, region, now: clock.now(), ...(role && { roleTags: role.tags }) };
    const decision = evaluate(access, this.#identityOf(caller), place);
    if (decision.outcome === 'allowed') return;
    const refusal = refusalOf(access, decision, role?.logicalId);
    if (access.quiet !== true) this.#keep(refusal);
    throw new AwsError('AccessDenied', accessDeniedMessage(refusal, decision), { status: 403 });
  }

  /**
   * The caller that a service becomes in a role: Lambda for a function, SES for an action with a role.
   * Throws AwsError AccessDenied when the role is not there or does not trust the service.
   */
  assumeRole(roleArn: string, service: Caller, session: string, accessKeyId = ''): RoleCaller {
    this.admit(service, { roleArn, sessionName: session, tags: {} });
    const arn = this.sessionArn(roleArn, session);
    return { kind: 'role', roleArn, arn, accessKeyId, functionName: session };
  }

  /**
   * The role that a caller may take on, with these tags. The trust policy has to name the caller, or the account and
   * the caller's own policies the role; tags want that for sts:TagSession too. Throws AwsError AccessDenied, also
   * when there is no such role.
   */
  admit(caller: Caller, { roleArn, sessionName, tags }: RoleWish): Role {
    const role = this.#roles.byArn(roleArn);
    const keys = Object.keys(tags);
    const context = {
      'sts:RoleSessionName': sessionName,
      ...(keys.length === 0 ? {} : { 'aws:TagKeys': keys }),
      ...tagKeys('aws:RequestTag', tags),
    };
    for (const action of keys.length === 0 ? ['sts:AssumeRole'] : ['sts:AssumeRole', 'sts:TagSession']) {
      const trust = { resourcePolicy: role?.trust, trustNeeded: true };
      this.authorize({ caller, action, resource: roleArn, context, ...trust });
    }
    return role!;
  }

  /** The ARN of a session of a role; the role's path is not part of it. */
  sessionArn(roleArn: string, session: string): string {
    const name = roleArn.slice(roleArn.lastIndexOf('/') + 1);
    return `arn:aws:sts::${this.account}:assumed-role/${name}/${session}`;
  }

  #keep(refusal: Refusal): void {
    this.refusals.push(refusal);
    if (this.refusals.length > mostRefusals) this.refusals.shift();
    this.#options.print(refusalLine(refusal));
  }

  #identityOf(caller: Caller): readonly PolicyStatement[] {
    if (caller.kind === 'role') return this.#roles.statementsOf(caller.roleArn);
    return caller.kind === 'operator' ? administrator : [];
  }
}
