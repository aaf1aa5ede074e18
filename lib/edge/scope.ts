import type { Permission } from '../contract/permission.ts';
import { isUnrestricted, may, type Principal, type Scope } from '../contract/principal.ts';
import { levelOf, resolveScope } from '../contract/scope.ts';
import { Problem, notFound } from '../contract/problem.ts';
import type { Route } from '../contract/route.ts';
import type { Caller } from './caller.ts';
import type { Matched } from './route-table.ts';

/**
 * The scope the call acts in, when the caller may take the route: what is out of scope is 404, like what is not
 * there; what is in scope without the permission is 403. The operator's routes have no scope.
 */
export function checkScope(caller: Caller, { route, params }: Matched): Scope | undefined {
  const { principal, pod, inbox } = caller;
  if (route.auth === 'none') return undefined;
  if (route.auth === 'iam') {
    if (principal.kind !== 'operator') throw notFound('Route');
    return undefined;
  }
  if (principal.kind !== 'key' || principal.scope === undefined) throw notFound('Route');
  const scope = resolveScope(principal.scope, {
    ...(params['pod_id'] !== undefined && { pod: { id: params['pod_id'], found: pod !== undefined } }),
    ...('inbox_id' in params && { inbox: { found: inbox } }),
  });
  if (scope === undefined) throw notFound('inbox_id' in params ? 'Inbox' : 'Pod');
  checkLevel(principal.scope, route);
  checkPermission(principal, route.permission);
  return scope;
}

const widths = { organization: 3, pod: 2, inbox: 1 } as const;

function checkLevel(own: Scope, { least }: Route): void {
  if (least === undefined || widths[levelOf(own)] >= widths[least]) return;
  throw new Problem('missing_permission', `a key of one ${levelOf(own)} cannot do this`, {
    fix: least === 'pod' ? 'Use a key of the pod or of the organization.' : 'Use a key of the organization.',
  });
}

function checkPermission(principal: Principal, permission: Route['permission']): void {
  if (permission === 'any' || permission === 'operator') return;
  if (permission === 'unrestricted') {
    if (isUnrestricted(principal)) return;
    throw new Problem('unrestricted_key_required', 'only an unrestricted key may do this');
  }
  if (may(principal, permission)) return;
  throw lacks(permission);
}

const lacks = (permission: Permission): Problem =>
  new Problem('missing_permission', `this key does not have the permission ${permission}`, {
    fix: `Use a key with ${permission}.`,
  });
