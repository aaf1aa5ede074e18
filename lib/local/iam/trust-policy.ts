import type { PolicyDocument } from '../cloud.ts';
import { statementsOf } from './enforceable-policy.ts';

/**
 * Throws what IAM throws when a role is created with a trust policy it does not take. `exists` knows the users and
 * roles of this account: IAM refuses a policy that names one that is not there (yet).
 */
export function checkTrustPolicy(
  trust: PolicyDocument,
  account: string,
  exists: (arn: string) => boolean,
): void {
  for (const { Principal, Action, Resource, NotResource } of statementsOf(trust)) {
    if (Resource !== undefined || NotResource !== undefined) throw malformed('Has prohibited field Resource');
    if (Principal === undefined) throw malformed('Missing required field Principal');
    if ([Action ?? '*'].flat().some((action) => !/^sts:/i.test(action))) {
      throw malformed('AssumeRole policy may only specify STS AssumeRole actions.');
    }
    for (const principal of Principal === '*' ? [] : [Principal['AWS'] ?? []].flat()) {
      if (!isPrincipal(principal, account, exists)) {
        throw malformed(`Invalid principal in policy: "AWS":"${principal}"`);
      }
    }
  }
}

function isPrincipal(principal: string, account: string, exists: (arn: string) => boolean): boolean {
  if (principal === '*' || /^\d{12}$/.test(principal)) return true;
  if (/^arn:aws:sts::\d{12}:assumed-role(\/[^/*?]+){2}$/.test(principal)) return true;
  const [, owner, holder] = /^arn:aws:iam::(\d{12}):(root|(?:user|role)\/[^*?]+)$/.exec(principal) ?? [];
  if (owner === undefined) return false;
  return owner !== account || holder === 'root' || exists(principal);
}

const malformed = (what: string) => new Error(`MalformedPolicyDocument: ${what}`);
