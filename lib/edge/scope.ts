import { covers, may } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
import type { Caller } from './caller.ts';
import type { Matched } from './route-table.ts';

/**
 * Whether the caller may take the route: what is out of scope is 404, like what is not there; what is in scope
 * without the permission is 403. Routes without an inbox leave the scope to their use case.
 */
export function checkScope({ principal, inbox }: Caller, { route, params }: Matched): void {
  if (
    route.auth === 'iam' ? principal.kind !== 'operator' : route.auth === 'signed' && principal.kind !== 'key'
  )
    throw notFound('Route');
  if ('inbox_id' in params && (inbox === undefined || !covers(principal, inbox))) throw notFound('Inbox');
  if (route.permission === 'any' || route.permission === 'operator' || may(principal, route.permission))
    return;
  throw new Problem('missing_permission', `this key does not have the permission ${route.permission}`, {
    fix: `Use a key with ${route.permission}.`,
  });
}
