import { AwsError } from '../aws-error.ts';
import type { Caller, Cloud } from '../cloud.ts';

/**
 * What Lambda checks when something is set up that it will do with a function's role. Throws
 * InvalidParameterValueException naming the first action that the role may not take.
 */
export function demandGrants(
  cloud: Cloud,
  caller: Caller,
  service: string,
  actions: string[],
  resource: string,
): void {
  for (const action of actions) {
    try {
      cloud.authorize({ caller, action: `${service}:${action}`, resource });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const message =
        `The provided execution role does not have permissions to call ${action} on ${service.toUpperCase()} ` +
        `(${resource}): ${error.message}`;
      throw new AwsError('InvalidParameterValueException', message);
    }
  }
}
