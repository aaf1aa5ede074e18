import type { Caller, PolicyStatement } from '../cloud.ts';

/** `account` names the whole account: it refuses everyone in it, but grants only through their own policies. */
export type PrincipalMatch = 'no' | 'account' | 'yes';

/** Whether a statement of a resource policy speaks of this caller. */
export function principalMatches(
  principal: PolicyStatement['Principal'],
  caller: Caller,
  account: string,
): PrincipalMatch {
  if (principal === undefined) return 'no';
  if (principal === '*') return 'yes';
  const aws = [principal['AWS'] ?? []].flat();
  // IAM treats {"AWS": "*"} as "*": anonymous callers and services too.
  if (aws.includes('*')) return 'yes';
  if (caller.kind === 'service')
    return [principal['Service'] ?? []].flat().includes(caller.service) ? 'yes' : 'no';
  if (caller.kind === 'anonymous') return 'no';
  if (aws.includes(caller.arn)) return 'yes';
  if (caller.kind === 'role' && aws.includes(caller.roleArn)) return 'yes';
  return aws.includes(account) || aws.includes(`arn:aws:iam::${account}:root`) ? 'account' : 'no';
}
