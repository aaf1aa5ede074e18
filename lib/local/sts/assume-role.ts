import { AwsError } from '../aws-error.ts';
import type { Caller } from '../cloud.ts';
import type { AccessKeys } from '../iam/access-keys.ts';
import type { QueryValue } from '../query-protocol.ts';
import { readAssumeRole } from './assume-role-request.ts';

/** Seconds; a session got with a session is no longer, whatever its role allows. */
const longestChained = 3_600;

/** AssumeRole: keys of a role's session that ends by the cloud's clock. Throws AwsError. */
export function assumeRole(keys: AccessKeys, caller: Caller, input: Record<string, QueryValue>) {
  const wish = readAssumeRole(input);
  if (caller.kind === 'role' && wish.seconds > longestChained) {
    const limit = 'the 1 hour session limit for roles assumed by role chaining.';
    throw new AwsError('ValidationError', `The requested DurationSeconds exceeds ${limit}`);
  }
  const session = keys.assume(caller, wish);
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: session.expiration.toISOString().replace('.000Z', 'Z'),
    },
    AssumedRoleUser: { AssumedRoleId: session.id, Arn: session.arn },
  };
}
