import type { Access } from '../cloud.ts';
import type { Decision } from './evaluate.ts';

/** A call that IAM refused. */
export interface Refusal {
  /** ARN of a role's session or user, an AWS service, or `anonymous`. */
  who: string;
  action: string;
  resource: string;
  outcome: 'explicit-deny' | 'implicit-deny';
  /** The grant that is missing or the statement that forbids, as one clause. */
  missing: string;
}

type Denied = Exclude<Decision, { outcome: 'allowed' }>;

/** Who is refused what for which missing grant. `role` is what the template calls the caller's role. */
export function refusalOf(access: Access, denied: Denied, role: string | undefined): Refusal {
  const { caller, action, resource } = access;
  const who =
    caller.kind === 'service' ? caller.service : caller.kind === 'anonymous' ? 'anonymous' : caller.arn;
  const own = role === undefined ? `the policies of ${who}` : `the policies of role ${role}`;
  const of = `the ${resourcePolicyName(action)} of ${resource}`;
  const holder = (side: 'identity' | 'resource') => (side === 'identity' ? own : of);
  if (denied.outcome === 'explicit-deny') {
    const name = denied.statement.Sid === undefined ? 'a statement' : `the statement ${denied.statement.Sid}`;
    return {
      who,
      action,
      resource,
      outcome: denied.outcome,
      missing: `${name} of ${holder(denied.by)} denies it`,
    };
  }
  const to = denied.missing === 'identity' ? '' : ` to ${who}${circumstances(access)}`;
  const missing = `${holder(denied.missing)} must allow ${action}${to}`;
  return { who, action, resource, outcome: denied.outcome, missing };
}

function circumstances({ caller, resourcePolicy }: Access): string {
  const from = caller.kind === 'service' && caller.sourceArn !== undefined ? ` from ${caller.sourceArn}` : '';
  return resourcePolicy === undefined ? `${from}; it has none` : from;
}

function resourcePolicyName(action: string): string {
  const names: Record<string, string> = {
    s3: 'bucket policy',
    sns: 'topic policy',
    sqs: 'queue policy',
    lambda: 'Lambda permission',
    events: 'event bus policy',
    sts: 'trust policy',
  };
  return names[action.split(':')[0]!] ?? 'resource policy';
}

/** One line for the terminal. */
export const refusalLine = ({ who, action, resource, missing }: Refusal) =>
  `refused: ${who} ${action} on ${resource}: ${missing}`;

/** What AWS writes in the message of AccessDenied. */
export function accessDeniedMessage({ who, action, resource }: Refusal, denied: Denied): string {
  const side = denied.outcome === 'explicit-deny' ? denied.by : denied.missing;
  const policy =
    side === 'resource' && action.startsWith('sts:') ? 'role trust policy' : `${side}-based policy`;
  const reason =
    denied.outcome === 'explicit-deny'
      ? `with an explicit deny in ${side === 'identity' ? 'an' : 'a'} ${policy}`
      : `because no ${policy} allows the ${action} action`;
  return `User: ${who} is not authorized to perform: ${action} on resource: ${resource} ${reason}`;
}
