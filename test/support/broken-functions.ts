import { onTestFinished } from 'vitest';
import { AwsError } from '../../lib/local/aws-error.ts';
import type { Mailroom } from './mailroom.ts';

/** What Lambda itself asks for with a function's role; whoever refuses that stops the function and does not break it. */
const ofLambda = /^(sqs|logs):|^dynamodb:(DescribeStream|GetRecords|GetShardIterator|ListStreams)$/;

interface Break {
  /** Parts of the names of functions; in each only those whose name has it. */
  functions: readonly string[];
  /** How often each fails; without an end when absent. */
  times?: number;
  /** Only when this is asked for; the first thing a function itself asks for when absent. */
  action?: string;
  /** Only of resources whose ARN matches. */
  resource?: RegExp;
}

/**
 * Refuses functions what they were granted, with an answer that no client repeats, so that the invocation fails. `left`
 * says how many failures each has before it; `mend` ends it, and so does the end of the test.
 */
export function breakFunctions(
  { cloud: { iam } }: Mailroom,
  { functions, times = Infinity, ...only }: Break,
) {
  const left = new Map(functions.map((name) => [name, times]));
  const authorize = iam.authorize.bind(iam);
  iam.authorize = (access) => {
    const { caller, action, resource } = access;
    const name = caller.kind === 'role' && functions.find((one) => caller.functionName?.includes(one));
    const meant =
      (only.action === undefined ? !ofLambda.test(action) : action === only.action) &&
      (only.resource === undefined || only.resource.test(resource));
    if (!name || !meant || left.get(name) === 0) return authorize(access);
    left.set(name, left.get(name)! - 1);
    throw new AwsError('AccessDenied', `${action} was refused to ${name} on purpose`, { status: 403 });
  };
  const mend = () => void (iam.authorize = authorize);
  onTestFinished(mend);
  return { left, mend };
}
