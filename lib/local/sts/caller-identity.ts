import { AwsError } from '../aws-error.ts';
import type { Caller } from '../cloud.ts';

/** What GetCallerIdentity answers. */
export function callerIdentity(caller: Caller, account: string) {
  if (caller.kind === 'role') {
    const [, role, session] = caller.arn.split('/');
    return { UserId: `AROA${role}:${session}`, Account: account, Arn: caller.arn };
  }
  if (caller.kind === 'operator') {
    const name = caller.arn.slice(caller.arn.lastIndexOf('/') + 1);
    return { UserId: `AIDA${name}`, Account: account, Arn: caller.arn };
  }
  throw new AwsError('AccessDenied', `${caller.kind} is no principal of this account`, { status: 403 });
}
