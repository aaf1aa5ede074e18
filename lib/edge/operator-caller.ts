import { Problem } from '../contract/problem.ts';
import type { Authenticate } from './caller.ts';

/** The operator: API Gateway checked SigV4 and `execute-api:Invoke` before the function was called. */
export const operatorCaller: Authenticate = async (_request, _aim, event) => {
  const { authorizer } = event.requestContext as { authorizer?: { iam?: { userArn?: string } } };
  const arn = authorizer?.iam?.userArn;
  if (!arn)
    throw new Problem('missing_permission', 'only the operator may call this', {
      fix: 'Sign with SigV4 and AWS credentials that may execute-api:Invoke here.',
    });
  const { sourceIp } = event.requestContext.http;
  return {
    principal: { kind: 'operator' },
    personal: { user_arn: arn, ...(sourceIp && { source_ip: sourceIp }) },
  };
};
