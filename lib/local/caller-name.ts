import type { Caller } from './cloud.ts';

/** Who a call is counted for: the function, the role's session, the AWS service, or the operator. */
export function callerName(caller: Caller): string {
  if (caller.kind === 'role')
    return caller.functionName ?? caller.roleArn.split('/').at(-1) ?? caller.roleArn;
  return caller.kind === 'service' ? caller.service : caller.kind;
}
