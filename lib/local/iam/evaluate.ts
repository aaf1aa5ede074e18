import type { Access, Caller, PolicyStatement } from '../cloud.ts';
import { callContext, type CallPlace } from './call-context.ts';
import { conditionHolds } from './condition.ts';
import { statementsOf } from './enforceable-policy.ts';
import { principalMatches } from './principal.ts';
import { matches, matchesArn, type Context } from './wildcard.ts';

export type Decision =
  | { outcome: 'allowed' }
  /** A statement forbids it, whatever others allow. */
  | { outcome: 'explicit-deny'; by: 'identity' | 'resource'; statement: PolicyStatement }
  /** Nothing allows it; `missing` says where a grant could stand. */
  | { outcome: 'implicit-deny'; missing: 'identity' | 'resource' };

/** IAM's answer within one account. `identity` are the statements of the caller's own policies. */
export function evaluate(access: Access, identity: readonly PolicyStatement[], place: CallPlace): Decision {
  const { caller, resourcePolicy } = access;
  const context = callContext(access, place);
  const own = identity.filter((statement) => covers(statement, access, context));
  const onResource = (resourcePolicy === undefined ? [] : statementsOf(resourcePolicy))
    .map((statement) => ({
      statement,
      principal: principalMatches(statement.Principal, caller, place.account),
    }))
    .filter(({ statement, principal }) => principal !== 'no' && covers(statement, access, context));

  const ownDeny = own.find((statement) => statement.Effect === 'Deny');
  if (ownDeny !== undefined) return { outcome: 'explicit-deny', by: 'identity', statement: ownDeny };
  const resourceDeny = onResource.find(({ statement }) => statement.Effect === 'Deny');
  if (resourceDeny) return { outcome: 'explicit-deny', by: 'resource', statement: resourceDeny.statement };

  const delegated = access.trustNeeded !== true || onResource.length > 0;
  if (own.length > 0 && delegated) return { outcome: 'allowed' };
  if (onResource.some(({ principal }) => principal === 'yes')) return { outcome: 'allowed' };
  return { outcome: 'implicit-deny', missing: hasIdentity(caller) && delegated ? 'identity' : 'resource' };
}

const hasIdentity = (caller: Caller) => caller.kind === 'role' || caller.kind === 'operator';

/** Whether a statement is about this action and resource under these conditions. */
function covers(statement: PolicyStatement, { action, resource }: Access, context: Context): boolean {
  return (
    coversAction(statement, action, context) &&
    coversResource(statement, resource, context) &&
    conditionHolds(statement.Condition, context)
  );
}

function coversAction({ Action, NotAction }: PolicyStatement, action: string, context: Context): boolean {
  const named = (list: string | string[]) =>
    [list].flat().some((pattern) => matches(pattern, action, context, { ignoreCase: true }));
  return Action === undefined ? NotAction !== undefined && !named(NotAction) : named(Action);
}

function coversResource(
  { Resource, NotResource }: PolicyStatement,
  resource: string,
  context: Context,
): boolean {
  const named = (list: string | string[]) =>
    [list].flat().some((pattern) => matchesArn(pattern, resource, context));
  if (Resource !== undefined) return named(Resource);
  // A trust policy has no resource: the role it stands on is meant.
  return NotResource === undefined || !named(NotResource);
}
